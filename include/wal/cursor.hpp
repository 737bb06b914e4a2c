#ifndef WAL_CURSOR_HPP
#define WAL_CURSOR_HPP

// Reading in either direction, and waiting at the tail. Included by wal.hpp.

#include <chrono>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

#include "../wal.h"

#include "error.hpp"
#include "options.hpp"

namespace wal {

namespace detail {

/// Gives an object of the C ABI back.
template <auto Release>
struct releaser {
    template <typename T>
    void operator()(T* object) const noexcept {
        Release(object);
    }
};

template <typename T, auto Release>
using owned = std::unique_ptr<T, releaser<Release>>;

/// Reads packed records into `buffer`, which grows when not even one fits. `fill` makes the call.
template <typename Fill, typename Fail>
packed_view read_packed(std::vector<std::byte>& buffer, const Fill& fill, Fail fail) {
    constexpr std::size_t usual_bytes = 64 * 1024;
    if (buffer.empty()) buffer.resize(usual_bytes);
    for (;;) {
        std::size_t count = 0;
        std::size_t used = 0;
        reason why;
        const std::int32_t code = fill(buffer, count, used, why);
        // A disk is never full of reading: the record needs more than the buffer has.
        if (code == WAL_ERR_FULL && used > buffer.size()) {
            buffer.resize(used);
            continue;
        }
        fail(code, why);
        if (code != WAL_OK) return {};
        return {{buffer.data(), used}, count};
    }
}

}  // namespace detail

/// One record that was read. It keeps its bytes alive, also when the log is closed or trimmed
/// meanwhile. Move only; a record that was moved from is empty, with the LSN 0.
///
/// Const members are safe to call from any thread at once, and none fails.
class record {
public:
    record() noexcept = default;
    explicit record(wal_record* owned) noexcept : owned_(owned) {}

    [[nodiscard]] wal::lsn lsn() const noexcept { return wal_record_lsn(owned_.get()); }

    /// The record's bytes, valid until the record goes.
    [[nodiscard]] bytes_view bytes() const noexcept {
        return {wal_record_data(owned_.get()), wal_record_len(owned_.get())};
    }

    /// The same as text, valid as long.
    [[nodiscard]] std::string_view text() const noexcept { return bytes().text(); }

    /// Whether the next record belongs to the same batch.
    [[nodiscard]] bool batch_continues() const noexcept {
        return (wal_record_flags(owned_.get()) & WAL_PACKED_BATCH_CONTINUES) != 0;
    }

private:
    detail::owned<wal_record, wal_record_release> owned_;
};

/// Where an iteration ends.
struct end_of_log {};

namespace detail {

/// Steps a cursor or follower to its end. The record it is at lies in the source, so that
/// iterating allocates nothing; two iterators of one source are the same place.
template <typename Source, typename Direction>
class input_iterator {
public:
    using iterator_category = std::input_iterator_tag;
    using value_type = record;
    using difference_type = std::ptrdiff_t;
    using pointer = const record*;
    using reference = const record&;

    input_iterator() noexcept = default;
    explicit input_iterator(Source& source) : source_(&source) { ++*this; }

    reference operator*() const noexcept { return *source_->current_; }
    pointer operator->() const noexcept { return &*source_->current_; }

    input_iterator& operator++() {
        source_->current_ = Direction::step(*source_);
        return *this;
    }
    void operator++(int) { ++*this; }

    [[nodiscard]] bool is_at_end() const noexcept {
        return source_ == nullptr || !source_->current_;
    }
    friend bool operator==(const input_iterator& at, end_of_log /*end*/) noexcept {
        return at.is_at_end();
    }
    friend bool operator!=(const input_iterator& at, end_of_log /*end*/) noexcept {
        return !at.is_at_end();
    }
#if __cplusplus < 202002L
    friend bool operator==(end_of_log /*end*/, const input_iterator& at) noexcept {
        return at.is_at_end();
    }
    friend bool operator!=(end_of_log /*end*/, const input_iterator& at) noexcept {
        return !at.is_at_end();
    }
#endif

private:
    Source* source_ = nullptr;
};

struct forward {
    template <typename Source>
    static std::optional<record> step(Source& source) {
        return source.next();
    }
};

struct backward {
    template <typename Source>
    static std::optional<record> step(Source& source) {
        return source.prev();
    }
};

/// A follower's records, until its log is closed.
struct following {
    template <typename Source>
    static std::optional<record> step(Source& source) {
        return source.next_until_closed();
    }
};

}  // namespace detail

/// A position between two records, moved in either direction. Move only; it may outlive the log.
/// Calls on a cursor that was moved from are `errc::invalid`.
///
/// Thread safety: one thread at a time (a second one gets `errc::invalid`); it may move between
/// threads. Errors of all calls that read: `invalid`, `not_found` (beyond the next LSN), `trimmed`,
/// `truncated`, `corrupt`, `io`, `closed`, `forked`; the position then stays where it was. All may
/// read from the disk.
class cursor {
public:
    using iterator = detail::input_iterator<cursor, detail::forward>;

