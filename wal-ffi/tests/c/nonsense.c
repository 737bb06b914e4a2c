/* Numbers that are none of the choices, lengths of nothing and of too much, and the same for options:
   an error that says so, with nothing written. NULL is tried in arguments.c, sizes in sizes.c. */
#include "testing.h"

#define INVALID(call) RETURNS(WAL_ERR_INVALID, call)

enum { KEY_BYTES_MAX = 255, VALUE_BYTES_MAX = 4096, RECORD_BYTES_MAX = 64 };

static wal_log *log;
static char buffer[256];
static size_t len = 7;
static uint64_t lsn = 7;

static int32_t on_record(uint64_t at, const void *data, size_t size, uint32_t flags,
                         void *payload) {
    (void)at, (void)data, (void)size, (void)flags, (void)payload;
    return 0;
}

static void on_log(int32_t level, const char *target, const char *message, void *payload) {
    (void)level, (void)target, (void)message, (void)payload;
}

/* Around and far from the numbers of an enum whose last one is `last`. */
static const int32_t *numbers_beside(int32_t last) {
    static int32_t numbers[] = {-1, 0, INT32_MIN, INT32_MAX, 0x100, 0x10000, 0};
    numbers[1] = last + 1;
    return numbers;
}

static void levels_that_are_none(void) {
    static const unsigned char packed[24] = {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'x'};
    const int32_t *level;
    wal_slice slice = {"x", 1};
    wal_append_options options;
    OK(wal_append_options_init(&options, sizeof options));
    for (level = numbers_beside(WAL_LEVEL_DISK); *level != 0; level++) {
        INVALID(wal_append(log, "x", 1, *level, &lsn, &err));
        INVALID(wal_append_at(log, wal_next_lsn(log), "x", 1, *level, &err));
        INVALID(wal_append_v(log, &slice, 1, *level, &lsn, &err));
        INVALID(wal_append_packed(log, packed, sizeof packed, *level, &lsn, &lsn, &err));
        INVALID(wal_submit(log, "x", 1, *level, &lsn, &err));
        INVALID(wal_submit_packed(log, packed, sizeof packed, *level, &lsn, &lsn, &err));
        options.level = *level;
        INVALID(wal_append_batch(log, &slice, 1, &options, &lsn, &lsn, &err));
        INVALID(wal_submit_batch(log, &slice, 1, &options, &lsn, &lsn, &err));
    }
    for (level = numbers_beside(WAL_LOG_TRACE); *level != 0; level++) {
        INVALID(wal_set_log_callback(*level, on_log, NULL, &err));
        INVALID(wal_set_log_callback(*level, NULL, NULL, &err));
    }
}

static void positions_that_are_none(void) {
    const int32_t *from;
    wal_cursor *cursor = NULL, *opened = NULL;
    wal_follower *follower = NULL, *followed = NULL;
    OK(wal_cursor_open(log, WAL_FROM_FIRST, 0, &cursor, &err));
    OK(wal_follower_open(log, WAL_FROM_FIRST, 0, &follower, &err));
    for (from = numbers_beside(WAL_FROM_TIME); *from != 0; from++) {
        INVALID(wal_cursor_open(log, *from, 1, &opened, &err));
        INVALID(wal_cursor_seek(cursor, *from, 1, &err));
        INVALID(wal_follower_open(log, *from, 1, &followed, &err));
        INVALID(wal_follower_seek(follower, *from, 1, &err));
        INVALID(wal_replay(log, *from, 1, on_record, NULL, &lsn, &err));
        INVALID(wal_replay_parallel(log, *from, 1, 1, 1, on_record, NULL, &lsn, &err));
        INVALID(wal_replay_parallel(log, WAL_FROM_FIRST, 0, 1, *from, on_record, NULL, &lsn, &err));
    }
    INVALID(wal_cursor_open(log, WAL_FROM_LSN, 0, &opened, &err));
    INVALID(wal_cursor_open(log, WAL_FROM_LSN, UINT64_MAX, &opened, &err));
    INVALID(wal_cursor_open(log, WAL_FROM_LSN, UINT64_C(1) << 63, &opened, &err));
    INVALID(wal_cursor_open(log, WAL_FROM_TIME, UINT64_MAX, &opened, &err));
    INVALID(wal_cursor_seek_time(cursor, -1, &err));
    INVALID(wal_cursor_seek_time(cursor, INT64_MIN, &err));
    CHECK(opened == NULL && followed == NULL);
    CHECK(wal_cursor_next_lsn(cursor) == 1 && wal_follower_next_lsn(follower) == 1);
    wal_cursor_release(cursor);
    wal_follower_release(follower);
}

