#ifndef WAL_BYTES_HPP
#define WAL_BYTES_HPP

// Some bytes of somebody else, as records and keys are handed in and out. Included by wal.hpp.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>
#if __cplusplus >= 202002L
#include <span>
#endif

#include "../wal.h"

namespace wal {

/// The number of a record; 0 is never one.
using lsn = std::uint64_t;

namespace detail {

template <typename T>
inline constexpr bool is_byte = std::is_same_v<std::remove_cv_t<T>, char> ||
                                std::is_same_v<std::remove_cv_t<T>, signed char> ||
                                std::is_same_v<std::remove_cv_t<T>, unsigned char> ||
#if defined(__cpp_char8_t)
                                std::is_same_v<std::remove_cv_t<T>, char8_t> ||
#endif
                                std::is_same_v<std::remove_cv_t<T>, std::byte>;

template <typename C, typename = void>
inline constexpr bool has_bytes = false;

/// Whatever keeps bytes in one piece: string, string_view, vector, array, span.
template <typename C>
inline constexpr bool has_bytes<C, std::void_t<decltype(std::declval<const C&>().data()),
                                               decltype(std::declval<const C&>().size())>> =
    is_byte<std::remove_pointer_t<decltype(std::declval<const C&>().data())>>;

}  // namespace detail

/// Bytes that belong to somebody else: valid as long as what they were taken from. Made from
/// strings, from vectors, arrays and spans of bytes, and from a pointer with a length.
///
/// All members are safe to call from any thread at once; none fails.
class bytes_view {
public:
    using value_type = std::byte;
    using const_iterator = const std::byte*;

    constexpr bytes_view() noexcept = default;

    /// The `size` bytes at `data`, which may be null only when there are none.
    bytes_view(const void* data, std::size_t size) noexcept
        : data_(static_cast<const std::byte*>(data)), size_(size) {}

    /// A text up to its terminating zero. For one with zeros inside, write `"a\0b"sv`.
    bytes_view(const char* text) noexcept : bytes_view(text, std::strlen(text)) {}
    bytes_view(std::nullptr_t) = delete;

    /// Whatever has `data()` and `size()` and keeps bytes in one piece.
    template <typename C,
              std::enable_if_t<detail::has_bytes<C> && !std::is_same_v<C, bytes_view>, int> = 0>
    bytes_view(const C& container) noexcept
        : bytes_view(static_cast<const void*>(container.data()), container.size()) {}

    [[nodiscard]] constexpr const std::byte* data() const noexcept { return data_; }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] constexpr const std::byte* begin() const noexcept { return data_; }
    [[nodiscard]] constexpr const std::byte* end() const noexcept { return data_ + size_; }

    /// The byte at `at`, which must be below `size()`.
    constexpr std::byte operator[](std::size_t at) const noexcept { return data_[at]; }

    /// The same bytes as text; nothing is copied.
    [[nodiscard]] std::string_view text() const noexcept {
        // A byte may be looked at as a char.
        return {reinterpret_cast<const char*>(data_), size_};
    }

    /// A copy that stays when the bytes go.
    [[nodiscard]] std::string to_string() const { return std::string(text()); }
    [[nodiscard]] std::vector<std::byte> to_vector() const { return {begin(), end()}; }

#if __cplusplus >= 202002L
    [[nodiscard]] constexpr std::span<const std::byte> span() const noexcept {
        return {data_, size_};
    }
#endif

