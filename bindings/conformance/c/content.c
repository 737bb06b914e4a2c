/* Bytes that writer and reader agree on without telling each other. */
#include "runner.h"

uint32_t crc32_of(uint32_t before, const void *data, size_t len) {
    static uint32_t table[256];
    if (table[1] == 0) {
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint32_t rest = byte;
            for (int bit = 0; bit < 8; bit++) rest = rest & 1 ? rest >> 1 ^ 0xEDB88320u : rest >> 1;
            table[byte] = rest;
        }
    }
    const unsigned char *bytes = data;
    uint32_t crc = ~before;
    for (size_t at = 0; at < len; at++) crc = table[(crc ^ bytes[at]) & 255] ^ crc >> 8;
    return ~crc;
}

uint32_t numbers_of(uint64_t seed) {
    uint32_t state = (uint32_t)seed * 2654435761u + 1;
    return state == 0 ? 1 : state;
}

uint32_t draw(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

void pattern(uint64_t seed, unsigned char *data, size_t len) {
    uint32_t state = numbers_of(seed);
    uint32_t number = 0;
    for (size_t at = 0; at < len; at++) {
        if (at % 4 == 0) number = draw(&state);
        data[at] = (unsigned char)(number >> 8 * (at % 4));
    }
}

size_t record_of(uint64_t lsn, unsigned char *data) {
    size_t len = (size_t)(lsn % 64 == 0 ? lsn * 977 % 5000 : lsn * 31 % 120);
    for (int at = 0; at < 8; at++) data[at] = (unsigned char)(lsn >> 8 * at);
    pattern(lsn, data + 8, len);
    return 8 + len;
}
