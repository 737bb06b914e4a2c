/* Every function that takes a handle, once its log was closed, and once its process was forked.
   tests/misuse.rs holds this file to the header: a function answers WAL_ERR_CLOSED and
   WAL_ERR_FORKED here exactly when its documentation says so. */
#include "testing.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the call returns on a closed log, and what in a child process. */
#define GONE(function, closed, forked, call) RETURNS(is_forked ? (forked) : (closed), call)
/* A function that answers as before. */
#define STAYS(function, condition) CHECK(condition)

static int is_forked;
static wal_log *log;
static wal_cursor *cursor, *at_end;
static wal_follower *follower;
static wal_notifier *notifier;
static wal_completions *completions;
static wal_record *record;
static char buffer[256];
static size_t len, count;
static uint64_t lsn;
static int64_t time_ns;

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

static void appending(void) {
    static const unsigned char packed[24] = {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'x'};
    wal_slice slice = {"x", 1};
    GONE(wal_append, WAL_ERR_CLOSED, WAL_ERR_FORKED, wal_append(log, "x", 1, 0, &lsn, &err));
    GONE(wal_append_at, WAL_ERR_CLOSED, WAL_ERR_FORKED, wal_append_at(log, 3, "x", 1, 0, &err));
    GONE(wal_append_v, WAL_ERR_CLOSED, WAL_ERR_FORKED,
         wal_append_v(log, &slice, 1, 0, &lsn, &err));
    GONE(wal_append_batch, WAL_ERR_CLOSED, WAL_ERR_FORKED,
         wal_append_batch(log, &slice, 1, NULL, &lsn, &lsn, &err));
    GONE(wal_append_packed, WAL_ERR_CLOSED, WAL_ERR_FORKED,
         wal_append_packed(log, packed, sizeof packed, 0, &lsn, &lsn, &err));
    GONE(wal_submit, WAL_ERR_CLOSED, WAL_ERR_FORKED, wal_submit(log, "x", 1, 0, &lsn, &err));
    GONE(wal_submit_batch, WAL_ERR_CLOSED, WAL_ERR_FORKED,
         wal_submit_batch(log, &slice, 1, NULL, &lsn, &lsn, &err));
    GONE(wal_submit_packed, WAL_ERR_CLOSED, WAL_ERR_FORKED,
         wal_submit_packed(log, packed, sizeof packed, 0, &lsn, &lsn, &err));
    GONE(wal_completions_submit, WAL_ERR_CLOSED, WAL_ERR_FORKED,
         wal_completions_submit(completions, &slice, 1, NULL, 7, &lsn, &lsn, &err));
    GONE(wal_sync, WAL_ERR_CLOSED, WAL_ERR_FORKED, wal_sync(log, &lsn, &err));
    GONE(wal_wait_durable, WAL_ERR_CLOSED, WAL_ERR_FORKED,
         wal_wait_durable(log, 99, -1, &lsn, &err));
    GONE(wal_trim, WAL_ERR_CLOSED, WAL_ERR_FORKED, wal_trim(log, 2, &lsn, &err));
    GONE(wal_truncate, WAL_ERR_CLOSED, WAL_ERR_FORKED, wal_truncate(log, 1, &err));
    GONE(wal_reset_to, WAL_ERR_CLOSED, WAL_ERR_FORKED, wal_reset_to(log, 9, &err));
}

