#ifndef WAL_HANDLE_HPP
#define WAL_HANDLE_HPP

// What a log is made of: the handle of the C ABI, and the promises in flight. Included by wal.hpp;
// nothing here is for programs.

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <utility>

#include "../wal.h"

#include "error.hpp"
#include "options.hpp"
#include "promises.hpp"

namespace wal::detail {

using open_function = std::int32_t (*)(const char*, const wal_options*, wal_log**,
                                       ::wal_recovery_report*, wal_error*);

/// On the heap, so that moving the log moves nothing that a thread may be looking at.
struct log_state {
    log_state() = default;
    log_state(const log_state&) = delete;
    log_state& operator=(const log_state&) = delete;

    /// Closing ends what is in flight, which is settled before the handle goes.
    ~log_state() {
        if (handle) wal_close(handle.get(), nullptr);
        delete settling.load(std::memory_order_acquire);
    }

    owned<wal_log, wal_release> handle;
    ::wal_recovery_report recovery = sized<::wal_recovery_report>();
    /// Started once, by the first append that wants a future.
    std::mutex starting;
    std::atomic<promises*> settling{nullptr};

    /// Null when there is no log, which `fail` knows by then.
    template <typename Fail>
    static std::unique_ptr<log_state> open(open_function how, const std::filesystem::path& path,
                                           const options& given, Fail fail) {
        const wal_options asked = of(given);
        auto opened = std::make_unique<log_state>();
        wal_log* handle = nullptr;
        reason why;
        const std::int32_t code =
            how(path.c_str(), &asked, &handle, &opened->recovery, why.out());
        opened->handle.reset(handle);
        fail(code, why);
        if (code != WAL_OK) opened.reset();
        return opened;
    }

    /// What settles futures; null when it could not be started, which `fail` knows by then.
    template <typename Fail>
    static promises* promises_of(log_state* log, Fail fail) {
        promises* settling = nullptr;
        if (log != nullptr) settling = log->settling.load(std::memory_order_acquire);
        if (settling != nullptr) return settling;
        wal_completions* opened = nullptr;
        reason why;
        const wal_log* handle = log == nullptr ? nullptr : log->handle.get();
        const std::int32_t code = wal_completions_open(handle, &opened, why.out());
        owned<wal_completions, wal_completions_release> own(opened);
        fail(code, why);
        if (code != WAL_OK || log == nullptr) return nullptr;
        const std::lock_guard<std::mutex> lock(log->starting);
        settling = log->settling.load(std::memory_order_acquire);
        if (settling == nullptr) {
            settling = new promises(std::move(own));
            log->settling.store(settling, std::memory_order_release);
        }
        return settling;
    }
};

}  // namespace wal::detail

#endif
