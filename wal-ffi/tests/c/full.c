/* A disk that is full: the limit on the size of files refuses writes as it does, for this process
   alone, and can be lifted. Unlike a disk, it has room for a next segment at once. */
#include "testing.h"

#include <signal.h>
#include <sys/resource.h>

/* The limit is about offsets, wherever the file has room: it lies behind the file of the state. */
enum { SEGMENT_BYTES = 1 << 20, LIMIT_BYTES = 384 << 10, RECORD_BYTES = 8000, ENOUGH = 1000 };

static char record[RECORD_BYTES];

static void limit_files(rlim_t bytes) {
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

static wal_log *open_small(const char *name) {
    wal_options options;
    wal_log *log = NULL;
    OK(wal_options_init(&options, sizeof options));
    options.segment_bytes = SEGMENT_BYTES;
    OK(wal_open(path_of(name), &options, &log, NULL, &err));
    return log;
}

static int32_t append_number(const wal_log *log, uint64_t number, uint64_t *lsn) {
    memcpy(record, &number, sizeof number);
    return wal_append(log, record, sizeof record, WAL_LEVEL_DISK, lsn, &err);
}

static void check_numbers(const wal_log *log, uint64_t count) {
    uint64_t lsn;
    CHECK(wal_first_lsn(log) == 1 && wal_last_lsn(log) == count);
    for (lsn = 1; lsn <= count; lsn++) {
        uint64_t number = 0;
        size_t len = 0;
        OK(wal_read(log, lsn, record, sizeof record, &len, &err));
        memcpy(&number, record, sizeof number);
        CHECK(len == RECORD_BYTES && number == lsn);
    }
}

static void a_full_disk_takes_nothing_loses_nothing_and_may_have_room_again(void) {
    wal_log *log = open_small("full");
    uint64_t count = 1, lsn = 0;
    int32_t code;
    /* Or the file of the first segment could not be made. */
    OK(append_number(log, 1, &lsn));
    limit_files(LIMIT_BYTES);
    while ((code = append_number(log, count + 1, &lsn)) == WAL_OK) {
        CHECK(lsn == count + 1 && count < ENOUGH);
        count++;
    }
    CHECK(code == WAL_ERR_FULL && err.os_errno == EFBIG && count > 10);
    CHECK(strstr(err.message, path_of("full")) != NULL);
    OK(wal_poisoned(log, &err));
    check_numbers(log, count);
    limit_files(RLIM_INFINITY);
    OK(append_number(log, count + 1, &lsn));
    CHECK(lsn == count + 1);
    check_numbers(log, count + 1);
    close_and_release(log);
    log = open_small("full");
    check_numbers(log, count + 1);
    close_and_release(log);
}

static void a_completion_tells_what_a_full_disk_refused(void) {
    wal_log *log = open_small("refused");
    wal_completions *completions = NULL;
    uint64_t token, taken = 1, refused = 0, first = 0;
    wal_slice slice;
    slice.data = record;
    slice.len = sizeof record;
    OK(append_number(log, 1, &first));
    OK(wal_completions_open(log, &completions, &err));
    limit_files(LIMIT_BYTES);
    for (token = 0; token < 64; token++) {
        wal_completion ended[4];
        size_t ready = 0, i;
        uint64_t lsn = 0;
        OK(wal_completions_submit(completions, &slice, 1, NULL, token, &lsn, NULL, &err));
        while (ready == 0) {
            OK(wal_completions_take(completions, ended, 4, &ready, &err));
            if (ready == 0) sleep_ms(1);
        }
        for (i = 0; i < ready; i++) {
            CHECK(ended[i].code == WAL_OK || ended[i].code == WAL_ERR_FULL);
            if (ended[i].code == WAL_OK) {
                taken++;
                CHECK(ended[i].first_lsn == taken);
            } else {
                refused++;
                CHECK(ended[i].first_lsn == 0 && ended[i].os_errno == EFBIG);
            }
        }
    }
    CHECK(taken > 10 && refused > 0 && taken + refused == 65);
    CHECK(wal_durable_lsn(log) == taken);
    limit_files(RLIM_INFINITY);
    wal_completions_release(completions);
    close_and_release(log);
}

static void test(void) {
    /* Or the limit kills the process. */
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    a_full_disk_takes_nothing_loses_nothing_and_may_have_room_again();
    a_completion_tells_what_a_full_disk_refused();
}
