/* NULL for every pointer argument of every function: refused, allowed or ignored, never a crash.
   tests/misuse.rs holds this file to the header: each argument has its line. */
#include "testing.h"

/* NULL for `argument` is WAL_ERR_INVALID. */
#define REFUSES(function, argument, call) RETURNS(WAL_ERR_INVALID, call)
/* NULL for `argument` says that it is not wanted. */
#define ALLOWS(function, argument, call) OK(call)
/* NULL for `argument` does nothing, or gives the answer of `condition`. */
#define IGNORES(function, argument, condition) CHECK(condition)
/* A function without pointers. */
#define ANSWERS(function, condition) CHECK(condition)

static wal_log *log;
static char buffer[256];
static size_t len, count;
static uint64_t lsn;
static int64_t time_ns;
static wal_record *record;
static const wal_slice slice = {"x", 1};

static int32_t on_record(uint64_t at, const void *data, size_t size, uint32_t flags,
                         void *payload) {
    (void)at, (void)data, (void)size, (void)flags, (void)payload;
    return 0;
}

static int32_t on_value(const void *key, size_t key_len, const void *value, size_t value_len,
                        void *payload) {
    (void)key, (void)key_len, (void)value, (void)value_len, (void)payload;
    return 0;
}

static int32_t on_segment(const wal_segment *segment, void *payload) {
    (void)segment, (void)payload;
    return 0;
}

static void on_durable(uint64_t durable, const wal_error *failure, void *payload) {
    (void)durable, (void)failure, (void)payload;
}

static void on_drop(void *payload) {
    (void)payload;
}

static void on_progress(uint64_t done, uint64_t total, void *payload) {
    (void)done, (void)total, (void)payload;
}

static void on_finding(const wal_finding *finding, void *payload) {
    (void)finding, (void)payload;
}

static void on_line(int32_t line, const char *text, uint64_t first, uint64_t last, void *payload) {
    (void)line, (void)text, (void)first, (void)last, (void)payload;
}

static void on_log(int32_t level, const char *target, const char *message, void *payload) {
    (void)level, (void)target, (void)message, (void)payload;
}

static void the_library(void) {
    ANSWERS(wal_version, strcmp(wal_version(), WAL_VERSION) == 0);
    ANSWERS(wal_version_number, wal_version_number() == WAL_VERSION_NUMBER);
    ANSWERS(wal_code_name, strcmp(wal_code_name(INT32_MIN), "WAL_ERR_UNKNOWN") == 0);
    ANSWERS(wal_code_name, strcmp(wal_code_name(INT32_MAX), "WAL_ERR_UNKNOWN") == 0);
    ANSWERS(wal_code_text, wal_code_text(INT32_MIN)[0] != '\0');
    ANSWERS(wal_code_text, wal_code_text(INT32_MAX)[0] != '\0');
    REFUSES(wal_options_init, options, wal_options_init(NULL, sizeof(wal_options)));
    REFUSES(wal_append_options_init, options,
            wal_append_options_init(NULL, sizeof(wal_append_options)));
}

static void opening(void) {
    wal_options options;
    wal_recovery_report report = {0};
    wal_log *opened = NULL;
    char path[4096];
    snprintf(path, sizeof path, "%s", path_of("opened"));
    report.struct_size = sizeof report;
    OK(wal_options_init(&options, sizeof options));
    REFUSES(wal_open, path, wal_open(NULL, &options, &opened, &report, &err));
    REFUSES(wal_open, log, wal_open(path, &options, NULL, &report, &err));
    RETURNS(WAL_ERR_NOT_FOUND, wal_open_read_only(path, NULL, &opened, NULL, &err));
    ALLOWS(wal_open, options, wal_open(path, NULL, &opened, &report, &err));
    close_and_release(opened);
    ALLOWS(wal_open, report, wal_open(path, &options, &opened, NULL, &err));
    close_and_release(opened);
    ALLOWS(wal_open, err, wal_open(path, &options, &opened, &report, NULL));
    REFUSES(wal_close, log, wal_close(NULL, &err));
    CHECK(strstr(err.message, "log is NULL") != NULL);
    ALLOWS(wal_close, err, wal_close(opened, NULL));
    IGNORES(wal_release, log, (wal_release(NULL), 1));
    wal_release(opened);
    opened = NULL;
    REFUSES(wal_open_read_only, path, wal_open_read_only(NULL, &options, &opened, &report, &err));
    REFUSES(wal_open_read_only, log, wal_open_read_only(path, &options, NULL, &report, &err));
    CHECK(opened == NULL);
    ALLOWS(wal_open_read_only, options, wal_open_read_only(path, NULL, &opened, &report, &err));
    wal_release(opened);
    ALLOWS(wal_open_read_only, report, wal_open_read_only(path, &options, &opened, NULL, &err));
    wal_release(opened);
    ALLOWS(wal_open_read_only, err, wal_open_read_only(path, &options, &opened, &report, NULL));
    wal_release(opened);
    REFUSES(wal_destroy, path, wal_destroy(NULL, &err));
    ALLOWS(wal_destroy, err, wal_destroy(path, NULL));
}