static void lsns_that_are_none(void) {
    static const uint64_t none[] = {0, UINT64_C(1) << 63, UINT64_MAX};
    int64_t time_ns = 7;
    wal_record *record = NULL;
    size_t i;
    for (i = 0; i < sizeof none / sizeof *none; i++) {
        INVALID(wal_append_at(log, none[i], "x", 1, 0, &err));
        INVALID(wal_wait_durable(log, none[i], 0, &lsn, &err));
        INVALID(wal_read(log, none[i], buffer, sizeof buffer, &len, &err));
        INVALID(wal_time_of(log, none[i], &time_ns, &err));
        INVALID(wal_record_open(log, none[i], &record, &err));
        INVALID(wal_trim(log, none[i], &lsn, &err));
        INVALID(wal_truncate(log, none[i], &err));
        INVALID(wal_reset_to(log, none[i], &err));
    }
    CHECK(time_ns == 7 && record == NULL);
}

static void lengths_that_are_too_much(void) {
    static const size_t impossible[] = {SIZE_MAX, SIZE_MAX / 2 + 1, SIZE_MAX / sizeof(wal_slice)};
    static char value[VALUE_BYTES_MAX + 1];
    char record[RECORD_BYTES_MAX + 1] = {0};
    wal_slice slice = {"x", 0}, halves[2] = {{"x", SIZE_MAX / 2}, {"x", SIZE_MAX / 2}};
    size_t i;
    INVALID(wal_append(log, record, sizeof record, 0, &lsn, &err));
    INVALID(wal_submit(log, record, sizeof record, 0, &lsn, &err));
    INVALID(wal_append_at(log, wal_next_lsn(log), record, sizeof record, 0, &err));
    INVALID(wal_append_v(log, halves, 2, 0, &lsn, &err));
    INVALID(wal_append_batch(log, halves, 2, NULL, &lsn, &lsn, &err));
    for (i = 0; i < sizeof impossible / sizeof *impossible; i++) {
        slice.len = impossible[i];
        INVALID(wal_append(log, "x", impossible[i], 0, &lsn, &err));
        INVALID(wal_append_v(log, &slice, impossible[i] / 2, 0, &lsn, &err));
        INVALID(wal_append_v(log, &slice, 1, 0, &lsn, &err));
        INVALID(wal_append_batch(log, &slice, impossible[i] / 2, NULL, &lsn, &lsn, &err));
        INVALID(wal_submit_batch(log, &slice, 1, NULL, &lsn, &lsn, &err));
        INVALID(wal_value_set(log, "k", impossible[i], "v", 1, &err));
        INVALID(wal_value_set(log, "k", 1, "v", impossible[i], &err));
    }
    INVALID(wal_append_packed(log, "short", 5, 0, &lsn, &lsn, &err));
    INVALID(wal_submit_packed(log, "short", 5, 0, &lsn, &lsn, &err));
    INVALID(wal_value_set(log, value, KEY_BYTES_MAX + 1, "v", 1, &err));
    INVALID(wal_value_set(log, "k", 1, value, VALUE_BYTES_MAX + 1, &err));
    INVALID(wal_value_update(log, NULL, SIZE_MAX, &err));
    INVALID(wal_read(log, 1, buffer, SIZE_MAX, &len, &err));
    OK(wal_append(log, record, RECORD_BYTES_MAX, 0, NULL, &err));
    OK(wal_value_set(log, value, KEY_BYTES_MAX, value, VALUE_BYTES_MAX, &err));
}

static void lengths_of_nothing(void) {
    wal_slice nothing = {NULL, 0};
    wal_cursor *cursor = NULL;
    size_t needed = 0, records = 7;
    uint64_t at = 0;
    OK(wal_append(log, NULL, 0, 0, &at, &err));
    OK(wal_read(log, at, NULL, 0, &needed, &err));
    CHECK(needed == 0);
    OK(wal_append(log, "x", 0, 0, &at, &err));
    OK(wal_append_v(log, NULL, 0, 0, &at, &err));
    OK(wal_append_v(log, &nothing, 1, 0, &at, &err));
    OK(wal_append_batch(log, &nothing, 1, NULL, &at, &at, &err));
    INVALID(wal_append_batch(log, NULL, 0, NULL, &lsn, &lsn, &err));
    INVALID(wal_submit_batch(log, NULL, 0, NULL, &lsn, &lsn, &err));
    INVALID(wal_append_packed(log, NULL, 0, 0, &lsn, &lsn, &err));
    INVALID(wal_submit_packed(log, NULL, 0, 0, &lsn, &lsn, &err));
    RETURNS(WAL_ERR_FULL, wal_read(log, 1, NULL, 0, &needed, &err));
    CHECK(needed == 3);
    RETURNS(WAL_ERR_FULL, wal_path(log, NULL, 0, &needed, &err));
    CHECK(needed == strlen(path_of("nonsense")));
    INVALID(wal_value_set(log, NULL, 0, "v", 1, &err));
    INVALID(wal_value_delete(log, NULL, 0, NULL, &err));
    OK(wal_value_set(log, "k", 1, NULL, 0, &err));
    OK(wal_value_read(log, "k", 1, NULL, 0, &needed, &err));
    CHECK(needed == 0);
    OK(wal_cursor_open(log, WAL_FROM_FIRST, 0, &cursor, &err));
    RETURNS(WAL_ERR_FULL, wal_cursor_read_packed(cursor, NULL, 0, 0, &records, &needed, &err));
    CHECK(records == 0 && needed == 24 && wal_cursor_next_lsn(cursor) == 1);
    wal_cursor_release(cursor);
}

