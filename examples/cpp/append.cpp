// Appends a few records and reads them back. When append returns, the record is on disk.
//
//     ./append DIRECTORY

#include <cstdio>
#include <exception>

#include <wal.hpp>

static void append_and_read(const char* directory) {
    const wal::log log = wal::log::open(directory);
    for (const char* event : {"order placed", "order paid", "order shipped"}) {
        const wal::lsn lsn = log.append(event);
        std::printf("%ju: %s\n", static_cast<std::uintmax_t>(lsn),
                    log.read(lsn).bytes().to_string().c_str());
    }
    // Closing syncs whatever is left and tells whether that worked; destroying only tries.
    log.close();
}

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    try {
        append_and_read(argv[1]);
    } catch (const std::exception& why) {
        // Says what failed, where, and what to do about it.
        std::fprintf(stderr, "%s\n", why.what());
        return 1;
    }
    return 0;
}
