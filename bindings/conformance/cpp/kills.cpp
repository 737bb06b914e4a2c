// Appends records any reader can check until it is killed; checks what is there.
#include <cinttypes>
#include <cstdio>
#include <future>

#include "content.hpp"
#include "runner.hpp"

static void acknowledge(wal::lsn lsn, wal::lsn expected) {
    if (lsn != expected) throw std::runtime_error("a record got the LSN " + std::to_string(lsn));
    say("ack %" PRIu64, lsn);
    std::fflush(stdout);
}

/// One call, as `number` chooses it; returns how many records it appended.
static std::uint64_t append(const wal::log& log, wal::lsn next, std::uint32_t number) {
    if (number % 4 < 2) {
        acknowledge(log.append(record_of(next)), next);
        return 1;
    }
    const std::uint64_t count = number % 4 == 2 ? 2 + (number >> 8) % 7 : 1 + (number >> 8) % 16;
    if (number % 4 == 2) {
        std::vector<std::string> records;
        for (std::uint64_t i = 0; i < count; i++) records.push_back(record_of(next + i));
        acknowledge(log.append_batch(records).last, next + count - 1);
        return count;
    }
    std::vector<std::future<wal::lsn>> futures;
    for (std::uint64_t i = 0; i < count; i++) {
        futures.push_back(log.append_async(record_of(next + i)));
    }
    for (std::uint64_t i = 0; i < count; i++) acknowledge(futures[i].get(), next + i);
    return count;
}

int write_until_killed(const std::filesystem::path& path, std::uint64_t count, std::uint64_t seed) {
    wal::options how;
    how.segment_bytes = 65536;
    const wal::log log = wal::log::open(path, how);
    say("open %" PRIu64, log.last_lsn().value_or(0));
    std::fflush(stdout);
    const wal::lsn from = log.next_lsn();
    wal::lsn next = from;
    numbers calls(seed);
    while (count == 0 || next - from < count) next += append(log, next, calls.draw());
    log.close();
    say("done %" PRIu64, next - 1);
    return 0;
}

int read_back(const std::filesystem::path& path) {
    const auto wrong = [](wal::lsn lsn, const char* how) {
        throw std::runtime_error("record " + std::to_string(lsn) + " " + how);
    };
    const wal::log log = wal::log::open(path);
    wal::lsn first = 0;
    wal::lsn last = 0;
    std::uint32_t crc = 0;
    bool continues = false;
    for (const wal::record& record : log.open_cursor()) {
        if (last != 0 && record.lsn() != last + 1) wrong(record.lsn(), "does not follow");
        if (record.bytes() != record_of(record.lsn())) wrong(record.lsn(), "is not what it was");
        last = record.lsn();
        if (first == 0) first = last;
        crc = crc32_of(crc, record.bytes());
        continues = record.batch_continues();
    }
    if (continues) wrong(last, "is the last one, inside a batch");
    log.close();
    say("records %s %s %08" PRIx32, or_dash(first).c_str(), or_dash(last).c_str(), crc);
    return 0;
}