static void appending(void) {
    static const unsigned char packed[24] = {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'x'};
    wal_append_options append_options;
    OK(wal_append_options_init(&append_options, sizeof append_options));
    REFUSES(wal_append, log, wal_append(NULL, "x", 1, 0, &lsn, &err));
    REFUSES(wal_append, data, wal_append(log, NULL, 1, 0, &lsn, &err));
    ALLOWS(wal_append, lsn, wal_append(log, "x", 1, 0, NULL, &err));
    ALLOWS(wal_append, err, wal_append(log, "x", 1, 0, &lsn, NULL));
    REFUSES(wal_append_at, log, wal_append_at(NULL, wal_next_lsn(log), "x", 1, 0, &err));
    REFUSES(wal_append_at, data, wal_append_at(log, wal_next_lsn(log), NULL, 1, 0, &err));
    ALLOWS(wal_append_at, err, wal_append_at(log, wal_next_lsn(log), "x", 1, 0, NULL));
    REFUSES(wal_append_v, log, wal_append_v(NULL, &slice, 1, 0, &lsn, &err));
    REFUSES(wal_append_v, pieces, wal_append_v(log, NULL, 1, 0, &lsn, &err));
    ALLOWS(wal_append_v, lsn, wal_append_v(log, &slice, 1, 0, NULL, &err));
    ALLOWS(wal_append_v, err, wal_append_v(log, &slice, 1, 0, &lsn, NULL));
    REFUSES(wal_append_batch, log, wal_append_batch(NULL, &slice, 1, &append_options, &lsn, &lsn,
            &err));
    REFUSES(wal_append_batch, records, wal_append_batch(log, NULL, 1, &append_options, &lsn, &lsn,
            &err));
    ALLOWS(wal_append_batch, options, wal_append_batch(log, &slice, 1, NULL, &lsn, &lsn, &err));
    ALLOWS(wal_append_batch, first_lsn, wal_append_batch(log, &slice, 1, &append_options, NULL,
            &lsn, &err));
    ALLOWS(wal_append_batch, last_lsn, wal_append_batch(log, &slice, 1, &append_options, &lsn,
            NULL, &err));
    ALLOWS(wal_append_batch, err, wal_append_batch(log, &slice, 1, &append_options, &lsn, &lsn,
            NULL));
    REFUSES(wal_append_packed, log, wal_append_packed(NULL, packed, sizeof packed, 0, &lsn, &lsn,
            &err));
    REFUSES(wal_append_packed, packed, wal_append_packed(log, NULL, sizeof packed, 0, &lsn, &lsn,
            &err));
    ALLOWS(wal_append_packed, first_lsn, wal_append_packed(log, packed, sizeof packed, 0, NULL,
            &lsn, &err));
    ALLOWS(wal_append_packed, last_lsn, wal_append_packed(log, packed, sizeof packed, 0, &lsn,
            NULL, &err));
    ALLOWS(wal_append_packed, err, wal_append_packed(log, packed, sizeof packed, 0, &lsn, &lsn,
            NULL));
}

