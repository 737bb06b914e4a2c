#ifndef WAL_CALLS_HPP
#define WAL_CALLS_HPP

// The calls of `log`, each written once: converted, made, and its failure handed to `fail`, which
// throws it or notes it (`raise` and `tell`). Included by wal.hpp; nothing here is for programs.

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../wal.h"

#include "cursor.hpp"
#include "error.hpp"
#include "options.hpp"
#include "telling.hpp"

namespace wal {

/// What a parallel replay keeps in order.
enum class order { of_segments, of_log };

}  // namespace wal

namespace wal::detail {

inline std::int32_t number(level of) noexcept { return static_cast<std::int32_t>(of); }

template <typename Fail>
lsn append(const wal_log* log, bytes_view record, level at, Fail fail) noexcept(Fail::is_silent) {
    lsn appended = 0;
    reason why;
    fail(wal_append(log, record.data(), record.size(), number(at), &appended, why.out()), why);
    return appended;
}

template <typename Fail>
lsn submit(const wal_log* log, bytes_view record, level at, Fail fail) noexcept(Fail::is_silent) {
    lsn submitted = 0;
    reason why;
    fail(wal_submit(log, record.data(), record.size(), number(at), &submitted, why.out()), why);
    return submitted;
}

template <typename Fail>
void append_at(const wal_log* log, lsn expected, bytes_view record, level at,
               Fail fail) noexcept(Fail::is_silent) {
    reason why;
    fail(wal_append_at(log, expected, record.data(), record.size(), number(at), why.out()), why);
}

template <typename Pieces, typename Fail>
lsn append_pieces(const wal_log* log, const Pieces& given, level at, Fail fail) {
    const std::vector<wal_slice> pieces = slices(given);
    lsn appended = 0;
    reason why;
    fail(wal_append_v(log, pieces.data(), pieces.size(), number(at), &appended, why.out()), why);
    return appended;
}

using batch_function = std::int32_t (*)(const wal_log*, const wal_slice*, std::size_t,
                                        const wal_append_options*, std::uint64_t*, std::uint64_t*,
                                        wal_error*);

template <typename Records, typename Fail>
lsn_range batch(const wal_log* log, batch_function how, const Records& given,
                const append_options& options, Fail fail) {
    const std::vector<wal_slice> records = slices(given);
    const wal_append_options asked = of(options);
    lsn_range lsns;
    reason why;
    fail(how(log, records.data(), records.size(), &asked, &lsns.first, &lsns.last, why.out()), why);
    return lsns;
}

using packed_function = std::int32_t (*)(const wal_log*, const void*, std::size_t, std::int32_t,
                                         std::uint64_t*, std::uint64_t*, wal_error*);

template <typename Fail>
lsn_range packed(const wal_log* log, packed_function how, bytes_view bytes, level at,
                 Fail fail) noexcept(Fail::is_silent) {
    lsn_range lsns;
    reason why;
    fail(how(log, bytes.data(), bytes.size(), number(at), &lsns.first, &lsns.last, why.out()), why);
    return lsns;
}

template <typename Fail>
std::optional<lsn> wait_durable(const wal_log* log, lsn record, std::chrono::milliseconds timeout,
                                Fail fail) noexcept(Fail::is_silent) {
    lsn durable = 0;
    reason why;
    std::int32_t code = wal_wait_durable(log, record, timeout.count(), &durable, why.out());
    if (code == WAL_ERR_TIMEOUT) code = WAL_OK;
    fail(code, why);
    return if_any(durable);
}

template <typename Fail>
std::optional<lsn> sync(const wal_log* log, Fail fail) noexcept(Fail::is_silent) {
    lsn durable = 0;
    reason why;
    fail(wal_sync(log, &durable, why.out()), why);
    return if_any(durable);
}

template <typename Fail>
record read(const wal_log* log, lsn at, Fail fail) noexcept(Fail::is_silent) {
    wal_record* found = nullptr;
    reason why;
    fail(wal_record_open(log, at, &found, why.out()), why);
    return record(found);
}

template <typename Fail>
std::size_t read_into(const wal_log* log, lsn at, void* buffer, std::size_t capacity,
                      Fail fail) noexcept(Fail::is_silent) {
    std::size_t len = 0;
    reason why;
    std::int32_t code = wal_read(log, at, buffer, capacity, &len, why.out());
    // The length says that it did not fit.
    if (code == WAL_ERR_FULL && len > capacity) code = WAL_OK;
    fail(code, why);
    return len;
}

template <typename Fail>
timestamp time_of(const wal_log* log, lsn at, Fail fail) noexcept(Fail::is_silent) {
    std::int64_t time_ns = 0;
    reason why;
    fail(wal_time_of(log, at, &time_ns, why.out()), why);
    return time_of(time_ns);
}

/// Opens what begins at a position: a cursor or a follower.
template <typename T, typename C, typename Fail>
T open_at(const wal_log* log,
          std::int32_t (*how)(const wal_log*, std::int32_t, std::uint64_t, C**, wal_error*),
          position from, Fail fail) noexcept(Fail::is_silent) {
    C* found = nullptr;
    reason why;
    fail(how(log, from.from(), from.number(), &found, why.out()), why);
    return T(found);
}

/// Opens what has a descriptor: a notifier or completions.
template <typename T, typename C, typename Fail>
T open(const wal_log* log, std::int32_t (*how)(const wal_log*, C**, wal_error*),
       Fail fail) noexcept(Fail::is_silent) {
    C* found = nullptr;
    reason why;
    fail(how(log, &found, why.out()), why);
    return T(found);
}

/// What a replay calls: `payload` is a `guarded<F>`.
template <typename F>
std::int32_t on_replayed(std::uint64_t at, const void* data, std::size_t len, std::uint32_t flags,
                         void* payload) noexcept {
    const record_view found{at, {data, len}, (flags & WAL_PACKED_BATCH_CONTINUES) != 0};
    return static_cast<guarded<F>*>(payload)->call(found) ? 0 : 1;
}

template <typename F, typename Fail>
std::optional<lsn> replay(const wal_log* log, position from, F& f, Fail fail) {
    guarded<F> callee(f);
    lsn last = 0;
    reason why;
    const std::int32_t code = wal_replay(log, from.from(), from.number(), on_replayed<F>, &callee,
                                         &last, why.out());
    callee.rethrow();
    fail(code, why);
    return if_any(last);
}

template <typename F, typename Fail>
std::uint64_t replay_parallel(const wal_log* log, position from, std::uint32_t threads, order kept,
                              F& f, Fail fail) {
    guarded<F> callee(f, kept == order::of_log);
    std::uint64_t count = 0;
    reason why;
    const std::int32_t code =
        wal_replay_parallel(log, from.from(), from.number(), threads, kept == order::of_log ? 1 : 0,
                            on_replayed<F>, &callee, &count, why.out());
    callee.rethrow();
    fail(code, why);
    return count;
}

template <typename Fail>
std::optional<lsn> trim(const wal_log* log, lsn before, Fail fail) noexcept(Fail::is_silent) {
    lsn first = 0;
    reason why;
    fail(wal_trim(log, before, &first, why.out()), why);
    return if_any(first);
}

template <typename Fail>
::wal_copy_report copy_to(const wal_log* log, const std::filesystem::path& path,
                          Fail fail) noexcept(Fail::is_silent) {
    auto report = sized<::wal_copy_report>();
    reason why;
    fail(wal_copy_to(log, path.c_str(), &report, why.out()), why);
    return report;
}

template <typename Fail>
subscription on_durable(const wal_log* log, std::function<void(lsn)> durable,
                        std::function<void(const error&)> failed, Fail fail) {
    auto listener = std::make_unique<durable_listener>(std::move(durable), std::move(failed));
    const wal_durable_fn callback = listener->is_empty() ? nullptr : durable_listener::told;
    wal_subscription* opened = nullptr;
    reason why;
    const std::int32_t code = wal_on_durable(log, callback, listener.get(),
                                             durable_listener::dropped, &opened, why.out());
    // A refused one stays ours; the library gives the other one back when it is done.
    if (code == WAL_OK) static_cast<void>(listener.release());
    fail(code, why);
    return subscription(opened);
}

template <typename Fail>
::wal_stats stats(const wal_log* log, Fail fail) noexcept(Fail::is_silent) {
    auto found = sized<::wal_stats>();
    reason why;
    fail(wal_stats_read(log, &found, why.out()), why);
    return found;
}

template <typename Fail>
std::vector<::wal_segment> segments(const wal_log* log, Fail fail) {
    std::vector<::wal_segment> found;
    auto add = [&found](const ::wal_segment& segment) { found.push_back(segment); };
    guarded<decltype(add)> callee(add);
    const auto on_segment = [](const ::wal_segment* segment, void* payload) -> std::int32_t {
        return static_cast<guarded<decltype(add)>*>(payload)->call(*segment) ? 0 : 1;
    };
    reason why;
    const std::int32_t code = wal_stats_segments(log, on_segment, &callee, why.out());
    callee.rethrow();
    fail(code, why);
    return found;
}

template <typename Fail>
std::filesystem::path path(const wal_log* log, Fail fail) {
    std::string text(256, '\0');
    std::size_t len = 0;
    reason why;
    std::int32_t code = wal_path(log, text.data(), text.size(), &len, why.out());
    if (code == WAL_ERR_FULL) {
        text.resize(len);
        code = wal_path(log, text.data(), text.size(), &len, why.out());
    }
    fail(code, why);
    text.resize(code == WAL_OK ? len : 0);
    return text;
}

template <typename Fail>
std::array<std::byte, 16> uuid(const wal_log* log, Fail fail) noexcept(Fail::is_silent) {
    std::array<std::byte, 16> found{};
    reason why;
    fail(wal_uuid(log, found.data(), why.out()), why);
    return found;
}

}  // namespace wal::detail

#endif
