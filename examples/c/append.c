/* Appends a few records and reads them back. When wal_append returns WAL_OK, the record is on disk.
 *
 *     ./append DIRECTORY
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <wal.h>

/* Says what failed and where; what to do about it stands with the code in the header. */
static int complain(const char *doing, const wal_error *err) {
    fprintf(stderr, "%s: %s (%s)\n", doing, err->message, wal_code_name(err->code));
    return 1;
}

static int append_and_read(const wal_log *log, wal_error *err) {
    static const char *const events[] = {"order placed", "order paid", "order shipped"};
    size_t i;
    for (i = 0; i < sizeof events / sizeof *events; i++) {
        uint64_t lsn = 0;
        char buffer[64];
        size_t len = 0;
        if (wal_append(log, events[i], strlen(events[i]), WAL_LEVEL_DEFAULT, &lsn, err) != WAL_OK) {
            return complain("append", err);
        }
        if (wal_read(log, lsn, buffer, sizeof buffer, &len, err) != WAL_OK) {
            return complain("read", err);
        }
        printf("%" PRIu64 ": %.*s\n", lsn, (int)len, buffer);
    }
    return 0;
}

int main(int argc, char **argv) {
    wal_error err = WAL_ERROR_INIT;
    wal_log *log = NULL;
    int status;
    if (argc != 2) {
        fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    if (wal_open(argv[1], NULL, &log, NULL, &err) != WAL_OK) {
        return complain("open", &err);
    }
    status = append_and_read(log, &err);
    /* Closing syncs whatever is left and tells whether that worked; releasing only frees. */
    if (wal_close(log, &err) != WAL_OK && status == 0) {
        status = complain("close", &err);
    }
    wal_release(log);
    return status;
}