static void submitting(void) {
    static const unsigned char packed[24] = {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'x'};
    wal_append_options append_options;
    OK(wal_append_options_init(&append_options, sizeof append_options));
    REFUSES(wal_wait_durable, log, wal_wait_durable(NULL, 1, 0, &lsn, &err));
    ALLOWS(wal_wait_durable, durable_lsn, wal_wait_durable(log, 1, 0, NULL, &err));
    ALLOWS(wal_wait_durable, err, wal_wait_durable(log, 1, 0, &lsn, NULL));
    REFUSES(wal_sync, log, wal_sync(NULL, &lsn, &err));
    ALLOWS(wal_sync, durable_lsn, wal_sync(log, NULL, &err));
    ALLOWS(wal_sync, err, wal_sync(log, &lsn, NULL));
    REFUSES(wal_submit, log, wal_submit(NULL, "x", 1, 0, &lsn, &err));
    REFUSES(wal_submit, data, wal_submit(log, NULL, 1, 0, &lsn, &err));
    ALLOWS(wal_submit, lsn, wal_submit(log, "x", 1, 0, NULL, &err));
    ALLOWS(wal_submit, err, wal_submit(log, "x", 1, 0, &lsn, NULL));
    REFUSES(wal_submit_batch, log, wal_submit_batch(NULL, &slice, 1, &append_options, &lsn, &lsn,
            &err));
    REFUSES(wal_submit_batch, records, wal_submit_batch(log, NULL, 1, &append_options, &lsn, &lsn,
            &err));
    ALLOWS(wal_submit_batch, options, wal_submit_batch(log, &slice, 1, NULL, &lsn, &lsn, &err));
    ALLOWS(wal_submit_batch, first_lsn, wal_submit_batch(log, &slice, 1, &append_options, NULL,
            &lsn, &err));
    ALLOWS(wal_submit_batch, last_lsn, wal_submit_batch(log, &slice, 1, &append_options, &lsn,
            NULL, &err));
    ALLOWS(wal_submit_batch, err, wal_submit_batch(log, &slice, 1, &append_options, &lsn, &lsn,
            NULL));
    REFUSES(wal_submit_packed, log, wal_submit_packed(NULL, packed, sizeof packed, 0, &lsn, &lsn,
            &err));
    REFUSES(wal_submit_packed, packed, wal_submit_packed(log, NULL, sizeof packed, 0, &lsn, &lsn,
            &err));
    ALLOWS(wal_submit_packed, first_lsn, wal_submit_packed(log, packed, sizeof packed, 0, NULL,
            &lsn, &err));
    ALLOWS(wal_submit_packed, last_lsn, wal_submit_packed(log, packed, sizeof packed, 0, &lsn,
            NULL, &err));
    ALLOWS(wal_submit_packed, err, wal_submit_packed(log, packed, sizeof packed, 0, &lsn, &lsn,
            NULL));
}

static void telling(void) {
    wal_stats stats = {0};
    stats.struct_size = sizeof stats;
    REFUSES(wal_path, log, wal_path(NULL, buffer, sizeof buffer, &len, &err));
    REFUSES(wal_path, buffer, wal_path(log, NULL, sizeof buffer, &len, &err));
    REFUSES(wal_path, len, wal_path(log, buffer, sizeof buffer, NULL, &err));
    ALLOWS(wal_path, err, wal_path(log, buffer, sizeof buffer, &len, NULL));
    REFUSES(wal_uuid, log, wal_uuid(NULL, buffer, &err));
    REFUSES(wal_uuid, uuid, wal_uuid(log, NULL, &err));
    ALLOWS(wal_uuid, err, wal_uuid(log, buffer, NULL));
    IGNORES(wal_first_lsn, log, wal_first_lsn(NULL) == 0);
    IGNORES(wal_last_lsn, log, wal_last_lsn(NULL) == 0);
    IGNORES(wal_durable_lsn, log, wal_durable_lsn(NULL) == 0);
    IGNORES(wal_written_lsn, log, wal_written_lsn(NULL) == 0);
    IGNORES(wal_submitted_lsn, log, wal_submitted_lsn(NULL) == 0);
    IGNORES(wal_next_lsn, log, wal_next_lsn(NULL) == 0);
    REFUSES(wal_stats_read, log, wal_stats_read(NULL, &stats, &err));
    REFUSES(wal_stats_read, stats, wal_stats_read(log, NULL, &err));
    ALLOWS(wal_stats_read, err, wal_stats_read(log, &stats, NULL));
    REFUSES(wal_stats_segments, log, wal_stats_segments(NULL, on_segment, &lsn, &err));
    REFUSES(wal_stats_segments, callback, wal_stats_segments(log, NULL, &lsn, &err));
    ALLOWS(wal_stats_segments, payload, wal_stats_segments(log, on_segment, NULL, &err));
    ALLOWS(wal_stats_segments, err, wal_stats_segments(log, on_segment, &lsn, NULL));
    REFUSES(wal_poisoned, log, wal_poisoned(NULL, &err));
    ALLOWS(wal_poisoned, err, wal_poisoned(log, NULL));
    ALLOWS(wal_set_log_callback, callback, wal_set_log_callback(WAL_LOG_ERROR, NULL, &lsn, &err));
    ALLOWS(wal_set_log_callback, payload, wal_set_log_callback(WAL_LOG_ERROR, on_log, NULL, &err));
    ALLOWS(wal_set_log_callback, err, wal_set_log_callback(WAL_LOG_ERROR, on_log, &lsn, NULL));
    OK(wal_set_log_callback(WAL_LOG_OFF, NULL, NULL, &err));
}

