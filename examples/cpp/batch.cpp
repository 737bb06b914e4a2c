// Appends records that belong together as one batch: after a crash all of them are there or none.
//
//     ./batch DIRECTORY
//
// The second half is the fast way to write many records: submit batches without waiting, then wait
// once for the last one.

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <wal.hpp>

static void transfer(const wal::log& log) {
    const wal::lsn_range lsns =
        log.append_batch({"begin transfer 17", "debit  alice 100", "credit bob   100"});
    std::printf("one batch: %ju to %ju\n", static_cast<std::uintmax_t>(lsns.first),
                static_cast<std::uintmax_t>(lsns.last));
}

static void submit_many(const wal::log& log) {
    const std::vector<std::string> records(100, "a measurement");
    wal::lsn last = 0;
    for (int i = 0; i < 100; i++) last = log.submit_batch(records).last;
    const wal::lsn durable = log.wait_durable(last).value_or(0);
    std::printf("10000 in flight, durable up to %ju\n", static_cast<std::uintmax_t>(durable));
}

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    try {
        const wal::log log = wal::log::open(argv[1]);
        transfer(log);
        submit_many(log);
        log.close();
    } catch (const std::exception& why) {
        std::fprintf(stderr, "%s\n", why.what());
        return 1;
    }
    return 0;
}
