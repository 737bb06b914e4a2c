// Kills a writer in the middle of its work and opens its log again: every record that was
// acknowledged is there, in order, without a hole.
//
//     ./recover DIRECTORY

#include <csignal>
#include <cstdio>
#include <exception>

#include <sys/wait.h>
#include <unistd.h>

#include <wal.hpp>

/// Appends for ever, and tells each LSN through `tell` once the record is on disk.
static void write_until_killed(const char* directory, int tell) {
    const wal::log log = wal::log::open(directory);
    for (;;) {
        const wal::lsn lsn = log.append("state change", wal::level::disk);
        if (write(tell, &lsn, sizeof lsn) != static_cast<ssize_t>(sizeof lsn)) return;
    }
}

/// Rebuilds the program's state from the records; here, only counts them.
static bool recover(const char* directory, wal::lsn acknowledged) {
    const wal::log log = wal::log::open(directory);
    std::printf("recovery: %s\n", log.recovery().message);
    std::size_t count = 0;
    const wal::lsn last =
        log.replay(wal::position::first(), [&count](const wal::record_view&) { count++; })
            .value_or(0);
    std::printf("%ju acknowledged, %zu records found, the last is %ju\n",
                static_cast<std::uintmax_t>(acknowledged), count,
                static_cast<std::uintmax_t>(last));
    log.close();
    return last >= acknowledged && count == last;
}

static int kill_and_recover(const char* directory) {
    int ends[2];
    if (pipe(ends) != 0) return 1;
    const pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        write_until_killed(directory, ends[1]);
        _exit(1);
    }
    close(ends[1]);
    wal::lsn acknowledged = 0;
    wal::lsn lsn = 0;
    while (acknowledged < 200 && read(ends[0], &lsn, sizeof lsn) > 0) acknowledged = lsn;
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    while (read(ends[0], &lsn, sizeof lsn) > 0) acknowledged = lsn;
    close(ends[0]);
    if (recover(directory, acknowledged)) return 0;
    std::fprintf(stderr, "an acknowledged record is lost\n");
    return 1;
}

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    try {
        return kill_and_recover(argv[1]);
    } catch (const std::exception& why) {
        std::fprintf(stderr, "%s\n", why.what());
        return 1;
    }
}