static void listening(void) {
    wal_notifier *notifier = NULL, *opened = NULL;
    wal_subscription *subscription = NULL;
    OK(wal_notifier_open(log, &notifier, &err));
    REFUSES(wal_notifier_open, log, wal_notifier_open(NULL, &opened, &err));
    REFUSES(wal_notifier_open, notifier, wal_notifier_open(log, NULL, &err));
    ALLOWS(wal_notifier_open, err, wal_notifier_open(log, &opened, NULL));
    wal_notifier_release(opened);
    IGNORES(wal_notifier_fd, notifier, wal_notifier_fd(NULL) == -1);
    REFUSES(wal_notifier_acknowledge, notifier, wal_notifier_acknowledge(NULL, &lsn, &err));
    ALLOWS(wal_notifier_acknowledge, durable_lsn, wal_notifier_acknowledge(notifier, NULL, &err));
    ALLOWS(wal_notifier_acknowledge, err, wal_notifier_acknowledge(notifier, &lsn, NULL));
    IGNORES(wal_notifier_release, notifier, (wal_notifier_release(NULL), 1));
    REFUSES(wal_on_durable, log, wal_on_durable(NULL, on_durable, &lsn, on_drop, &subscription,
            &err));
    REFUSES(wal_on_durable, callback, wal_on_durable(log, NULL, &lsn, on_drop, &subscription,
            &err));
    ALLOWS(wal_on_durable, payload, wal_on_durable(log, on_durable, NULL, on_drop, &subscription,
            &err));
    wal_subscription_release(subscription);
    ALLOWS(wal_on_durable, drop_payload, wal_on_durable(log, on_durable, &lsn, NULL,
            &subscription, &err));
    wal_subscription_release(subscription);
    REFUSES(wal_on_durable, subscription, wal_on_durable(log, on_durable, &lsn, on_drop, NULL,
            &err));
    ALLOWS(wal_on_durable, err, wal_on_durable(log, on_durable, &lsn, on_drop, &subscription,
            NULL));
    wal_subscription_release(subscription);
    IGNORES(wal_subscription_release, subscription, (wal_subscription_release(NULL), 1));
    wal_notifier_release(notifier);
}

