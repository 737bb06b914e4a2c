#ifndef WAL_OPTIONS_HPP
#define WAL_OPTIONS_HPP

// How logs are opened, records appended, positions named. Included by wal.hpp.

#include <chrono>
#include <cstdint>
#include <optional>

#include "../wal.h"

#include "bytes.hpp"

namespace wal {

/// Commit times: nanoseconds since 1970.
using timestamp = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

/// For waits that have no end.
inline constexpr std::chrono::milliseconds forever{-1};

/// What an acknowledgement promises.
enum class level : std::int32_t {
    /// The log's own level; in `options`, the default: disk.
    log_default = WAL_LEVEL_DEFAULT,
    /// The record is in the engine's memory; it is lost with the process.
    buffered = WAL_LEVEL_BUFFERED,
    /// The record was given to the kernel; it survives the death of the process.
    os = WAL_LEVEL_OS,
    /// The record survives power loss.
    disk = WAL_LEVEL_DISK,
};

/// What happens to an append that finds the log at `options::max_bytes`.
enum class at_capacity : std::int32_t {
    reject = WAL_AT_CAPACITY_REJECT,
    block = WAL_AT_CAPACITY_BLOCK,
    trim_oldest = WAL_AT_CAPACITY_TRIM_OLDEST,
};

/// How the active segment is written.
enum class io : std::int32_t {
    automatic = WAL_IO_AUTO,
    buffered = WAL_IO_BUFFERED,
    direct = WAL_IO_DIRECT,
};

/// How records of sealed segments are read.
enum class read_mode : std::int32_t {
    /// Without copying; a device error while reading is a signal (SIGBUS).
    map = WAL_READ_MODE_MAP,
    /// With a copy; every failure is an error.
    pread = WAL_READ_MODE_PREAD,
};

/// How a log is opened. What is not set is the library's default; most programs set nothing, or the
/// level. `wal_options` in wal.h explains each.
struct options {
    std::optional<wal::level> level{};
    std::optional<std::chrono::milliseconds> sync_every{};
    std::optional<std::uint64_t> sync_bytes{};
    std::optional<std::uint64_t> segment_bytes{};
    std::optional<std::uint64_t> record_bytes_max{};
    std::optional<std::uint64_t> batch_bytes_max{};
    std::optional<std::uint64_t> ring_bytes{};
    std::optional<std::chrono::microseconds> max_batch_delay{};
    std::optional<std::uint64_t> max_batch_bytes{};
    std::optional<std::uint64_t> max_bytes{};
    std::optional<wal::at_capacity> at_capacity{};
    std::optional<wal::io> io{};
    std::optional<std::uint64_t> retention_bytes{};
    std::optional<std::chrono::milliseconds> retention_age{};
    std::optional<std::uint64_t> retention_records{};
    std::optional<std::chrono::milliseconds> lock_wait{};
    std::optional<lsn> first_lsn{};
    std::optional<bool> create{};
    std::optional<wal::read_mode> read_mode{};
    std::optional<bool> pad_to_block{};
};

/// What one batch asks for beyond the log's options.
struct append_options {
    wal::level level = wal::level::log_default;
    /// How long to wait for room: `forever`, zero for not at all (`errc::would_block`), else at
    /// most this long (`errc::timeout`).
    std::chrono::milliseconds wait = forever;
    /// The commit time to record, for copies and imports; the clock's if there is none.
    std::optional<timestamp> time{};
};

/// Where a cursor, follower or replay starts.
class position {
public:
    /// The first record there is.
    static position first() noexcept { return {WAL_FROM_FIRST, 0}; }
    /// The record with this LSN, or where it will be, for the next LSN.
    static position at(lsn record) noexcept { return {WAL_FROM_LSN, record}; }
    /// After the last record.
    static position end() noexcept { return {WAL_FROM_END, 0}; }
    /// The first record committed at this time or later.
    static position at_time(timestamp time) noexcept {
        return {WAL_FROM_TIME, static_cast<std::uint64_t>(time.time_since_epoch().count())};
    }

    /// As the C ABI takes it: one of `enum wal_from`, and its number.
    [[nodiscard]] std::int32_t from() const noexcept { return from_; }
    [[nodiscard]] std::uint64_t number() const noexcept { return number_; }

private:
    position(std::int32_t from, std::uint64_t number) noexcept : from_(from), number_(number) {}

    std::int32_t from_;
    std::uint64_t number_;
};

namespace detail {

template <typename T, typename U>
void set(T& field, const std::optional<U>& value) noexcept {
    if (value) field = static_cast<T>(*value);
}

template <typename T, typename Rep, typename Period>
void set(T& field, const std::optional<std::chrono::duration<Rep, Period>>& value) noexcept {
    // A negative one is as long as there is.
    if (value) field = static_cast<T>(value->count());
}

inline wal_options of(const options& from) noexcept {
    wal_options to{};
    wal_options_init(&to, sizeof to);
    set(to.level, from.level);
    set(to.sync_every_ms, from.sync_every);
    set(to.sync_bytes, from.sync_bytes);
    set(to.segment_bytes, from.segment_bytes);
    set(to.record_bytes_max, from.record_bytes_max);
    set(to.batch_bytes_max, from.batch_bytes_max);
    set(to.ring_bytes, from.ring_bytes);
    set(to.max_batch_delay_us, from.max_batch_delay);
    set(to.max_batch_bytes, from.max_batch_bytes);
    set(to.max_bytes, from.max_bytes);
    set(to.at_capacity, from.at_capacity);
    set(to.io, from.io);
    set(to.retention_bytes, from.retention_bytes);
    set(to.retention_age_ms, from.retention_age);
    set(to.retention_records, from.retention_records);
    set(to.lock_wait_ms, from.lock_wait);
    set(to.first_lsn, from.first_lsn);
    set(to.create, from.create);
    set(to.read_mode, from.read_mode);
    set(to.pad_to_block, from.pad_to_block);
    return to;
}

inline wal_append_options of(const append_options& from) noexcept {
    wal_append_options to{};
    wal_append_options_init(&to, sizeof to);
    to.level = static_cast<std::int32_t>(from.level);
    to.wait_ms = from.wait.count();
    if (from.time) to.time_ns = from.time->time_since_epoch().count();
    return to;
}

inline timestamp time_of(std::int64_t nanoseconds) noexcept {
    return timestamp(std::chrono::nanoseconds(nanoseconds));
}

/// A struct of the C ABI that the library fills.
template <typename T>
T sized() noexcept {
    T filled{};
    filled.struct_size = sizeof(T);
    return filled;
}

}  // namespace detail
}  // namespace wal

#endif