    friend bool operator==(bytes_view left, bytes_view right) noexcept {
        return left.text() == right.text();
    }
    friend bool operator!=(bytes_view left, bytes_view right) noexcept { return !(left == right); }

private:
    const std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

/// A record that belongs to somebody else: to a packed batch, or to a replay while it calls back.
struct record_view {
    wal::lsn lsn = 0;
    bytes_view bytes;
    /// Whether the next record belongs to the same batch.
    bool batch_continues = false;
};

/// The LSNs of a batch, both included.
struct lsn_range {
    lsn first = 0;
    lsn last = 0;
};

namespace detail {

inline wal_slice slice(bytes_view bytes) noexcept { return {bytes.data(), bytes.size()}; }

/// The slices the C ABI takes, of any range whose elements are bytes.
template <typename Records>
std::vector<wal_slice> slices(const Records& records) {
    std::vector<wal_slice> found;
    found.reserve(static_cast<std::size_t>(std::size(records)));
    for (const auto& record : records) found.push_back(slice(record));
    return found;
}

/// Numbers of the packed layout are little-endian, whatever the machine.
inline std::uint64_t number_at(const std::byte* from, int len) noexcept {
    std::uint64_t number = 0;
    for (int at = len - 1; at >= 0; at--) {
        number = number << 8 | std::to_integer<std::uint64_t>(from[at]);
    }
    return number;
}

inline std::size_t packed_size(std::size_t len) noexcept {
    constexpr std::size_t align = WAL_PACKED_ALIGN;
    return (WAL_PACKED_HEADER_BYTES + len + align - 1) / align * align;
}

}  // namespace detail

/// Records in the packed layout, one after the other: what a cursor's batch read returns. Valid as
/// long as the memory it was read to, and until the next read to it.
class packed_view {
public:
    class iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = record_view;
        using difference_type = std::ptrdiff_t;
        using pointer = const record_view*;
        using reference = record_view;

        iterator() noexcept = default;
        iterator(const std::byte* at, std::size_t left) noexcept : at_(at), left_(left) {}

        record_view operator*() const noexcept {
            const auto len = static_cast<std::size_t>(detail::number_at(at_, 4));
            const std::uint64_t flags = detail::number_at(at_ + 4, 4);
            return {detail::number_at(at_ + 8, 8), {at_ + WAL_PACKED_HEADER_BYTES, len},
                    (flags & WAL_PACKED_BATCH_CONTINUES) != 0};
        }
        iterator& operator++() noexcept {
            at_ += detail::packed_size(static_cast<std::size_t>(detail::number_at(at_, 4)));
            left_--;
            return *this;
        }
        iterator operator++(int) noexcept {
            iterator before = *this;
            ++*this;
            return before;
        }
        friend bool operator==(const iterator& a, const iterator& b) noexcept {
            return a.left_ == b.left_;
        }
        friend bool operator!=(const iterator& a, const iterator& b) noexcept { return !(a == b); }

    private:
        const std::byte* at_ = nullptr;
        std::size_t left_ = 0;
    };

    packed_view() noexcept = default;
    packed_view(bytes_view bytes, std::size_t count) noexcept : bytes_(bytes), count_(count) {}

    [[nodiscard]] iterator begin() const noexcept { return {bytes_.data(), count_}; }
    [[nodiscard]] iterator end() const noexcept { return {bytes_.end(), 0}; }
    /// How many records.
    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    /// The bytes as they are.
    [[nodiscard]] bytes_view bytes() const noexcept { return bytes_; }

private:
    bytes_view bytes_;
    std::size_t count_ = 0;
};

/// Builds a batch in the packed layout, for `log::append_packed`: records are copied once, here.
/// One thread at a time.
class packed_batch {
public:
    /// Adds a record, at most 4 GiB long: the log refuses what is over its own limits.
    void add(bytes_view record) {
        const std::size_t at = bytes_.size();
        bytes_.resize(at + detail::packed_size(record.size()));
        for (std::size_t byte = 0; byte < 4; byte++) {
            bytes_[at + byte] = static_cast<std::byte>(record.size() >> 8 * byte & 0xff);
        }
        if (!record.empty()) {
            std::memcpy(&bytes_[at + WAL_PACKED_HEADER_BYTES], record.data(), record.size());
        }
        count_++;
    }
    void clear() noexcept {
        bytes_.clear();
        count_ = 0;
    }
    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    [[nodiscard]] bytes_view bytes() const noexcept { return bytes_; }

private:
    std::vector<std::byte> bytes_;
    std::size_t count_ = 0;
};

}  // namespace wal

#if __cplusplus >= 202002L
// The bytes outlive a view of them.
template <>
inline constexpr bool std::ranges::enable_borrowed_range<wal::bytes_view> = true;
#endif

#endif