static void completing(void) {
    wal_completions *completions = NULL, *opened = NULL;
    wal_append_options options;
    wal_completion ended[1];
    OK(wal_append_options_init(&options, sizeof options));
    OK(wal_completions_open(log, &completions, &err));
    REFUSES(wal_completions_open, log, wal_completions_open(NULL, &opened, &err));
    REFUSES(wal_completions_open, completions, wal_completions_open(log, NULL, &err));
    ALLOWS(wal_completions_open, err, wal_completions_open(log, &opened, NULL));
    wal_completions_release(opened);
    IGNORES(wal_completions_fd, completions, wal_completions_fd(NULL) == -1);
    REFUSES(wal_completions_submit, completions, wal_completions_submit(NULL, &slice, 1, &options,
            1, &lsn, &lsn, &err));
    REFUSES(wal_completions_submit, records, wal_completions_submit(completions, NULL, 1, &options,
            1, &lsn, &lsn, &err));
    ALLOWS(wal_completions_submit, options, wal_completions_submit(completions, &slice, 1, NULL,
            1, &lsn, &lsn, &err));
    ALLOWS(wal_completions_submit, first_lsn, wal_completions_submit(completions, &slice, 1,
            &options, 2, NULL, &lsn, &err));
    ALLOWS(wal_completions_submit, last_lsn, wal_completions_submit(completions, &slice, 1,
            &options, 3, &lsn, NULL, &err));
    ALLOWS(wal_completions_submit, err, wal_completions_submit(completions, &slice, 1, &options,
            4, &lsn, &lsn, NULL));
    REFUSES(wal_completions_take, completions, wal_completions_take(NULL, ended, 1, &count, &err));
    REFUSES(wal_completions_take, ended, wal_completions_take(completions, NULL, 1, &count, &err));
    REFUSES(wal_completions_take, count, wal_completions_take(completions, ended, 1, NULL, &err));
    ALLOWS(wal_completions_take, err, wal_completions_take(completions, ended, 1, &count, NULL));
    IGNORES(wal_completions_release, completions, (wal_completions_release(NULL), 1));
    wal_completions_release(completions);
}

static void reading(void) {
    REFUSES(wal_read, log, wal_read(NULL, 1, buffer, sizeof buffer, &len, &err));
    REFUSES(wal_read, buffer, wal_read(log, 1, NULL, sizeof buffer, &len, &err));
    REFUSES(wal_read, len, wal_read(log, 1, buffer, sizeof buffer, NULL, &err));
    ALLOWS(wal_read, err, wal_read(log, 1, buffer, sizeof buffer, &len, NULL));
    REFUSES(wal_time_of, log, wal_time_of(NULL, 1, &time_ns, &err));
    REFUSES(wal_time_of, time_ns, wal_time_of(log, 1, NULL, &err));
    ALLOWS(wal_time_of, err, wal_time_of(log, 1, &time_ns, NULL));
    REFUSES(wal_record_open, log, wal_record_open(NULL, 1, &record, &err));
    REFUSES(wal_record_open, record, wal_record_open(log, 1, NULL, &err));
    ALLOWS(wal_record_open, err, wal_record_open(log, 1, &record, NULL));
    wal_record_release(record);
    IGNORES(wal_record_data, record, wal_record_data(NULL) == NULL);
    IGNORES(wal_record_len, record, wal_record_len(NULL) == 0);
    IGNORES(wal_record_lsn, record, wal_record_lsn(NULL) == 0);
    IGNORES(wal_record_flags, record, wal_record_flags(NULL) == 0);
    IGNORES(wal_record_release, record, (wal_record_release(NULL), 1));
    REFUSES(wal_replay, log, wal_replay(NULL, WAL_FROM_FIRST, 0, on_record, &lsn, &lsn, &err));
    REFUSES(wal_replay, callback, wal_replay(log, WAL_FROM_FIRST, 0, NULL, &lsn, &lsn, &err));
    ALLOWS(wal_replay, payload, wal_replay(log, WAL_FROM_FIRST, 0, on_record, NULL, &lsn, &err));
    ALLOWS(wal_replay, last_lsn, wal_replay(log, WAL_FROM_FIRST, 0, on_record, &lsn, NULL, &err));
    ALLOWS(wal_replay, err, wal_replay(log, WAL_FROM_FIRST, 0, on_record, &lsn, &lsn, NULL));
    REFUSES(wal_replay_parallel, log, wal_replay_parallel(NULL, WAL_FROM_FIRST, 0, 1, 1,
            on_record, &lsn, &lsn, &err));
    REFUSES(wal_replay_parallel, callback, wal_replay_parallel(log, WAL_FROM_FIRST, 0, 1, 1, NULL,
            &lsn, &lsn, &err));
    ALLOWS(wal_replay_parallel, payload, wal_replay_parallel(log, WAL_FROM_FIRST, 0, 1, 1,
            on_record, NULL, &lsn, &err));
    ALLOWS(wal_replay_parallel, count, wal_replay_parallel(log, WAL_FROM_FIRST, 0, 1, 1,
            on_record, &lsn, NULL, &err));
    ALLOWS(wal_replay_parallel, err, wal_replay_parallel(log, WAL_FROM_FIRST, 0, 1, 1, on_record,
            &lsn, &lsn, NULL));
}

