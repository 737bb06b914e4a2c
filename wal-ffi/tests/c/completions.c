/* Outcomes in bulk: tokens come back once, with what became of their appends. */
#include "testing.h"

#include <poll.h>

enum { COUNT = 1000 };

static wal_completions *completions_of(const wal_log *log) {
    wal_completions *completions = NULL;
    OK(wal_completions_open(log, &completions, &err));
    CHECK(completions != NULL && wal_completions_fd(completions) >= 0);
    return completions;
}

static int is_readable(const wal_completions *completions, int timeout_ms) {
    struct pollfd descriptor;
    descriptor.fd = wal_completions_fd(completions);
    descriptor.events = POLLIN;
    descriptor.revents = 0;
    CHECK(poll(&descriptor, 1, timeout_ms) >= 0);
    return (descriptor.revents & POLLIN) != 0;
}

static wal_slice text(const char *bytes) {
    wal_slice slice;
    slice.data = bytes;
    slice.len = strlen(bytes);
    return slice;
}

static void every_token_comes_back_once(void) {
    static unsigned char seen[COUNT];
    wal_log *log = open_at("tokens");
    wal_completions *completions = completions_of(log);
    wal_slice records[2];
    size_t total = 0;
    uint64_t token;
    records[0] = text("one");
    records[1] = text("two");
    CHECK(!is_readable(completions, 0));
    for (token = 0; token < COUNT; token++) {
        uint64_t first = 0, last = 0;
        OK(wal_completions_submit(completions, records, 2, NULL, token, &first, &last, &err));
        CHECK(first == 2 * token + 1 && last == first + 1);
    }
    while (total < COUNT) {
        /* Less room than there may be: the descriptor stays readable for the rest. */
        wal_completion ended[7];
        size_t count = 0, i;
        CHECK(is_readable(completions, 10000));
        OK(wal_completions_take(completions, ended, 7, &count, &err));
        for (i = 0; i < count; i++) {
            CHECK(ended[i].code == WAL_OK && ended[i].os_errno == 0);
            CHECK(ended[i].token < COUNT && !seen[ended[i].token]);
            CHECK(ended[i].first_lsn == 2 * ended[i].token + 1);
            CHECK(ended[i].last_lsn == ended[i].first_lsn + 1);
            CHECK(wal_durable_lsn(log) >= ended[i].last_lsn);
            seen[ended[i].token] = 1;
        }
        total += count;
    }
    CHECK(!is_readable(completions, 0));
    wal_completions_release(completions);
    close_and_release(log);
}

static void lower_levels_and_refusals(void) {
    wal_log *log = open_at("refusals");
    wal_completions *completions = completions_of(log), *none = NULL;
    wal_append_options options;
    wal_completion ended;
    wal_slice record = text("in memory");
    size_t count = 9;
    OK(wal_append_options_init(&options, sizeof options));
    options.level = WAL_LEVEL_BUFFERED;
    OK(wal_completions_submit(completions, &record, 1, &options, 5, NULL, NULL, &err));
    CHECK(is_readable(completions, 10000));
    OK(wal_completions_take(completions, NULL, 0, &count, &err));
    CHECK(count == 0 && is_readable(completions, 0));
    OK(wal_completions_take(completions, &ended, 1, &count, &err));
    CHECK(count == 1 && ended.token == 5 && ended.code == WAL_OK && ended.first_lsn == 1);
    options.level = 9;
    RETURNS(WAL_ERR_INVALID,
            wal_completions_submit(completions, &record, 1, &options, 6, NULL, NULL, &err));
    RETURNS(WAL_ERR_INVALID, wal_completions_submit(completions, NULL, 1, NULL, 6, NULL, NULL, &err));
    RETURNS(WAL_ERR_INVALID, wal_completions_submit(completions, NULL, 0, NULL, 6, NULL, NULL, &err));
    RETURNS(WAL_ERR_INVALID, wal_completions_submit(NULL, &record, 1, NULL, 6, NULL, NULL, &err));
    RETURNS(WAL_ERR_INVALID, wal_completions_take(completions, NULL, 1, &count, &err));
    RETURNS(WAL_ERR_INVALID, wal_completions_take(completions, &ended, 1, NULL, &err));
    RETURNS(WAL_ERR_INVALID, wal_completions_take(NULL, &ended, 1, &count, &err));
    RETURNS(WAL_ERR_INVALID, wal_completions_open(log, NULL, &err));
    RETURNS(WAL_ERR_INVALID, wal_completions_open(NULL, &none, &err));
    CHECK(wal_completions_fd(NULL) == -1 && none == NULL);
    wal_completions_release(NULL);
    /* What is in flight when the log is closed is durable, and told. */
    OK(wal_completions_submit(completions, &record, 1, NULL, 7, NULL, NULL, &err));
    close_and_release(log);
    CHECK(is_readable(completions, 10000));
    OK(wal_completions_take(completions, &ended, 1, &count, &err));
    CHECK(count == 1 && ended.token == 7 && ended.code == WAL_OK);
    RETURNS(WAL_ERR_CLOSED, wal_completions_submit(completions, &record, 1, NULL, 8, NULL, NULL, &err));
    wal_completions_release(completions);
    log = open_at("refusals");
    OK(wal_close(log, &err));
    RETURNS(WAL_ERR_CLOSED, wal_completions_open(log, &none, &err));
    wal_release(log);
}

static void nobody_has_to_take(void) {
    wal_log *log = open_at("untaken");
    wal_completions *completions = completions_of(log);
    wal_slice record = text("untaken");
    OK(wal_completions_submit(completions, &record, 1, NULL, 1, NULL, NULL, &err));
    wal_completions_release(completions);
    close_and_release(log);
    log = open_at("untaken");
    check_record(log, 1, "untaken");
    close_and_release(log);
}

static void test(void) {
    every_token_comes_back_once();
    lower_levels_and_refusals();
    nobody_has_to_take();
}
