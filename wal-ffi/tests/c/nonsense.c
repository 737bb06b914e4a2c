/* NULL, wrong choices and wrong sizes for every function: an error or nothing, never a crash. */
#include "testing.h"

#define INVALID(call) RETURNS(WAL_ERR_INVALID, call)

static int32_t on_record(uint64_t lsn, const void *data, size_t len, uint32_t flags,
                         void *payload) {
    (void)lsn, (void)data, (void)len, (void)flags, (void)payload;
    return 0;
}

static void without_a_log(void) {
    char buffer[8];
    size_t len = 0, count = 0;
    uint64_t lsn = 0;
    int64_t time_ns = 0;
    wal_cursor *cursor = NULL;
    wal_follower *follower = NULL;
    wal_notifier *notifier = NULL;
    wal_record *record = NULL;
    wal_subscription *subscription = NULL;
    wal_stats stats = {0};
    wal_slice slice = {"x", 1};
    stats.struct_size = sizeof stats;
    INVALID(wal_append(NULL, "x", 1, 0, &lsn, &err));
    INVALID(wal_append_at(NULL, 1, "x", 1, 0, &err));
    INVALID(wal_append_v(NULL, &slice, 1, 0, &lsn, &err));
    INVALID(wal_append_batch(NULL, &slice, 1, NULL, &lsn, &lsn, &err));
    INVALID(wal_append_packed(NULL, "x", 1, 0, &lsn, &lsn, &err));
    INVALID(wal_submit(NULL, "x", 1, 0, &lsn, &err));
    INVALID(wal_submit_batch(NULL, &slice, 1, NULL, &lsn, &lsn, &err));
    INVALID(wal_submit_packed(NULL, "x", 1, 0, &lsn, &lsn, &err));
    INVALID(wal_wait_durable(NULL, 1, 0, &lsn, &err));
    INVALID(wal_sync(NULL, &lsn, &err));
    INVALID(wal_read(NULL, 1, buffer, sizeof buffer, &len, &err));
    INVALID(wal_time_of(NULL, 1, &time_ns, &err));
    INVALID(wal_record_open(NULL, 1, &record, &err));
    INVALID(wal_cursor_open(NULL, WAL_FROM_FIRST, 0, &cursor, &err));
    INVALID(wal_cursor_next(NULL, &record, &err));
    INVALID(wal_cursor_prev(NULL, &record, &err));
    INVALID(wal_cursor_read_packed(NULL, buffer, sizeof buffer, 0, &count, &len, &err));
    INVALID(wal_cursor_seek(NULL, WAL_FROM_FIRST, 0, &err));
    INVALID(wal_cursor_seek_time(NULL, 0, &err));
    INVALID(wal_cursor_time(NULL, &time_ns, &err));
    INVALID(wal_follower_open(NULL, WAL_FROM_FIRST, 0, &follower, &err));
    INVALID(wal_follower_next(NULL, 0, &record, &err));
    INVALID(wal_follower_read_packed(NULL, 0, buffer, sizeof buffer, 0, &count, &len, &err));
    INVALID(wal_follower_seek(NULL, WAL_FROM_FIRST, 0, &err));
    INVALID(wal_replay(NULL, WAL_FROM_FIRST, 0, on_record, NULL, &lsn, &err));
    INVALID(wal_replay_parallel(NULL, WAL_FROM_FIRST, 0, 1, 1, on_record, NULL, &lsn, &err));
    INVALID(wal_trim(NULL, 1, &lsn, &err));
    INVALID(wal_truncate(NULL, 1, &err));
    INVALID(wal_reset_to(NULL, 1, &err));
    INVALID(wal_copy_to(NULL, path_of("copy"), NULL, &err));
    INVALID(wal_value_read(NULL, "k", 1, buffer, sizeof buffer, &len, &err));
    INVALID(wal_value_set(NULL, "k", 1, "v", 1, &err));
    INVALID(wal_value_delete(NULL, "k", 1, NULL, &err));
    INVALID(wal_value_update(NULL, NULL, 0, &err));
    INVALID(wal_value_list(NULL, NULL, NULL, &err));
    INVALID(wal_notifier_open(NULL, &notifier, &err));
    INVALID(wal_notifier_acknowledge(NULL, &lsn, &err));
    INVALID(wal_on_durable(NULL, NULL, NULL, NULL, &subscription, &err));
    INVALID(wal_stats_read(NULL, &stats, &err));
    INVALID(wal_stats_segments(NULL, NULL, NULL, &err));
    INVALID(wal_poisoned(NULL, &err));
    INVALID(wal_path(NULL, buffer, sizeof buffer, &len, &err));
    INVALID(wal_uuid(NULL, buffer, &err));
    INVALID(wal_close(NULL, &err));
    INVALID(wal_close(NULL, NULL));
    CHECK(strstr(err.message, "log is NULL") != NULL);
    CHECK(cursor == NULL && follower == NULL && record == NULL && notifier == NULL);
    CHECK(subscription == NULL && lsn == 0 && len == 0 && count == 0 && time_ns == 0);
    CHECK(wal_first_lsn(NULL) == 0 && wal_last_lsn(NULL) == 0 && wal_durable_lsn(NULL) == 0);
    CHECK(wal_written_lsn(NULL) == 0 && wal_submitted_lsn(NULL) == 0 && wal_next_lsn(NULL) == 0);
    CHECK(wal_notifier_fd(NULL) == -1 && wal_cursor_next_lsn(NULL) == 0);
    CHECK(wal_follower_next_lsn(NULL) == 0);
    CHECK(wal_record_data(NULL) == NULL && wal_record_len(NULL) == 0);
    CHECK(wal_record_lsn(NULL) == 0 && wal_record_flags(NULL) == 0);
    wal_release(NULL);
    wal_cursor_release(NULL);
    wal_follower_release(NULL);
    wal_record_release(NULL);
    wal_notifier_release(NULL);
    wal_subscription_release(NULL);
}