    cursor() noexcept = default;
    explicit cursor(wal_cursor* owned) noexcept : owned_(owned) {}

    /// The record after the position, which moves behind it; none at the end, where a later call
    /// finds what was appended since.
    [[nodiscard]] std::optional<record> next() { return step(wal_cursor_next, detail::raise{}); }
    [[nodiscard]] std::optional<record> next(std::error_code& ec) noexcept {
        return step(wal_cursor_next, detail::tell{ec});
    }

    /// The record before the position, which moves in front of it; none at the beginning.
    [[nodiscard]] std::optional<record> prev() { return step(wal_cursor_prev, detail::raise{}); }
    [[nodiscard]] std::optional<record> prev(std::error_code& ec) noexcept {
        return step(wal_cursor_prev, detail::tell{ec});
    }

    /// The next records, as many as fit into `buffer` and at most `count_max` (0 for any number),
    /// in one call; empty at the end. `buffer` gets 64 KiB if it is empty, and grows if not even
    /// one record fits. The view is good until the buffer is changed.
    packed_view read_packed(std::vector<std::byte>& buffer, std::size_t count_max = 0) {
        return read_packed_as(buffer, count_max, detail::raise{});
    }
    packed_view read_packed(std::vector<std::byte>& buffer, std::size_t count_max,
                            std::error_code& ec) {
        return read_packed_as(buffer, count_max, detail::tell{ec});
    }

    /// Moves to a position.
    void seek(position to) { seek_as(to, detail::raise{}); }
    void seek(position to, std::error_code& ec) noexcept { seek_as(to, detail::tell{ec}); }

    /// Moves to the first record committed at `time` or later.
    void seek_time(timestamp time) { seek_time_as(time, detail::raise{}); }
    void seek_time(timestamp time, std::error_code& ec) noexcept {
        seek_time_as(time, detail::tell{ec});
    }

    /// The commit time of the record last returned; `errc::invalid` before the first one.
    [[nodiscard]] timestamp time() { return time_as(detail::raise{}); }
    [[nodiscard]] timestamp time(std::error_code& ec) noexcept { return time_as(detail::tell{ec}); }

    /// The LSN `next` would return, if it is there; 0 for a cursor that was moved from.
    [[nodiscard]] lsn next_lsn() const noexcept { return wal_cursor_next_lsn(owned_.get()); }

    /// For range-for: the records from the position to the end, each valid until the next step.
    [[nodiscard]] iterator begin() { return iterator(*this); }
    [[nodiscard]] end_of_log end() const noexcept { return {}; }

    /// What `reversed` returns: good as long as the cursor.
    class reversed_range {
    public:
        explicit reversed_range(cursor& of) noexcept : cursor_(&of) {}
        using iterator = detail::input_iterator<cursor, detail::backward>;
        [[nodiscard]] iterator begin() const { return iterator(*cursor_); }
        [[nodiscard]] end_of_log end() const noexcept { return {}; }

    private:
        cursor* cursor_;
    };

    /// For range-for: the records from the position back to the first one.
    [[nodiscard]] reversed_range reversed() & noexcept { return reversed_range(*this); }

private:
    template <typename, typename>
    friend class detail::input_iterator;

    using step_function = std::int32_t (*)(wal_cursor*, wal_record**, wal_error*);

    template <typename Fail>
    std::optional<record> step(step_function how, Fail fail) noexcept(Fail::is_silent) {
        wal_record* found = nullptr;
        detail::reason why;
        fail(how(owned_.get(), &found, why.out()), why);
        return found == nullptr ? std::nullopt : std::make_optional<record>(found);
    }

    template <typename Fail>
    packed_view read_packed_as(std::vector<std::byte>& buffer, std::size_t count_max, Fail fail) {
        const auto fill = [this, count_max](auto& into, std::size_t& count, std::size_t& used,
                                            detail::reason& why) {
            return wal_cursor_read_packed(owned_.get(), into.data(), into.size(), count_max, &count,
                                          &used, why.out());
        };
        return detail::read_packed(buffer, fill, fail);
    }

    template <typename Fail>
    void seek_as(position to, Fail fail) noexcept(Fail::is_silent) {
        detail::reason why;
        fail(wal_cursor_seek(owned_.get(), to.from(), to.number(), why.out()), why);
    }