static void cursors(void) {
    wal_cursor *cursor = NULL, *opened = NULL;
    OK(wal_cursor_open(log, WAL_FROM_FIRST, 0, &cursor, &err));
    REFUSES(wal_cursor_open, log, wal_cursor_open(NULL, WAL_FROM_FIRST, 0, &opened, &err));
    REFUSES(wal_cursor_open, cursor, wal_cursor_open(log, WAL_FROM_FIRST, 0, NULL, &err));
    ALLOWS(wal_cursor_open, err, wal_cursor_open(log, WAL_FROM_FIRST, 0, &opened, NULL));
    wal_cursor_release(opened);
    REFUSES(wal_cursor_next, cursor, wal_cursor_next(NULL, &record, &err));
    REFUSES(wal_cursor_next, record, wal_cursor_next(cursor, NULL, &err));
    ALLOWS(wal_cursor_next, err, wal_cursor_next(cursor, &record, NULL));
    wal_record_release(record);
    REFUSES(wal_cursor_prev, cursor, wal_cursor_prev(NULL, &record, &err));
    REFUSES(wal_cursor_prev, record, wal_cursor_prev(cursor, NULL, &err));
    ALLOWS(wal_cursor_prev, err, wal_cursor_prev(cursor, &record, NULL));
    wal_record_release(record);
    REFUSES(wal_cursor_read_packed, cursor, wal_cursor_read_packed(NULL, buffer, sizeof buffer, 1,
            &count, &len, &err));
    REFUSES(wal_cursor_read_packed, buffer, wal_cursor_read_packed(cursor, NULL, sizeof buffer, 1,
            &count, &len, &err));
    REFUSES(wal_cursor_read_packed, count, wal_cursor_read_packed(cursor, buffer, sizeof buffer,
            1, NULL, &len, &err));
    REFUSES(wal_cursor_read_packed, used, wal_cursor_read_packed(cursor, buffer, sizeof buffer, 1,
            &count, NULL, &err));
    ALLOWS(wal_cursor_read_packed, err, wal_cursor_read_packed(cursor, buffer, sizeof buffer, 1,
            &count, &len, NULL));
    REFUSES(wal_cursor_seek, cursor, wal_cursor_seek(NULL, WAL_FROM_FIRST, 0, &err));
    ALLOWS(wal_cursor_seek, err, wal_cursor_seek(cursor, WAL_FROM_FIRST, 0, NULL));
    REFUSES(wal_cursor_seek_time, cursor, wal_cursor_seek_time(NULL, 0, &err));
    ALLOWS(wal_cursor_seek_time, err, wal_cursor_seek_time(cursor, 0, NULL));
    OK(wal_cursor_next(cursor, &record, &err));
    wal_record_release(record);
    REFUSES(wal_cursor_time, cursor, wal_cursor_time(NULL, &time_ns, &err));
    REFUSES(wal_cursor_time, time_ns, wal_cursor_time(cursor, NULL, &err));
    ALLOWS(wal_cursor_time, err, wal_cursor_time(cursor, &time_ns, NULL));
    IGNORES(wal_cursor_next_lsn, cursor, wal_cursor_next_lsn(NULL) == 0);
    IGNORES(wal_cursor_release, cursor, (wal_cursor_release(NULL), 1));
    wal_cursor_release(cursor);
}