static void reading(void) {
    wal_cursor *opened_cursor = NULL;
    wal_follower *opened_follower = NULL;
    wal_record *opened_record = NULL, *backwards = NULL;
    GONE(wal_read, WAL_ERR_CLOSED, WAL_ERR_FORKED,
         wal_read(log, 1, buffer, sizeof buffer, &len, &err));
    GONE(wal_time_of, WAL_ERR_CLOSED, WAL_ERR_FORKED, wal_time_of(log, 1, &time_ns, &err));
    GONE(wal_record_open, WAL_ERR_CLOSED, WAL_ERR_FORKED,
         wal_record_open(log, 1, &opened_record, &err));
    GONE(wal_replay, WAL_ERR_CLOSED, WAL_ERR_FORKED,
         wal_replay(log, WAL_FROM_FIRST, 0, on_record, NULL, &lsn, &err));
    GONE(wal_replay_parallel, WAL_ERR_CLOSED, WAL_ERR_FORKED,
         wal_replay_parallel(log, WAL_FROM_FIRST, 0, 2, 0, on_record, NULL, &lsn, &err));
    GONE(wal_cursor_open, WAL_ERR_CLOSED, WAL_ERR_FORKED,
         wal_cursor_open(log, WAL_FROM_FIRST, 0, &opened_cursor, &err));
    GONE(wal_cursor_next, WAL_ERR_CLOSED, WAL_ERR_FORKED,
         wal_cursor_next(at_end, &opened_record, &err));
    GONE(wal_cursor_read_packed, WAL_ERR_CLOSED, WAL_ERR_FORKED,
         wal_cursor_read_packed(at_end, buffer, sizeof buffer, 0, &count, &len, &err));
    GONE(wal_cursor_prev, WAL_OK, WAL_ERR_FORKED, wal_cursor_prev(at_end, &backwards, &err));
    wal_record_release(backwards);
    GONE(wal_cursor_seek, WAL_ERR_CLOSED, WAL_ERR_FORKED,
         wal_cursor_seek(cursor, WAL_FROM_FIRST, 0, &err));
    GONE(wal_cursor_seek_time, WAL_ERR_CLOSED, WAL_ERR_FORKED,
         wal_cursor_seek_time(cursor, 0, &err));
    STAYS(wal_cursor_next_lsn, wal_cursor_next_lsn(cursor) == 2);
    GONE(wal_follower_open, WAL_ERR_CLOSED, WAL_ERR_FORKED,
         wal_follower_open(log, WAL_FROM_FIRST, 0, &opened_follower, &err));
    GONE(wal_follower_next, WAL_ERR_CLOSED, WAL_ERR_FORKED,
         wal_follower_next(follower, -1, &opened_record, &err));
    GONE(wal_follower_read_packed, WAL_ERR_CLOSED, WAL_ERR_FORKED,
         wal_follower_read_packed(follower, -1, buffer, sizeof buffer, 0, &count, &len, &err));
    GONE(wal_follower_seek, WAL_ERR_CLOSED, WAL_ERR_FORKED,
         wal_follower_seek(follower, WAL_FROM_FIRST, 0, &err));
    STAYS(wal_follower_next_lsn, wal_follower_next_lsn(follower) == 3);
    CHECK(opened_cursor == NULL && opened_follower == NULL && opened_record == NULL);
}

static void telling(void) {
    wal_notifier *opened = NULL;
    wal_completions *opened_completions = NULL;
    wal_completion ended[1];
    wal_subscription *subscription = NULL;
    wal_stats stats = {0};
    wal_value_change change = {{"k", 1}, {"v", 1}, 0, 0};
    int32_t existed = 0;
    stats.struct_size = sizeof stats;
    GONE(wal_value_read, WAL_ERR_CLOSED, WAL_ERR_FORKED,
         wal_value_read(log, "k", 1, buffer, sizeof buffer, &len, &err));
    GONE(wal_value_set, WAL_ERR_CLOSED, WAL_ERR_FORKED, wal_value_set(log, "k", 1, "v", 1, &err));
    GONE(wal_value_delete, WAL_ERR_CLOSED, WAL_ERR_FORKED,
         wal_value_delete(log, "k", 1, &existed, &err));
    GONE(wal_value_update, WAL_ERR_CLOSED, WAL_ERR_FORKED,
         wal_value_update(log, &change, 1, &err));
    GONE(wal_value_list, WAL_ERR_CLOSED, WAL_ERR_FORKED,
         wal_value_list(log, on_value, NULL, &err));
    GONE(wal_notifier_open, WAL_ERR_CLOSED, WAL_ERR_FORKED, wal_notifier_open(log, &opened, &err));
    GONE(wal_notifier_acknowledge, WAL_ERR_CLOSED, WAL_ERR_FORKED,
         wal_notifier_acknowledge(notifier, &lsn, &err));
    STAYS(wal_notifier_fd, wal_notifier_fd(notifier) >= 0);
    GONE(wal_completions_open, WAL_ERR_CLOSED, WAL_ERR_FORKED,
         wal_completions_open(log, &opened_completions, &err));
    count = 0;
    GONE(wal_completions_take, WAL_OK, WAL_ERR_FORKED,
         wal_completions_take(completions, ended, 1, &count, &err));
    CHECK(count == 0);
    STAYS(wal_completions_fd, wal_completions_fd(completions) >= 0);
    GONE(wal_on_durable, WAL_ERR_CLOSED, WAL_ERR_FORKED,
         wal_on_durable(log, on_durable, NULL, NULL, &subscription, &err));
    GONE(wal_stats_read, WAL_ERR_CLOSED, WAL_ERR_FORKED, wal_stats_read(log, &stats, &err));
    GONE(wal_stats_segments, WAL_ERR_CLOSED, WAL_ERR_FORKED,
         wal_stats_segments(log, on_segment, NULL, &err));
    GONE(wal_poisoned, WAL_ERR_CLOSED, WAL_ERR_FORKED, wal_poisoned(log, &err));
    GONE(wal_copy_to, WAL_ERR_CLOSED, WAL_ERR_FORKED,
         wal_copy_to(log, path_of("copy"), NULL, &err));
    GONE(wal_cursor_time, WAL_OK, WAL_OK, wal_cursor_time(cursor, &time_ns, &err));
    CHECK(time_ns > 7);
    GONE(wal_path, WAL_OK, WAL_OK, wal_path(log, buffer, sizeof buffer, &len, &err));
    GONE(wal_uuid, WAL_OK, WAL_OK, wal_uuid(log, buffer, &err));
    GONE(wal_close, WAL_OK, WAL_ERR_FORKED, wal_close(log, &err));
    STAYS(wal_first_lsn, wal_first_lsn(log) == 1);
    STAYS(wal_last_lsn, wal_last_lsn(log) == 2);
    STAYS(wal_durable_lsn, wal_durable_lsn(log) == 2);
    STAYS(wal_written_lsn, wal_written_lsn(log) == 2);
    STAYS(wal_submitted_lsn, wal_submitted_lsn(log) == 2);
    STAYS(wal_next_lsn, wal_next_lsn(log) == 3);
    STAYS(wal_record_data, memcmp(wal_record_data(record), "one", 3) == 0);
    STAYS(wal_record_len, wal_record_len(record) == 3);
    STAYS(wal_record_lsn, wal_record_lsn(record) == 1);
    STAYS(wal_record_flags, wal_record_flags(record) == 0);
    CHECK(opened == NULL && subscription == NULL && existed == 0);
    CHECK(opened_completions == NULL);
}

