#ifndef WAL_TELLING_HPP
#define WAL_TELLING_HPP

// Hearing of what became durable: descriptors, callbacks, outcomes in bulk. Included by wal.hpp.

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "../wal.h"

#include "cursor.hpp"
#include "error.hpp"
#include "handover.hpp"
#include "options.hpp"

namespace wal {

/// A file descriptor that becomes readable when the durable LSN advances, or the log is poisoned or
/// closed. Each listener opens its own. Move only.
///
/// Thread safety: const members from any thread at once; never blocks.
class notifier {
public:
    notifier() noexcept = default;
    explicit notifier(wal_notifier* owned) noexcept : owned_(owned) {}

    /// For `poll` and its relatives; never read, write or close it. -1 for one that was moved from.
    [[nodiscard]] int fd() const noexcept { return wal_notifier_fd(owned_.get()); }

    /// Makes the descriptor unreadable until the next news.
    ///
    /// When this returns, records up to the returned LSN survive power loss. Errors: `poisoned` and
    /// `closed`, when nothing will become durable any more.
    std::optional<lsn> acknowledge() const { return acknowledge_as(detail::raise{}); }
    std::optional<lsn> acknowledge(std::error_code& ec) const noexcept {
        return acknowledge_as(detail::tell{ec});
    }

private:
    template <typename Fail>
    std::optional<lsn> acknowledge_as(Fail fail) const noexcept(Fail::is_silent) {
        lsn durable = 0;
        detail::reason why;
        fail(wal_notifier_acknowledge(owned_.get(), &durable, why.out()), why);
        return detail::if_any(durable);
    }

    detail::owned<wal_notifier, wal_notifier_release> owned_;
};

/// How one append of `completions` ended.
struct completion {
    /// The caller's number for it.
    std::uint64_t token = 0;
    /// The LSNs of its records; zeros if it failed.
    lsn_range lsns;
    /// Why it failed: `full` when its records were surely not written, anything else when only
    /// reopening the log tells.
    std::error_code failure;
    int os_errno = 0;
};

/// Appends in flight for an event loop, each with a number of the caller: they go in with `submit`,
/// and come back from `take` when the descriptor is readable. Move only; it may outlive the log.
///
/// Thread safety: const members from any thread at once.
class completions {
public:
    completions() noexcept = default;
    explicit completions(wal_completions* owned) noexcept : owned_(owned) {}

    /// For `poll` and its relatives, readable from when something has ended until everything was
    /// taken; never read, write or close it. -1 for one that was moved from.
    [[nodiscard]] int fd() const noexcept { return wal_completions_fd(owned_.get()); }

    /// Hands one record to the engine without waiting for it.
    ///
    /// When this returns, the record is in the engine's memory and will be written; it is at its
    /// level when `token` comes back without a failure. Blocks only for room, as the options say.
    /// Errors: those of `log::submit_batch`; then the token does not come back.
    lsn submit(bytes_view record, std::uint64_t token, const append_options& how = {}) const {
        return submit_as(detail::slice(record), token, how, detail::raise{});
    }
    lsn submit(bytes_view record, std::uint64_t token, const append_options& how,
               std::error_code& ec) const noexcept {
        return submit_as(detail::slice(record), token, how, detail::tell{ec});
    }

    /// Adds what has ended to `ended`, and returns how much that was.
    ///
    /// When this returns, the records of every entry without a failure are at their level. Never
    /// blocks; also answers after the log was closed.
    std::size_t take(std::vector<completion>& ended) const {
        return take_as(ended, detail::raise{});
    }
    std::size_t take(std::vector<completion>& ended, std::error_code& ec) const {
        return take_as(ended, detail::tell{ec});
    }

private:
    template <typename Fail>
    lsn submit_as(wal_slice record, std::uint64_t token, const append_options& how,
                  Fail fail) const noexcept(Fail::is_silent) {
        const wal_append_options given = detail::of(how);
        lsn first = 0;
        detail::reason why;
        fail(wal_completions_submit(owned_.get(), &record, 1, &given, token, &first, nullptr,
                                    why.out()),
             why);
        return first;
    }

