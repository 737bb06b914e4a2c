#ifndef WAL_ERROR_HPP
#define WAL_ERROR_HPP

// What a failed call tells, as an exception or as a std::error_code. Included by wal.hpp.

#include <cstdint>
#include <optional>
#include <string>
#include <system_error>

#include "../wal.h"

#include "bytes.hpp"

namespace wal {

/// What went wrong, one value per thing a caller can do about it; the numbers of `enum wal_code`,
/// where each is explained. Compares with `std::error_code`: `if (ec == wal::errc::conflict)`.
enum class errc : int {
    invalid = WAL_ERR_INVALID,
    not_found = WAL_ERR_NOT_FOUND,
    trimmed = WAL_ERR_TRIMMED,
    truncated = WAL_ERR_TRUNCATED,
    conflict = WAL_ERR_CONFLICT,
    closed = WAL_ERR_CLOSED,
    locked = WAL_ERR_LOCKED,
    full = WAL_ERR_FULL,
    timeout = WAL_ERR_TIMEOUT,
    would_block = WAL_ERR_WOULD_BLOCK,
    poisoned = WAL_ERR_POISONED,
    io = WAL_ERR_IO,
    corrupt = WAL_ERR_CORRUPT,
    unsupported = WAL_ERR_UNSUPPORTED,
    forked = WAL_ERR_FORKED,
    internal = WAL_ERR_INTERNAL,
    panic = WAL_ERR_PANIC,
};

namespace detail {

class category final : public std::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "wal"; }

    /// What the code means and what the caller can do.
    [[nodiscard]] std::string message(int code) const override { return wal_code_text(code); }

    /// So that `ec == std::errc::timed_out` holds where the standard has a word for it.
    [[nodiscard]] std::error_condition default_error_condition(int code) const noexcept override {
        switch (static_cast<errc>(code)) {
            case errc::invalid: return std::errc::invalid_argument;
            case errc::not_found: return std::errc::no_such_file_or_directory;
            case errc::locked: return std::errc::device_or_resource_busy;
            case errc::full: return std::errc::no_space_on_device;
            case errc::timeout: return std::errc::timed_out;
            case errc::would_block: return std::errc::operation_would_block;
            case errc::io: return std::errc::io_error;
            case errc::unsupported: return std::errc::not_supported;
            default: return {code, *this};
        }
    }
};

}  // namespace detail

/// The category of every code of this library. One for the whole process; any thread.
inline const std::error_category& wal_category() noexcept {
    static const detail::category category;
    return category;
}

/// How `errc` becomes a `std::error_code`, also by itself.
inline std::error_code make_error_code(errc code) noexcept {
    return {static_cast<int>(code), wal_category()};
}

/// Why a call failed: `code()` and `kind()` say what to do, the rest says where it happened.
class error : public std::system_error {
public:
    explicit error(const wal_error& told)
        : std::system_error(told.code, wal_category(), told.message),
          os_errno_(told.os_errno),
          lsn_(told.lsn),
          segment_(told.segment),
          offset_(told.offset) {}

    /// Without a place: what became of an append that nobody waited for.
    error(errc code, int os_errno, const char* message)
        : std::system_error(make_error_code(code), message), os_errno_(os_errno) {}

    [[nodiscard]] errc kind() const noexcept { return static_cast<errc>(code().value()); }

    /// The LSN the kind speaks of: the first record still there (`trimmed`), the last one
    /// (`truncated`), the next one (`conflict`).
    [[nodiscard]] std::optional<wal::lsn> lsn() const noexcept { return if_any(lsn_); }
    [[nodiscard]] std::optional<std::uint64_t> segment() const noexcept { return if_any(segment_); }
    /// Where in the segment's file, if there is a segment.
    [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }
    /// The system's error number, 0 unless the system refused.
    [[nodiscard]] int os_errno() const noexcept { return os_errno_; }

private:
    static std::optional<std::uint64_t> if_any(std::uint64_t number) noexcept {
        return number == 0 ? std::nullopt : std::make_optional(number);
    }

    int os_errno_ = 0;
    std::uint64_t lsn_ = 0;
    std::uint64_t segment_ = 0;
    std::uint64_t offset_ = 0;
};

namespace detail {

/// Where a call tells why it failed. The text is not cleared: it would cost as much as an append.
class reason {
public:
    reason() noexcept {
        told_.struct_size = sizeof told_;
        told_.code = WAL_OK;
    }
    wal_error* out() noexcept { return &told_; }
    [[nodiscard]] const wal_error& told() const noexcept { return told_; }

private:
    wal_error told_;
};

/// Throws what a call told. Every operation is written once, with a last argument that says what
/// a failure becomes: this, or `tell`.
struct raise {
    static constexpr bool is_silent = false;
    void operator()(std::int32_t code, const reason& why) const {
        if (code == WAL_OK) return;
        // The size of the error was refused, or nothing could be told.
        if (why.told().code != code) throw error(static_cast<errc>(code), 0, wal_code_name(code));
        throw error(why.told());
    }
};

/// Notes the code of a failure, and success as well.
struct tell {
    static constexpr bool is_silent = true;
    std::error_code& ec;
    void operator()(std::int32_t code, const reason& /*why*/) const noexcept {
        if (code == WAL_OK) ec.clear();
        else ec = make_error_code(static_cast<errc>(code));
    }
};

inline std::optional<lsn> if_any(lsn number) noexcept {
    return number == 0 ? std::nullopt : std::make_optional(number);
}

}  // namespace detail
}  // namespace wal

template <>
struct std::is_error_code_enum<wal::errc> : std::true_type {};

#endif