static void changes_that_are_none(void) {
    wal_value_change change = {{"k", 1}, {"v", 1}, 0, 0};
    const int32_t *remove;
    for (remove = numbers_beside(1); *remove != 0; remove++) {
        change.remove = *remove;
        INVALID(wal_value_update(log, &change, 1, &err));
        INVALID(wal_check_repair(path_of("nonsense"), *remove, NULL, NULL, NULL, &err));
    }
    change.remove = 1;
    change.reserved = 1;
    INVALID(wal_value_update(log, &change, 1, &err));
}

/* Both ways of opening look at every option, whether they use it or not. */
static void refused_options(const wal_options *options) {
    wal_log *opened = NULL;
    INVALID(wal_open(path_of("options"), options, &opened, NULL, &err));
    INVALID(wal_open_read_only(path_of("nonsense"), options, &opened, NULL, &err));
    CHECK(opened == NULL);
}

static void options_that_are_none(void) {
    wal_options options;
    int32_t *choices[6];
    int32_t lasts[6] = {WAL_LEVEL_DISK, WAL_AT_CAPACITY_TRIM_OLDEST, WAL_IO_DIRECT, 1,
                        WAL_READ_MODE_PREAD, 1};
    uint64_t *numbers[6];
    size_t i;
    OK(wal_options_init(&options, sizeof options));
    choices[0] = &options.level;
    choices[1] = &options.at_capacity;
    choices[2] = &options.io;
    choices[3] = &options.create;
    choices[4] = &options.read_mode;
    choices[5] = &options.pad_to_block;
    for (i = 0; i < 6; i++) {
        const int32_t *number;
        for (number = numbers_beside(lasts[i]); *number != 0; number++) {
            OK(wal_options_init(&options, sizeof options));
            *choices[i] = *number;
            refused_options(&options);
        }
    }
    numbers[0] = &options.segment_bytes;
    numbers[1] = &options.record_bytes_max;
    numbers[2] = &options.batch_bytes_max;
    numbers[3] = &options.ring_bytes;
    numbers[4] = &options.max_batch_bytes;
    numbers[5] = &options.first_lsn;
    for (i = 0; i < 6; i++) {
        OK(wal_options_init(&options, sizeof options));
        *numbers[i] = 0;
        refused_options(&options);
        *numbers[i] = UINT64_MAX;
        refused_options(&options);
    }
    OK(wal_options_init(&options, sizeof options));
    options.reserved = 1;
    refused_options(&options);
    RETURNS(WAL_ERR_NOT_FOUND, wal_destroy(path_of("options"), &err));
}

static void paths_that_are_none(void) {
    static char long_path[8192];
    wal_log *opened = NULL;
    memset(long_path, 'x', sizeof long_path - 1);
    INVALID(wal_open("", NULL, &opened, NULL, &err));
    INVALID(wal_open_read_only("", NULL, &opened, NULL, &err));
    INVALID(wal_destroy("", &err));
    INVALID(wal_copy_to(log, "", NULL, &err));
    INVALID(wal_copy_to(log, path_of("nonsense"), NULL, &err));
    INVALID(wal_check_info("", NULL, NULL, NULL, NULL, &err));
    INVALID(wal_check_verify("", NULL, NULL, NULL, NULL, &err));
    INVALID(wal_check_repair("", 0, NULL, NULL, NULL, &err));
    RETURNS(WAL_ERR_IO, wal_open(long_path, NULL, &opened, NULL, &err));
    CHECK(err.os_errno == ENAMETOOLONG);
    CHECK(wal_open("/dev/null", NULL, &opened, NULL, &err) != WAL_OK);
    CHECK(wal_open("/proc/nowhere/log", NULL, &opened, NULL, &err) != WAL_OK);
    CHECK(opened == NULL);
}

static void test(void) {
    wal_options options;
    OK(wal_options_init(&options, sizeof options));
    options.record_bytes_max = RECORD_BYTES_MAX;
    options.batch_bytes_max = RECORD_BYTES_MAX;
    OK(wal_open(path_of("nonsense"), &options, &log, NULL, &err));
    append_text(log, "one");
    levels_that_are_none();
    positions_that_are_none();
    lsns_that_are_none();
    CHECK(wal_next_lsn(log) == 2);
    lengths_that_are_too_much();
    CHECK(wal_next_lsn(log) == 3);
    lengths_of_nothing();
    changes_that_are_none();
    options_that_are_none();
    paths_that_are_none();
    CHECK(lsn == 7 && len == 7);
    CHECK(wal_last_lsn(log) == 7);
    close_and_release(log);
}
