#ifndef WAL_PROMISES_HPP
#define WAL_PROMISES_HPP

// The futures of `log::append_async`. Included by wal.hpp.

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <future>
#include <memory>
#include <thread>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../wal.h"

#include "cursor.hpp"
#include "error.hpp"
#include "telling.hpp"

namespace wal::detail {

/// A promise in flight: its address is the token of its append.
class pending {
public:
    pending() = default;
    pending(const pending&) = delete;
    pending& operator=(const pending&) = delete;
    virtual ~pending() = default;
    virtual void settle(const wal_completion& ended) noexcept = 0;
};

template <typename T>
class pending_of final : public pending {
public:
    std::future<T> future() { return promise_.get_future(); }

    void settle(const wal_completion& ended) noexcept override {
        if (ended.code != WAL_OK) {
            const error why(static_cast<errc>(ended.code), ended.os_errno, "append");
            promise_.set_exception(std::make_exception_ptr(why));
        } else if constexpr (std::is_same_v<T, lsn>) {
            promise_.set_value(ended.last_lsn);
        } else {
            promise_.set_value(T{ended.first_lsn, ended.last_lsn});
        }
    }

private:
    std::promise<T> promise_;
};

/// An event with a descriptor, rung once.
class event {
public:
    event() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
        if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    }
    ~event() { ::close(fd_); }
    event(const event&) = delete;
    event& operator=(const event&) = delete;

    [[nodiscard]] int fd() const noexcept { return fd_; }
    void ring() const noexcept { eventfd_write(fd_, 1); }

private:
    int fd_;
};

/// What the thread that settles promises shares with the log. It lives until both are done.
struct promise_queue {
    explicit promise_queue(owned<wal_completions, wal_completions_release> own)
        : completions(std::move(own)) {}

    owned<wal_completions, wal_completions_release> completions;
    event stop;
    /// Counted before an append goes in, so that whoever takes its token has seen all of it.
    std::atomic<std::size_t> in_flight{0};

    /// Settles what has ended; the body of the thread. One wake-up for each commit.
    void run() noexcept {
        bool is_stopping = false;
        while (!is_stopping || in_flight.load(std::memory_order_acquire) > 0) {
            pollfd both[] = {{wal_completions_fd(completions.get()), POLLIN, 0},
                             {stop.fd(), POLLIN, 0}};
            // Once stopping, what is in flight is all that is waited for.
            if (poll(both, is_stopping ? 1 : 2, -1) < 0) continue;
            if ((both[1].revents & POLLIN) != 0) is_stopping = true;
            settle();
        }
    }

private:
    void settle() noexcept {
        constexpr std::size_t at_once = 256;
        wal_completion ended[at_once];
        for (std::size_t count = at_once; count == at_once;) {
            count = 0;
            wal_completions_take(completions.get(), ended, at_once, &count, nullptr);
            for (std::size_t at = 0; at < count; at++) {
                // Counting comes first: it orders this after all `submit` did, see `in_flight`.
                in_flight.fetch_sub(1, std::memory_order_acq_rel);
                // The token is the address `submit` gave out, and comes back once.
                const std::unique_ptr<pending> own(
                    reinterpret_cast<pending*>(static_cast<std::uintptr_t>(ended[at].token)));
                own->settle(ended[at]);
            }
        }
    }
};

/// The promises of one log: one thread, however many are in flight, started with the first.
class promises {
public:
    explicit promises(owned<wal_completions, wal_completions_release> own)
        : queue_(std::make_shared<promise_queue>(std::move(own))),
          thread_(std::make_unique<std::thread>([queue = queue_] { queue->run(); })),
          process_(getpid()) {}

    promises(const promises&) = delete;
    promises& operator=(const promises&) = delete;

    /// The log is closed by now: everything in flight has ended, or ends with the callback this
    /// thread is in.
    ~promises() {
        if (getpid() != process_) {
            // The thread stayed in the parent, and what it had in its hands is lost with it.
            static_cast<void>(thread_.release());
            static_cast<void>(new std::shared_ptr<promise_queue>(std::move(queue_)));
            return;
        }
        queue_->stop.ring();
        if (callback_depth > 0) thread_->detach();
        else thread_->join();
    }

    template <typename T, typename Fail>
    std::future<T> submit(const wal_slice* records, std::size_t count, const append_options& how,
                          Fail fail) {
        const wal_append_options given = of(how);
        auto waiting = std::make_unique<pending_of<T>>();
        std::future<T> future = waiting->future();
        auto* token = static_cast<pending*>(waiting.get());
        queue_->in_flight.fetch_add(1, std::memory_order_acq_rel);
        reason why;
        const std::int32_t code = wal_completions_submit(
            queue_->completions.get(), records, count, &given,
            static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(token)), nullptr, nullptr,
            why.out());
        if (code == WAL_OK) {
            static_cast<void>(waiting.release());
        } else {
            queue_->in_flight.fetch_sub(1, std::memory_order_acq_rel);
            future = {};
        }
        fail(code, why);
        return future;
    }

private:
    std::shared_ptr<promise_queue> queue_;
    std::unique_ptr<std::thread> thread_;
    pid_t process_;
};

}  // namespace wal::detail

#endif
