#ifndef WAL_CHECK_HPP
#define WAL_CHECK_HPP

// Logs from outside: what there is at a path, whether it is sound, mending and removing it; and
// what the library says meanwhile. Included by wal.hpp.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <system_error>
#include <vector>

#include "../wal.h"

#include "error.hpp"
#include "options.hpp"
#include "telling.hpp"

namespace wal {

/// What there is at a path, and what opening it would do. The structs are those of wal.h.
struct log_info {
    ::wal_info info;
    ::wal_recovery_report recovery;
};

/// What one line of a repair says.
struct repair_line {
    enum class kind : std::int32_t {
        /// `text` is something that was (or would be) done.
        action = WAL_REPAIR_ACTION,
        /// The records `lost` are lost.
        lost = WAL_REPAIR_LOST,
        /// `text` is the directory with copies of the changed files.
        backup = WAL_REPAIR_BACKUP,
    };
    repair_line::kind kind;
    std::string_view text;
    lsn_range lost;
};

namespace detail {

struct nothing {
    template <typename... Arguments>
    void operator()(Arguments&&... /*unused*/) const noexcept {}
};

/// The callables of a verification. C has one payload for both.
template <typename Found, typename Progress>
struct verifying {
    guarded<Found> found;
    guarded<Progress> progress;
};

template <typename Fail>
log_info info_as(const std::filesystem::path& path, Fail fail) noexcept(Fail::is_silent) {
    log_info found{sized<::wal_info>(), sized<::wal_recovery_report>()};
    reason why;
    fail(wal_check_info(path.c_str(), &found.info, &found.recovery, nullptr, nullptr, why.out()),
         why);
    return found;
}

template <typename Found, typename Progress, typename Fail>
::wal_verify_report verify_as(const std::filesystem::path& path, Found& found, Progress& progress,
                              Fail fail) {
    using both = verifying<Found, Progress>;
    both callees{guarded<Found>(found), guarded<Progress>(progress)};
    const auto on_finding = [](const ::wal_finding* finding, void* payload) {
        static_cast<both*>(payload)->found.call(*finding);
    };
    const auto on_progress = [](std::uint64_t done, std::uint64_t total, void* payload) {
        static_cast<both*>(payload)->progress.call(done, total);
    };
    auto report = sized<::wal_verify_report>();
    reason why;
    const std::int32_t code =
        wal_check_verify(path.c_str(), on_progress, on_finding, &callees, &report, why.out());
    callees.found.rethrow();
    callees.progress.rethrow();
    fail(code, why);
    return report;
}

template <typename F, typename Fail>
::wal_repair_report repair_as(const std::filesystem::path& path, bool dry_run, F& line, Fail fail) {
    guarded<F> guarded(line);
    const auto on_line = [](std::int32_t kind, const char* text, std::uint64_t first,
                            std::uint64_t last, void* payload) {
        static_cast<detail::guarded<F>*>(payload)->call(
            repair_line{static_cast<enum repair_line::kind>(kind), text, {first, last}});
    };
    auto report = sized<::wal_repair_report>();
    reason why;
    const std::int32_t code =
        wal_check_repair(path.c_str(), dry_run ? 1 : 0, on_line, &guarded, &report, why.out());
    guarded.rethrow();
    fail(code, why);
    return report;
}

template <typename Fail>
void destroy_as(const std::filesystem::path& path, Fail fail) noexcept(Fail::is_silent) {
    reason why;
    fail(wal_destroy(path.c_str(), why.out()), why);
}

}  // namespace detail

/// Tells what there is at `path`. Nothing on disk is changed. Reads headers and the tail; any
/// thread at once, beside a live writer. Errors: `invalid`, `not_found`, `corrupt`, `unsupported`,
/// `io`.
[[nodiscard]] inline log_info info(const std::filesystem::path& path) {
    return detail::info_as(path, detail::raise{});
}
[[nodiscard]] inline log_info info(const std::filesystem::path& path,
                                   std::error_code& ec) noexcept {
    return detail::info_as(path, detail::tell{ec});
}

/// Reads every byte of the log at `path` and compares it with its checksums. Calls
/// `found(const wal_finding&)` for each wrong place and `progress(bytes_done, bytes_total)` often,
/// on the calling thread; what they throw goes on from here, when the whole log was read. Nothing
/// on disk is changed; any thread at once, beside a live writer. Errors: `invalid`, `not_found`,
/// `unsupported`, `io`. Damage is none: look at `findings` of the report.
template <typename Found = detail::nothing, typename Progress = detail::nothing>
::wal_verify_report verify(const std::filesystem::path& path, Found&& found = {},
                           Progress&& progress = {}) {
    return detail::verify_as(path, found, progress, detail::raise{});
}
inline ::wal_verify_report verify(const std::filesystem::path& path, std::error_code& ec) {
    detail::nothing silent;
    return detail::verify_as(path, silent, silent, detail::tell{ec});
}
template <typename Found, typename Progress>
::wal_verify_report verify(const std::filesystem::path& path, Found&& found, Progress&& progress,
                           std::error_code& ec) {
    return detail::verify_as(path, found, progress, detail::tell{ec});
}

/// Whether a repair only tells what it would do.
enum class repair_mode { dry_run, change_files };

/// Salvages the log at `path`: cuts away what is damaged and keeps copies of the changed files.
/// Calls `line(const repair_line&)` for everything done, on the calling thread; what it throws goes
/// on from here, when the repair is over.
///
/// When this returns, the repaired log survives power loss. Reads the whole log. Errors: `invalid`,
/// `not_found`, `locked` while a writer holds the log, `unsupported`, `full`, `io`, `corrupt` when
/// nothing can be salvaged.
template <typename F = detail::nothing>
::wal_repair_report repair(const std::filesystem::path& path, repair_mode mode, F&& line = {}) {
    return detail::repair_as(path, mode == repair_mode::dry_run, line, detail::raise{});
}
inline ::wal_repair_report repair(const std::filesystem::path& path, repair_mode mode,
                                  std::error_code& ec) {
    detail::nothing silent;
    return detail::repair_as(path, mode == repair_mode::dry_run, silent, detail::tell{ec});
}
template <typename F>
::wal_repair_report repair(const std::filesystem::path& path, repair_mode mode, F&& line,
                           std::error_code& ec) {
    return detail::repair_as(path, mode == repair_mode::dry_run, line, detail::tell{ec});
}

/// Removes the log at `path`, and the directory if nothing foreign is in it. When this returns, it
/// is gone. Errors: `invalid`, `not_found`, `locked` while a writer holds it, `io`.
inline void destroy(const std::filesystem::path& path) {
    detail::destroy_as(path, detail::raise{});
}
inline void destroy(const std::filesystem::path& path, std::error_code& ec) noexcept {
    detail::destroy_as(path, detail::tell{ec});
}

/// How much of what the library does is heard of.
enum class verbosity : std::int32_t {
    off = WAL_LOG_OFF,
    error = WAL_LOG_ERROR,
    warn = WAL_LOG_WARN,
    info = WAL_LOG_INFO,
    debug = WAL_LOG_DEBUG,
    trace = WAL_LOG_TRACE,
};

/// Gets one event: its level, the part of the library it comes from, its text. Both texts are valid
/// during the call.
using log_listener = std::function<void(verbosity, std::string_view, std::string_view)>;

namespace detail {

inline void on_event(std::int32_t level, const char* target, const char* message,
                     void* payload) noexcept {
    (*static_cast<const log_listener*>(payload))(static_cast<verbosity>(level), target, message);
}

/// A listener is never freed: a call may still be running when another one takes its place.
inline log_listener* keep(log_listener listener) {
    static std::mutex mutex;
    static auto& kept = *new std::vector<std::unique_ptr<log_listener>>();
    const std::lock_guard<std::mutex> lock(mutex);
    kept.push_back(std::make_unique<log_listener>(std::move(listener)));
    return kept.back().get();
}

}  // namespace detail

/// Has `listener` called for every event of the library up to `level`, for all logs of the process;
/// an empty one, or `verbosity::off`, ends it. Without a listener the library is silent.
///
/// The listener runs on any thread, several at once, in the middle of the library's work: it must
/// be quick, must not call the library, and must not throw (`std::terminate`). Each one given is
/// kept until the process ends. Errors: `invalid`.
inline void listen_to_events(verbosity level, log_listener listener) {
    detail::reason why;
    void* payload = listener ? detail::keep(std::move(listener)) : nullptr;
    const wal_log_fn callback = payload == nullptr ? nullptr : detail::on_event;
    detail::raise{}(
        wal_set_log_callback(static_cast<std::int32_t>(level), callback, payload, why.out()), why);
}

/// The version of the library that runs, such as "0.1.0". Any thread; never fails.
[[nodiscard]] inline std::string_view version() noexcept { return wal_version(); }

}  // namespace wal

#endif
