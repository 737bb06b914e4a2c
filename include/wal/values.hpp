#ifndef WAL_VALUES_HPP
#define WAL_VALUES_HPP

// The small key-value state beside the records. Included by wal.hpp.

#include <array>
#include <initializer_list>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "../wal.h"

#include "error.hpp"
#include "telling.hpp"

namespace wal {

/// One change of `values::update`: a new value for a key, or none to delete it.
struct value_change {
    bytes_view key;
    std::optional<bytes_view> value;
};

/// A log's key-value state: small values that change together, such as how far a consumer is.
/// Copied freely; good as long as its log.
///
/// Thread safety: every member from any thread at once. Writing costs one sync, reading never
/// blocks for long. Errors: `invalid` (keys have at most 255 bytes, values 4096), `corrupt`,
/// `closed`, `forked`; of those that write also `full`, `poisoned`, `io`.
class values {
public:
    explicit values(const wal_log* log) noexcept : log_(log) {}

    /// The value of a key, if there is one.
    [[nodiscard]] std::optional<std::string> read(bytes_view key) const {
        return read_as(key, detail::raise{});
    }
    [[nodiscard]] std::optional<std::string> read(bytes_view key, std::error_code& ec) const {
        return read_as(key, detail::tell{ec});
    }

    /// Sets a key. When this returns, the value survives power loss.
    void set(bytes_view key, bytes_view value) const { set_as(key, value, detail::raise{}); }
    void set(bytes_view key, bytes_view value, std::error_code& ec) const noexcept {
        set_as(key, value, detail::tell{ec});
    }

    /// Deletes a key; returns whether it was there. When this returns, it is gone, also after
    /// power loss.
    bool erase(bytes_view key) const { return erase_as(key, detail::raise{}); }
    bool erase(bytes_view key, std::error_code& ec) const noexcept {
        return erase_as(key, detail::tell{ec});
    }

    /// Makes all changes together: when this returns, they survive power loss; after a crash before
    /// that, all of them are there or none.
    void update(std::initializer_list<value_change> changes) const {
        update_as(changes, detail::raise{});
    }
    void update(std::initializer_list<value_change> changes, std::error_code& ec) const {
        update_as(changes, detail::tell{ec});
    }
    void update(const std::vector<value_change>& changes) const {
        update_as(changes, detail::raise{});
    }
    void update(const std::vector<value_change>& changes, std::error_code& ec) const {
        update_as(changes, detail::tell{ec});
    }

    /// Calls `f(key, value)`, two `bytes_view` that are valid during the call, for every entry in
    /// the order of keys. If it returns a bool, false stops; what it throws goes on from here.
    template <typename F>
    void for_each(F&& f) const {
        for_each_as(f, detail::raise{});
    }
    template <typename F>
    void for_each(F&& f, std::error_code& ec) const {
        for_each_as(f, detail::tell{ec});
    }

private:
    template <typename Fail>
    std::optional<std::string> read_as(bytes_view key, Fail fail) const {
        constexpr std::size_t value_bytes_max = 4096;
        std::array<char, value_bytes_max> value;
        std::size_t len = 0;
        detail::reason why;
        const std::int32_t code = wal_value_read(log_, key.data(), key.size(), value.data(),
                                                 value.size(), &len, why.out());
        fail(code == WAL_ERR_NOT_FOUND ? static_cast<std::int32_t>(WAL_OK) : code, why);
        if (code != WAL_OK) return std::nullopt;
        return std::string(value.data(), len);
    }

    template <typename Fail>
    void set_as(bytes_view key, bytes_view value, Fail fail) const noexcept(Fail::is_silent) {
        detail::reason why;
        fail(wal_value_set(log_, key.data(), key.size(), value.data(), value.size(), why.out()),
             why);
    }

    template <typename Fail>
    bool erase_as(bytes_view key, Fail fail) const noexcept(Fail::is_silent) {
        std::int32_t existed = 0;
        detail::reason why;
        fail(wal_value_delete(log_, key.data(), key.size(), &existed, why.out()), why);
        return existed != 0;
    }

    template <typename Changes, typename Fail>
    void update_as(const Changes& changes, Fail fail) const {
        std::vector<wal_value_change> given;
        given.reserve(changes.size());
        for (const value_change& change : changes) {
            wal_value_change one{};
            one.key = detail::slice(change.key);
            if (change.value) one.value = detail::slice(*change.value);
            one.remove = change.value ? 0 : 1;
            given.push_back(one);
        }
        detail::reason why;
        fail(wal_value_update(log_, given.data(), given.size(), why.out()), why);
    }

    template <typename F, typename Fail>
    void for_each_as(F& f, Fail fail) const {
        detail::guarded<F> guarded(f);
        const auto call = [](const void* key, std::size_t key_len, const void* value,
                             std::size_t value_len, void* payload) -> std::int32_t {
            auto& callee = *static_cast<detail::guarded<F>*>(payload);
            return callee.call(bytes_view(key, key_len), bytes_view(value, value_len)) ? 0 : 1;
        };
        detail::reason why;
        const std::int32_t code = wal_value_list(log_, call, &guarded, why.out());
        guarded.rethrow();
        fail(code, why);
    }

    const wal_log* log_;
};

}  // namespace wal

#endif
