// What the same work costs in C++: `wal-bench languages` asks (see bench/README.md).
//
// Reads lines `WORKLOAD DIRECTORY`, answers with `RECORDS NANOSECONDS` or `none`.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <exception>
#include <functional>
#include <future>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "wal.hpp"

namespace {

constexpr std::size_t BATCH = 1000;
constexpr std::size_t BURST = 20'000;
constexpr std::size_t BURSTS = 20;
constexpr std::size_t READ = 100'000;
constexpr std::size_t PASSES = 3;
constexpr std::size_t OS = 20'000;
constexpr std::size_t DURABLE = 300;
constexpr std::size_t DURABLE_BATCHES = 50;
constexpr std::size_t ASYNC = 40'000;
constexpr std::size_t IN_FLIGHT = 256;

using std::chrono::nanoseconds;
using clock_type = std::chrono::steady_clock;

struct answer {
    std::size_t records;
    nanoseconds taken;
};

const std::string RECORD(100, 'r');
const std::vector<std::string_view> RECORDS(BATCH, RECORD);

wal::append_options to_memory() {
    wal::append_options how;
    how.level = wal::level::buffered;
    return how;
}

std::string packed() {
    const std::size_t padding = (8 - RECORD.size() % 8) % 8;
    std::string bytes;
    for (std::size_t n = 0; n < BATCH; n++) {
        // The layout is little endian: the length fits one byte.
        bytes += static_cast<char>(RECORD.size());
        bytes += std::string(15, '\0') + RECORD + std::string(padding, '\0');
    }
    return bytes;
}

// In bursts that fit into memory: what the disk does in between is not counted.
answer bursts(const wal::log& log, std::size_t calls, const std::function<void()>& call) {
    nanoseconds taken{};
    for (std::size_t burst = 0; burst < BURSTS; burst++) {
        const auto started = clock_type::now();
        for (std::size_t n = 0; n < calls; n++) {
            call();
        }
        taken += clock_type::now() - started;
        log.sync();
    }
    return {BURSTS * BURST, taken};
}

answer reads(const wal::log& log, const std::function<std::size_t()>& pass) {
    for (std::size_t n = 0; n < READ / BATCH; n++) {
        log.append_batch(RECORDS, to_memory());
    }
    log.sync();
    const auto started = clock_type::now();
    for (std::size_t n = 0; n < PASSES; n++) {
        if (pass() != READ) {
            throw std::runtime_error("not every record was read");
        }
    }
    return {PASSES * READ, clock_type::now() - started};
}

answer in_flight(const wal::log& log) {
    const auto started = clock_type::now();
    std::deque<std::future<wal::lsn>> futures;
    for (std::size_t n = 0; n < ASYNC; n++) {
        if (futures.size() == IN_FLIGHT) {
            futures.front().get();
            futures.pop_front();
        }
        futures.push_back(log.append_async(RECORD));
    }
    for (auto& future : futures) {
        future.get();
    }
    return {ASYNC, clock_type::now() - started};
}

// One after the other, each waited for.
answer appends(const wal::log& log, std::size_t count, wal::level at) {
    const auto started = clock_type::now();
    for (std::size_t n = 0; n < count; n++) {
        log.append(RECORD, at);
    }
    return {count, clock_type::now() - started};
}

answer durable_batches(const wal::log& log) {
    const auto started = clock_type::now();
    for (std::size_t n = 0; n < DURABLE_BATCHES; n++) {
        log.append_batch(RECORDS);
    }
    return {DURABLE_BATCHES * BATCH, clock_type::now() - started};
}

std::size_t read(const wal::log& log) {
    std::size_t bytes = 0;
    wal::cursor cursor = log.open_cursor();
    for (const wal::record& record : cursor) {
        bytes += record.bytes().size();
    }
    return bytes / RECORD.size();
}

std::size_t read_packed(const wal::log& log) {
    std::vector<std::byte> buffer(256 * 1024);
    std::size_t records = 0;
    wal::cursor cursor = log.open_cursor();
    for (auto found = cursor.read_packed(buffer); !found.empty();
         found = cursor.read_packed(buffer)) {
        records += found.size();
    }
    return records;
}

const std::map<std::string, std::function<answer(const wal::log&)>, std::less<>> WORKLOADS = {
    {"append",
     [](const wal::log& log) {
         // Called without a function in between, as a program does.
         nanoseconds taken{};
         for (std::size_t burst = 0; burst < BURSTS; burst++) {
             const auto started = clock_type::now();
             for (std::size_t n = 0; n < BURST; n++) {
                 log.append(RECORD, wal::level::buffered);
             }
             taken += clock_type::now() - started;
             log.sync();
         }
         return answer{BURSTS * BURST, taken};
     }},
    {"batch",
     [](const wal::log& log) {
         return bursts(log, BURST / BATCH, [&] { log.append_batch(RECORDS, to_memory()); });
     }},
    {"packed",
     [](const wal::log& log) {
         const std::string bytes = packed();
         return bursts(log, BURST / BATCH,
                       [&] { log.append_packed(bytes, wal::level::buffered); });
     }},
    {"read", [](const wal::log& log) { return reads(log, [&] { return read(log); }); }},
    {"read-packed",
     [](const wal::log& log) { return reads(log, [&] { return read_packed(log); }); }},
    {"os", [](const wal::log& log) { return appends(log, OS, wal::level::os); }},
    {"durable", [](const wal::log& log) { return appends(log, DURABLE, wal::level::disk); }},
    {"durable-batch", durable_batches},
    {"async", in_flight},
};

}  // namespace

int main() {
    try {
        for (std::string line; std::getline(std::cin, line);) {
            const auto space = line.find(' ');
            const auto workload = WORKLOADS.find(line.substr(0, space));
            if (space == std::string::npos || workload == WORKLOADS.end()) {
                std::cout << "none" << std::endl;
                continue;
            }
            const wal::log log = wal::log::open(line.substr(space + 1));
            const answer found = workload->second(log);
            log.close();
            std::cout << found.records << ' ' << found.taken.count() << std::endl;
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "measure: %s\n", error.what());
        return 1;
    }
    return 0;
}