static void followers(void) {
    wal_follower *follower = NULL, *opened = NULL;
    OK(wal_follower_open(log, WAL_FROM_FIRST, 0, &follower, &err));
    REFUSES(wal_follower_open, log, wal_follower_open(NULL, WAL_FROM_FIRST, 0, &opened, &err));
    REFUSES(wal_follower_open, follower, wal_follower_open(log, WAL_FROM_FIRST, 0, NULL, &err));
    ALLOWS(wal_follower_open, err, wal_follower_open(log, WAL_FROM_FIRST, 0, &opened, NULL));
    wal_follower_release(opened);
    REFUSES(wal_follower_next, follower, wal_follower_next(NULL, 0, &record, &err));
    REFUSES(wal_follower_next, record, wal_follower_next(follower, 0, NULL, &err));
    ALLOWS(wal_follower_next, err, wal_follower_next(follower, 0, &record, NULL));
    wal_record_release(record);
    REFUSES(wal_follower_read_packed, follower, wal_follower_read_packed(NULL, 0, buffer,
            sizeof buffer, 1, &count, &len, &err));
    REFUSES(wal_follower_read_packed, buffer, wal_follower_read_packed(follower, 0, NULL,
            sizeof buffer, 1, &count, &len, &err));
    REFUSES(wal_follower_read_packed, count, wal_follower_read_packed(follower, 0, buffer,
            sizeof buffer, 1, NULL, &len, &err));
    REFUSES(wal_follower_read_packed, used, wal_follower_read_packed(follower, 0, buffer,
            sizeof buffer, 1, &count, NULL, &err));
    ALLOWS(wal_follower_read_packed, err, wal_follower_read_packed(follower, 0, buffer,
            sizeof buffer, 1, &count, &len, NULL));
    REFUSES(wal_follower_seek, follower, wal_follower_seek(NULL, WAL_FROM_FIRST, 0, &err));
    ALLOWS(wal_follower_seek, err, wal_follower_seek(follower, WAL_FROM_FIRST, 0, NULL));
    IGNORES(wal_follower_next_lsn, follower, wal_follower_next_lsn(NULL) == 0);
    IGNORES(wal_follower_release, follower, (wal_follower_release(NULL), 1));
    wal_follower_release(follower);
}

static void values(void) {
    wal_value_change change = {{"k", 1}, {"v", 1}, 0, 0};
    int32_t existed = 0;
    OK(wal_value_set(log, "k", 1, "v", 1, &err));
    REFUSES(wal_value_read, log, wal_value_read(NULL, "k", 1, buffer, sizeof buffer, &len, &err));
    REFUSES(wal_value_read, key, wal_value_read(log, NULL, 1, buffer, sizeof buffer, &len, &err));
    REFUSES(wal_value_read, buffer, wal_value_read(log, "k", 1, NULL, sizeof buffer, &len, &err));
    REFUSES(wal_value_read, len, wal_value_read(log, "k", 1, buffer, sizeof buffer, NULL, &err));
    ALLOWS(wal_value_read, err, wal_value_read(log, "k", 1, buffer, sizeof buffer, &len, NULL));
    REFUSES(wal_value_set, log, wal_value_set(NULL, "k", 1, "v", 1, &err));
    REFUSES(wal_value_set, key, wal_value_set(log, NULL, 1, "v", 1, &err));
    REFUSES(wal_value_set, value, wal_value_set(log, "k", 1, NULL, 1, &err));
    ALLOWS(wal_value_set, err, wal_value_set(log, "k", 1, "v", 1, NULL));
    REFUSES(wal_value_delete, log, wal_value_delete(NULL, "k", 1, &existed, &err));
    REFUSES(wal_value_delete, key, wal_value_delete(log, NULL, 1, &existed, &err));
    ALLOWS(wal_value_delete, existed, wal_value_delete(log, "k", 1, NULL, &err));
    ALLOWS(wal_value_delete, err, wal_value_delete(log, "k", 1, &existed, NULL));
    REFUSES(wal_value_update, log, wal_value_update(NULL, &change, 1, &err));
    REFUSES(wal_value_update, changes, wal_value_update(log, NULL, 1, &err));
    ALLOWS(wal_value_update, err, wal_value_update(log, &change, 1, NULL));
    REFUSES(wal_value_list, log, wal_value_list(NULL, on_value, &lsn, &err));
    REFUSES(wal_value_list, callback, wal_value_list(log, NULL, &lsn, &err));
    ALLOWS(wal_value_list, payload, wal_value_list(log, on_value, NULL, &err));
    ALLOWS(wal_value_list, err, wal_value_list(log, on_value, &lsn, NULL));
}