static void without_a_path(void) {
    wal_log *log = NULL;
    INVALID(wal_open(NULL, NULL, &log, NULL, &err));
    INVALID(wal_open("", NULL, &log, NULL, &err));
    INVALID(wal_open(path_of("nowhere"), NULL, NULL, NULL, &err));
    INVALID(wal_open_read_only(NULL, NULL, &log, NULL, &err));
    INVALID(wal_open_read_only(path_of("nowhere"), NULL, NULL, NULL, &err));
    RETURNS(WAL_ERR_NOT_FOUND, wal_open_read_only(path_of("nowhere"), NULL, &log, NULL, &err));
    INVALID(wal_destroy(NULL, &err));
    INVALID(wal_check_info(NULL, NULL, NULL, NULL, NULL, &err));
    INVALID(wal_check_verify(NULL, NULL, NULL, NULL, NULL, &err));
    INVALID(wal_check_repair(NULL, 0, NULL, NULL, NULL, &err));
    INVALID(wal_check_repair(path_of("nowhere"), 2, NULL, NULL, NULL, &err));
    INVALID(wal_options_init(NULL, sizeof(wal_options)));
    INVALID(wal_append_options_init(NULL, sizeof(wal_append_options)));
    INVALID(wal_set_log_callback(6, NULL, NULL, &err));
    INVALID(wal_set_log_callback(-1, NULL, NULL, &err));
    CHECK(log == NULL);
}

