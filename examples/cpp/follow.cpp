// Follows a log: one thread appends, another one gets each record as soon as it is durable.
//
//     ./follow DIRECTORY
//
// The loop of the follower ends when the log is closed and everything in it was delivered.

#include <cstdio>
#include <exception>
#include <future>
#include <string>

#include <wal.hpp>

static void follow(wal::follower follower) {
    for (const wal::record& record : follower) {
        std::printf("%ju: %s\n", static_cast<std::uintmax_t>(record.lsn()),
                    record.bytes().to_string().c_str());
    }
}

static void append_while_somebody_follows(const char* directory) {
    const wal::log log = wal::log::open(directory);
    // A future, so that what the follower throws is not lost with its thread.
    std::future<void> following = std::async(std::launch::async, follow, log.open_follower());
    for (int i = 1; i <= 5; i++) log.append("event " + std::to_string(i));
    log.close();
    following.get();
}

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    try {
        append_while_somebody_follows(argv[1]);
    } catch (const std::exception& why) {
        std::fprintf(stderr, "%s\n", why.what());
        return 1;
    }
    return 0;
}