static void checking(void) {
    wal_info info = {0};
    wal_recovery_report recovery = {0};
    wal_verify_report verified = {0};
    wal_repair_report repaired = {0};
    wal_copy_report copied = {0};
    char path[4096];
    info.struct_size = sizeof info;
    recovery.struct_size = sizeof recovery;
    verified.struct_size = sizeof verified;
    repaired.struct_size = sizeof repaired;
    copied.struct_size = sizeof copied;
    snprintf(path, sizeof path, "%s", path_of("copy"));
    REFUSES(wal_copy_to, log, wal_copy_to(NULL, path, &copied, &err));
    REFUSES(wal_copy_to, path, wal_copy_to(log, NULL, &copied, &err));
    ALLOWS(wal_copy_to, report, wal_copy_to(log, path, NULL, &err));
    REFUSES(wal_check_info, path, wal_check_info(NULL, &info, &recovery, on_segment, &lsn, &err));
    ALLOWS(wal_check_info, info, wal_check_info(path, NULL, &recovery, on_segment, &lsn, &err));
    ALLOWS(wal_check_info, recovery, wal_check_info(path, &info, NULL, on_segment, &lsn, &err));
    ALLOWS(wal_check_info, segments, wal_check_info(path, &info, &recovery, NULL, &lsn, &err));
    ALLOWS(wal_check_info, payload, wal_check_info(path, &info, &recovery, on_segment, NULL, &err));
    ALLOWS(wal_check_info, err, wal_check_info(path, &info, &recovery, on_segment, &lsn, NULL));
    REFUSES(wal_check_verify, path, wal_check_verify(NULL, on_progress, on_finding, &lsn,
            &verified, &err));
    ALLOWS(wal_check_verify, progress, wal_check_verify(path, NULL, on_finding, &lsn, &verified,
            &err));
    ALLOWS(wal_check_verify, finding, wal_check_verify(path, on_progress, NULL, &lsn, &verified,
            &err));
    ALLOWS(wal_check_verify, payload, wal_check_verify(path, on_progress, on_finding, NULL,
            &verified, &err));
    ALLOWS(wal_check_verify, report, wal_check_verify(path, on_progress, on_finding, &lsn, NULL,
            &err));
    ALLOWS(wal_check_verify, err, wal_check_verify(path, on_progress, on_finding, &lsn, &verified,
            NULL));
    REFUSES(wal_check_repair, path, wal_check_repair(NULL, 1, on_line, &lsn, &repaired, &err));
    ALLOWS(wal_check_repair, line, wal_check_repair(path, 1, NULL, &lsn, &repaired, &err));
    ALLOWS(wal_check_repair, payload, wal_check_repair(path, 1, on_line, NULL, &repaired, &err));
    ALLOWS(wal_check_repair, report, wal_check_repair(path, 1, on_line, &lsn, NULL, &err));
    ALLOWS(wal_check_repair, err, wal_check_repair(path, 1, on_line, &lsn, &repaired, NULL));
    OK(wal_destroy(path, &err));
    ALLOWS(wal_copy_to, err, wal_copy_to(log, path, &copied, NULL));
}

static void dropping(void) {
    REFUSES(wal_trim, log, wal_trim(NULL, 1, &lsn, &err));
    ALLOWS(wal_trim, first_lsn, wal_trim(log, 1, NULL, &err));
    ALLOWS(wal_trim, err, wal_trim(log, 1, &lsn, NULL));
    REFUSES(wal_truncate, log, wal_truncate(NULL, wal_last_lsn(log), &err));
    ALLOWS(wal_truncate, err, wal_truncate(log, wal_last_lsn(log), NULL));
    REFUSES(wal_reset_to, log, wal_reset_to(NULL, 100, &err));
    ALLOWS(wal_reset_to, err, wal_reset_to(log, 100, NULL));
}

static void test(void) {
    the_library();
    opening();
    log = open_at("log");
    appending();
    submitting();
    telling();
    listening();
    completing();
    reading();
    cursors();
    followers();
    values();
    checking();
    dropping();
    close_and_release(log);
}
