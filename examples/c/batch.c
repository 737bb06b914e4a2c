/* Appends records that belong together as one batch: after a crash all of them are there or none.
 *
 *     ./batch DIRECTORY
 *
 * The second half is the fast way to write many records: submit batches without waiting, then wait
 * once for the last one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <wal.h>

static int complain(const char *doing, const wal_error *err) {
    fprintf(stderr, "%s: %s (%s)\n", doing, err->message, wal_code_name(err->code));
    return 1;
}

static wal_slice text(const char *bytes) {
    wal_slice slice;
    slice.data = bytes;
    slice.len = strlen(bytes);
    return slice;
}

static int transfer(const wal_log *log, wal_error *err) {
    wal_slice records[3];
    uint64_t first = 0, last = 0;
    records[0] = text("begin transfer 17");
    records[1] = text("debit  alice 100");
    records[2] = text("credit bob   100");
    if (wal_append_batch(log, records, 3, NULL, &first, &last, err) != WAL_OK) {
        return complain("append", err);
    }
    printf("one batch: %" PRIu64 " to %" PRIu64 "\n", first, last);
    return 0;
}

static int submit_many(const wal_log *log, wal_error *err) {
    wal_slice records[100];
    uint64_t last = 0, durable = 0;
    int i;
    for (i = 0; i < 100; i++) {
        records[i] = text("a measurement");
    }
    for (i = 0; i < 100; i++) {
        if (wal_submit_batch(log, records, 100, NULL, NULL, &last, err) != WAL_OK) {
            return complain("submit", err);
        }
    }
    if (wal_wait_durable(log, last, -1, &durable, err) != WAL_OK) {
        return complain("wait", err);
    }
    printf("100 batches of 100, durable up to %" PRIu64 "\n", durable);
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
    status = transfer(log, &err);
    if (status == 0) {
        status = submit_many(log, &err);
    }
    if (wal_close(log, &err) != WAL_OK && status == 0) {
        status = complain("close", &err);
    }
    wal_release(log);
    return status;
}