    template <typename Fail>
    void seek_time_as(timestamp time, Fail fail) noexcept(Fail::is_silent) {
        detail::reason why;
        const std::int64_t time_ns = time.time_since_epoch().count();
        fail(wal_cursor_seek_time(owned_.get(), time_ns, why.out()), why);
    }

    template <typename Fail>
    timestamp time_as(Fail fail) noexcept(Fail::is_silent) {
        std::int64_t time_ns = 0;
        detail::reason why;
        fail(wal_cursor_time(owned_.get(), &time_ns, why.out()), why);
        return detail::time_of(time_ns);
    }

    detail::owned<wal_cursor, wal_cursor_release> owned_;
    /// The record an iteration is at.
    std::optional<record> current_;
};

/// A cursor that waits at the tail. Move only; closing the log ends its wait. Calls on a follower
/// that was moved from are `errc::invalid`.
///
/// Thread safety and errors are those of `cursor`; `closed` comes when the log was closed and
/// everything is delivered.
class follower {
public:
    using iterator = detail::input_iterator<follower, detail::following>;

    follower() noexcept = default;
    explicit follower(wal_follower* owned) noexcept : owned_(owned) {}

    /// The next record, waited for at most `timeout`; none when the time was up. With zero it never
    /// waits: so a follower is used with the descriptor of a `notifier`.
    [[nodiscard]] std::optional<record> next(std::chrono::milliseconds timeout = forever) {
        return next_as(timeout, detail::raise{});
    }
    [[nodiscard]] std::optional<record> next(std::chrono::milliseconds timeout,
                                             std::error_code& ec) noexcept {
        return next_as(timeout, detail::tell{ec});
    }

    /// Waits as `next` does, then reads what is there as `cursor::read_packed` does; empty when the
    /// time was up.
    packed_view read_packed(std::vector<std::byte>& buffer,
                            std::chrono::milliseconds timeout = forever,
                            std::size_t count_max = 0) {
        return read_packed_as(buffer, timeout, count_max, detail::raise{});
    }
    packed_view read_packed(std::vector<std::byte>& buffer, std::chrono::milliseconds timeout,
                            std::size_t count_max, std::error_code& ec) {
        return read_packed_as(buffer, timeout, count_max, detail::tell{ec});
    }

    /// Moves to a position.
    void seek(position to) { seek_as(to, detail::raise{}); }
    void seek(position to, std::error_code& ec) noexcept { seek_as(to, detail::tell{ec}); }

    /// The LSN `next` will return; 0 for a follower that was moved from.
    [[nodiscard]] lsn next_lsn() const noexcept { return wal_follower_next_lsn(owned_.get()); }

    /// For range-for: the records from the position on, waited for, until the log is closed. Each
    /// is valid until the next step.
    [[nodiscard]] iterator begin() { return iterator(*this); }
    [[nodiscard]] end_of_log end() const noexcept { return {}; }

private:
    template <typename, typename>
    friend class detail::input_iterator;
    friend struct detail::following;

    std::optional<record> next_until_closed() {
        wal_record* found = nullptr;
        detail::reason why;
        const std::int32_t code = wal_follower_next(owned_.get(), -1, &found, why.out());
        if (code != WAL_ERR_CLOSED) detail::raise{}(code, why);
        return found == nullptr ? std::nullopt : std::make_optional<record>(found);
    }

    template <typename Fail>
    std::optional<record> next_as(std::chrono::milliseconds timeout,
                                  Fail fail) noexcept(Fail::is_silent) {
        wal_record* found = nullptr;
        detail::reason why;
        std::int32_t code = wal_follower_next(owned_.get(), timeout.count(), &found, why.out());
        if (code == WAL_ERR_TIMEOUT) code = WAL_OK;
        fail(code, why);
        return found == nullptr ? std::nullopt : std::make_optional<record>(found);
    }

    template <typename Fail>
    packed_view read_packed_as(std::vector<std::byte>& buffer, std::chrono::milliseconds timeout,
                               std::size_t count_max, Fail fail) {
        const auto fill = [&](auto& into, std::size_t& count, std::size_t& used,
                              detail::reason& why) {
            const std::int32_t code =
                wal_follower_read_packed(owned_.get(), timeout.count(), into.data(), into.size(),
                                         count_max, &count, &used, why.out());
            return code == WAL_ERR_TIMEOUT ? static_cast<std::int32_t>(WAL_OK) : code;
        };
        return detail::read_packed(buffer, fill, fail);
    }

    template <typename Fail>
    void seek_as(position to, Fail fail) noexcept(Fail::is_silent) {
        detail::reason why;
        fail(wal_follower_seek(owned_.get(), to.from(), to.number(), why.out()), why);
    }

    detail::owned<wal_follower, wal_follower_release> owned_;
    std::optional<record> current_;
};

}  // namespace wal

#endif
