#ifndef CONFORMANCE_CONTENT_HPP
#define CONFORMANCE_CONTENT_HPP

// Bytes that writer and reader agree on without telling each other.

#include <cstdint>
#include <string>

#include <wal.hpp>

/// The CRC-32 of zlib, going on from `before`.
std::uint32_t crc32_of(std::uint32_t before, wal::bytes_view bytes);

/// The numbers of `pattern:SEED`.
class numbers {
public:
    explicit numbers(std::uint64_t seed);
    std::uint32_t draw();

private:
    std::uint32_t state_;
};

std::string pattern(std::uint64_t seed, std::uint64_t len);

/// What the record with this LSN holds.
std::string record_of(wal::lsn lsn);

#endif