static void wrong_arguments_of_a_log(void) {
    wal_log *log = open_at("wrong");
    char buffer[8];
    size_t len = 7, count = 7;
    uint64_t lsn = 7;
    wal_cursor *cursor = NULL;
    wal_slice slice = {NULL, 3};
    wal_value_change change;
    INVALID(wal_append(log, NULL, 1, 0, &lsn, &err));
    INVALID(wal_append(log, "x", 1, 4, &lsn, &err));
    INVALID(wal_append(log, "x", 1, -1, &lsn, &err));
    INVALID(wal_append(log, "x", SIZE_MAX, 0, &lsn, &err));
    INVALID(wal_append_at(log, 0, "x", 1, 0, &err));
    INVALID(wal_append_at(log, UINT64_MAX, "x", 1, 0, &err));
    INVALID(wal_append_v(log, &slice, 1, 0, &lsn, &err));
    INVALID(wal_append_v(log, NULL, 1, 0, &lsn, &err));
    INVALID(wal_append_batch(log, &slice, SIZE_MAX, NULL, &lsn, &lsn, &err));
    INVALID(wal_append_batch(log, &slice, 1, NULL, &lsn, &lsn, &err));
    INVALID(wal_append_packed(log, "short", 5, 0, &lsn, &lsn, &err));
    INVALID(wal_submit_packed(log, "short", 5, 0, &lsn, &lsn, &err));
    INVALID(wal_submit(log, "x", 1, 9, &lsn, &err));
    INVALID(wal_wait_durable(log, 0, 0, &lsn, &err));
    INVALID(wal_read(log, 0, buffer, sizeof buffer, &len, &err));
    INVALID(wal_read(log, 1, NULL, 5, &len, &err));
    INVALID(wal_read(log, 1, buffer, sizeof buffer, NULL, &err));
    INVALID(wal_time_of(log, 1, NULL, &err));
    INVALID(wal_record_open(log, 1, NULL, &err));
    INVALID(wal_cursor_open(log, 4, 0, &cursor, &err));
    INVALID(wal_cursor_open(log, -1, 0, &cursor, &err));
    INVALID(wal_cursor_open(log, WAL_FROM_LSN, 0, &cursor, &err));
    INVALID(wal_cursor_open(log, WAL_FROM_TIME, UINT64_MAX, &cursor, &err));
    INVALID(wal_cursor_open(log, WAL_FROM_FIRST, 0, NULL, &err));
    INVALID(wal_follower_open(log, WAL_FROM_FIRST, 0, NULL, &err));
    INVALID(wal_replay(log, WAL_FROM_FIRST, 0, NULL, NULL, &lsn, &err));
    INVALID(wal_replay_parallel(log, WAL_FROM_FIRST, 0, 1, 2, on_record, NULL, &lsn, &err));
    INVALID(wal_trim(log, 0, &lsn, &err));
    INVALID(wal_truncate(log, UINT64_MAX, &err));
    INVALID(wal_reset_to(log, 0, &err));
    INVALID(wal_copy_to(log, NULL, NULL, &err));
    INVALID(wal_value_set(log, NULL, 3, "v", 1, &err));
    INVALID(wal_value_set(log, "k", 1, NULL, 1, &err));
    INVALID(wal_value_read(log, "k", 1, buffer, sizeof buffer, NULL, &err));
    INVALID(wal_value_update(log, NULL, 1, &err));
    INVALID(wal_value_update(log, NULL, SIZE_MAX, &err));
    INVALID(wal_value_list(log, NULL, NULL, &err));
    memset(&change, 0, sizeof change);
    change.key.data = "k";
    change.key.len = 1;
    change.remove = 2;
    INVALID(wal_value_update(log, &change, 1, &err));
    change.remove = 1;
    change.reserved = 1;
    INVALID(wal_value_update(log, &change, 1, &err));
    INVALID(wal_notifier_open(log, NULL, &err));
    INVALID(wal_on_durable(log, NULL, NULL, NULL, NULL, &err));
    INVALID(wal_stats_read(log, NULL, &err));
    INVALID(wal_stats_segments(log, NULL, NULL, &err));
    INVALID(wal_path(log, buffer, sizeof buffer, NULL, &err));
    INVALID(wal_uuid(log, NULL, &err));
    OK(wal_cursor_open(log, WAL_FROM_FIRST, 0, &cursor, &err));
    INVALID(wal_cursor_next(cursor, NULL, &err));
    INVALID(wal_cursor_read_packed(cursor, NULL, 64, 0, &count, &len, &err));
    INVALID(wal_cursor_read_packed(cursor, buffer, sizeof buffer, 0, NULL, &len, &err));
    INVALID(wal_cursor_seek(cursor, 99, 0, &err));
    INVALID(wal_cursor_seek_time(cursor, -1, &err));
    INVALID(wal_cursor_time(cursor, NULL, &err));
    wal_cursor_release(cursor);
    CHECK(lsn == 7 && len == 7 && count == 7);
    CHECK(wal_next_lsn(log) == 1);
    close_and_release(log);
}

static void structs_of_another_size(void) {
    wal_log *log = NULL;
    wal_error small = WAL_ERROR_INIT;
    union {
        wal_options options;
        unsigned char bytes[sizeof(wal_options) + 64];
    } newer;
    wal_stats stats;
    memset(&newer, 0, sizeof newer);
    OK(wal_options_init(&newer.options, sizeof newer));
    CHECK(newer.options.struct_size == sizeof newer);
    newer.bytes[sizeof newer - 1] = 1;
    INVALID(wal_open(path_of("sizes"), &newer.options, &log, NULL, &err));
    newer.bytes[sizeof newer - 1] = 0;
    OK(wal_open(path_of("sizes"), &newer.options, &log, NULL, &err));

    /* An error of a size that cannot be is refused, and not written to. */
    small.struct_size = 0;
    CHECK(wal_append(log, "x", 1, 9, NULL, &small) == WAL_ERR_INVALID && small.code == 0);
    /* A shorter one is filled as far as it goes. */
    small.struct_size = 8;
    CHECK(wal_append(log, "x", 1, 9, NULL, &small) == WAL_ERR_INVALID);
    CHECK(small.code == WAL_ERR_INVALID && small.message[0] == '\0');

    memset(&stats, 0xee, sizeof stats);
    stats.struct_size = 24;
    OK(wal_stats_read(log, &stats, &err));
    CHECK(stats.struct_size == 24 && stats.level == WAL_LEVEL_DISK);
    CHECK(stats.first_lsn == UINT64_C(0xeeeeeeeeeeeeeeee));
    stats.struct_size = 0;
    INVALID(wal_stats_read(log, &stats, &err));
    INVALID(wal_options_init(&newer.options, 4));
    close_and_release(log);
}

static void test(void) {
    without_a_log();
    without_a_path();
    wrong_arguments_of_a_log();
    structs_of_another_size();
}