    template <typename Fail>
    std::size_t take_as(std::vector<completion>& ended, Fail fail) const {
        constexpr std::size_t at_once = 256;
        wal_completion taken[at_once];
        std::size_t total = 0;
        for (std::size_t count = at_once; count == at_once; total += count) {
            detail::reason why;
            count = 0;
            fail(wal_completions_take(owned_.get(), taken, at_once, &count, why.out()), why);
            for (std::size_t at = 0; at < count; at++) ended.push_back(told(taken[at]));
        }
        return total;
    }

    static completion told(const wal_completion& of) noexcept {
        completion found{of.token, {of.first_lsn, of.last_lsn}, {}, of.os_errno};
        if (of.code != WAL_OK) found.failure = static_cast<errc>(of.code);
        return found;
    }

    detail::owned<wal_completions, wal_completions_release> owned_;
};

namespace detail {

/// Whether this thread is in a callback of the library, where closing is deferred.
inline thread_local int callback_depth = 0;

class inside_callback {
public:
    inside_callback() noexcept { callback_depth++; }
    ~inside_callback() { callback_depth--; }
    inside_callback(const inside_callback&) = delete;
    inside_callback& operator=(const inside_callback&) = delete;
};

/// A callable that C calls. What it throws must not reach C: it is kept, no further call is made,
/// and it goes on when C has returned. One callable may be called on several threads at once.
template <typename F>
class guarded {
public:
    explicit guarded(F& f, bool is_one_at_a_time = true) noexcept
        : f_(f), is_one_at_a_time_(is_one_at_a_time) {
        begun_.give();
    }

    /// Calls it; returns false when there is to be no further call.
    template <typename... Arguments>
    bool call(Arguments&&... arguments) noexcept {
        const inside_callback inside;
        begun_.take();
        if (is_one_at_a_time_) ended_.take();
        const bool goes_on = call_inside(std::forward<Arguments>(arguments)...);
        ended_.give();
        return goes_on;
    }

    /// To be called when C has returned.
    void rethrow() {
        ended_.take();
        const std::lock_guard<std::mutex> lock(mutex_);
        if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
    }

private:
    template <typename... Arguments>
    bool call_inside(Arguments&&... arguments) noexcept {
        try {
            if (has_thrown_.load(std::memory_order_acquire)) return false;
            if constexpr (std::is_same_v<std::invoke_result_t<F&, Arguments...>, bool>) {
                return f_(std::forward<Arguments>(arguments)...);
            } else {
                f_(std::forward<Arguments>(arguments)...);
                return true;
            }
        } catch (...) {
            const std::lock_guard<std::mutex> lock(mutex_);
            if (!thrown_) thrown_ = std::current_exception();
            has_thrown_.store(true, std::memory_order_release);
            return false;
        }
    }

    F& f_;
    bool is_one_at_a_time_;
    handover begun_;
    handover ended_;
    std::mutex mutex_;
    std::exception_ptr thrown_;
    /// Looked at for each record of a parallel replay, without waiting for another thread.
    std::atomic<bool> has_thrown_{false};
};

/// The callables of a subscription, kept until the library needs them no more.
class durable_listener {
public:
    durable_listener(std::function<void(lsn)> durable, std::function<void(const error&)> failed)
        : durable_(std::move(durable)), failed_(std::move(failed)) {
        called_.give();
    }

    [[nodiscard]] bool is_empty() const noexcept { return !durable_; }

    static void told(std::uint64_t durable_lsn, const wal_error* failure, void* payload) noexcept {
        auto* self = static_cast<durable_listener*>(payload);
        const inside_callback inside;
        self->called_.take();
        // An exception has nobody to go to: std::terminate, as in a std::thread.
        if (failure == nullptr) self->durable_(durable_lsn);
        else if (self->failed_) self->failed_(error(*failure));
        self->called_.give();
    }
    static void dropped(void* payload) noexcept {
        const inside_callback inside;
        const std::unique_ptr<durable_listener> self(static_cast<durable_listener*>(payload));
        self->called_.take();
    }

private:
    std::function<void(lsn)> durable_;
    std::function<void(const error&)> failed_;
    handover called_;
};

}  // namespace detail

/// The callbacks asked for with `log::on_durable`; destroying it ends them. Destroying waits for a
/// call that is running on another thread; inside the callback it is deferred. Move only.
class subscription {
public:
    subscription() noexcept = default;
    explicit subscription(wal_subscription* owned) noexcept : owned_(owned) {}

private:
    detail::owned<wal_subscription, wal_subscription_release> owned_;
};

}  // namespace wal

#endif
