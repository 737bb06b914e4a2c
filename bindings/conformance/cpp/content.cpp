#include "content.hpp"

#include <array>

static std::array<std::uint32_t, 256> table_of_crc() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t byte = 0; byte < table.size(); byte++) {
        std::uint32_t rest = byte;
        for (int bit = 0; bit < 8; bit++) {
            rest = (rest & 1U) != 0 ? rest >> 1 ^ 0xEDB88320U : rest >> 1;
        }
        table[byte] = rest;
    }
    return table;
}

std::uint32_t crc32_of(std::uint32_t before, wal::bytes_view bytes) {
    static const std::array<std::uint32_t, 256> table = table_of_crc();
    std::uint32_t crc = ~before;
    for (const std::byte byte : bytes) {
        crc = table[(crc ^ std::to_integer<std::uint32_t>(byte)) & 255U] ^ crc >> 8;
    }
    return ~crc;
}

numbers::numbers(std::uint64_t seed) : state_(static_cast<std::uint32_t>(seed) * 2654435761U + 1) {
    if (state_ == 0) state_ = 1;
}

std::uint32_t numbers::draw() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 17;
    state_ ^= state_ << 5;
    return state_;
}

std::string pattern(std::uint64_t seed, std::uint64_t len) {
    numbers drawn(seed);
    std::string bytes;
    std::uint32_t number = 0;
    for (std::uint64_t at = 0; at < len; at++) {
        if (at % 4 == 0) number = drawn.draw();
        bytes.push_back(static_cast<char>(number >> 8 * (at % 4) & 255U));
    }
    return bytes;
}

std::string record_of(wal::lsn lsn) {
    const std::uint64_t len = lsn % 64 == 0 ? lsn * 977 % 5000 : lsn * 31 % 120;
    std::string bytes;
    for (unsigned at = 0; at < 8; at++) bytes.push_back(static_cast<char>(lsn >> 8 * at & 255U));
    return bytes + pattern(lsn, len);
}