static void prepare(const char *name) {
    log = open_at(name);
    append_text(log, "one");
    append_text(log, "two");
    OK(wal_cursor_open(log, WAL_FROM_FIRST, 0, &cursor, &err));
    OK(wal_cursor_next(cursor, &record, &err));
    OK(wal_cursor_open(log, WAL_FROM_END, 0, &at_end, &err));
    OK(wal_follower_open(log, WAL_FROM_END, 0, &follower, &err));
    OK(wal_notifier_open(log, &notifier, &err));
    OK(wal_completions_open(log, &completions, &err));
    lsn = 7, len = 7, count = 7, time_ns = 7;
}

static void every_call(void) {
    appending();
    reading();
    /* What a refused call would have returned was left alone. */
    CHECK(lsn == 7 && len == 7 && count == 7 && time_ns == 7);
    telling();
}

static void give_back(void) {
    wal_cursor_release(cursor);
    wal_cursor_release(at_end);
    wal_follower_release(follower);
    wal_notifier_release(notifier);
    wal_completions_release(completions);
    wal_record_release(record);
    wal_release(log);
}

static void a_closed_log_refuses_everything(void) {
    prepare("closed");
    OK(wal_close(log, &err));
    every_call();
    give_back();
}

static void a_cursor_delivers_what_there_is_of_a_closed_log(void) {
    wal_record *next = NULL;
    prepare("delivered");
    OK(wal_close(log, &err));
    OK(wal_cursor_next(cursor, &next, &err));
    CHECK(wal_record_len(next) == 3 && memcmp(wal_record_data(next), "two", 3) == 0);
    wal_record_release(next);
    RETURNS(WAL_ERR_CLOSED, wal_cursor_next(cursor, &next, &err));
    give_back();
}

static void a_closed_reader_refuses_reading(void) {
    wal_log *reader = NULL;
    OK(wal_open_read_only(path_of("closed"), NULL, &reader, NULL, &err));
    check_record(reader, 2, "two");
    OK(wal_close(reader, &err));
    RETURNS(WAL_ERR_CLOSED, wal_read(reader, 1, buffer, sizeof buffer, &len, &err));
    RETURNS(WAL_ERR_CLOSED, wal_replay(reader, WAL_FROM_FIRST, 0, on_record, NULL, NULL, &err));
    RETURNS(WAL_ERR_CLOSED, wal_value_list(reader, on_value, NULL, &err));
    wal_release(reader);
}

static void a_child_process_is_refused_everything(void) {
    int status = 0;
    pid_t child;
    prepare("forked");
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        is_forked = 1;
        every_call();
        give_back();
        /* The threads of the parent are gone and what they held is lost, by the nature of fork: the
           child ends without being searched for leaks. */
        kill(getpid(), SIGKILL);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    CHECK(append_text(log, "still the parent") == 3);
    OK(wal_close(log, &err));
    give_back();
}

static void test(void) {
    a_closed_log_refuses_everything();
    a_cursor_delivers_what_there_is_of_a_closed_log();
    a_closed_reader_refuses_reading();
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    /* The child allocates, which POSIX leaves open for a process with threads: the C library keeps
       its allocator usable, a sanitizer's may be left locked by a thread that is gone. */
    puts("fork: left to the runs without a sanitizer");
    (void)a_child_process_is_refused_everything;
#else
    a_child_process_is_refused_everything();
#endif
}
