/* Callbacks that call back: into the log they are called for, into others, and closing or releasing
   what they are called by. */
#include "testing.h"

#include <pthread.h>

enum { RECORDS = 8 };

static char buffer[64];

static wal_log *filled(const char *name) {
    wal_log *log = open_at(name);
    int i;
    for (i = 0; i < RECORDS; i++) {
        append_text(log, "record");
    }
    return log;
}

struct replaying {
    wal_log *log;
    int calls;
    int is_closing;
    int is_releasing;
    int32_t closed;
};

static int32_t on_nested(uint64_t lsn, const void *data, size_t len, uint32_t flags,
                         void *payload) {
    (void)lsn, (void)data, (void)len, (void)flags;
    (*(int *)payload)++;
    return 0;
}

static int32_t on_record(uint64_t lsn, const void *data, size_t len, uint32_t flags,
                         void *payload) {
    struct replaying *replaying = payload;
    wal_log *log = replaying->log;
    wal_error error = WAL_ERROR_INIT;
    size_t size = 0;
    int nested = 0;
    (void)flags;
    TAKE_OVER(payload);
    CHECK(len == 6 && memcmp(data, "record", 6) == 0);
    if (replaying->calls++ == 0) {
        RETURNS(WAL_OK, wal_read(log, lsn, buffer, sizeof buffer, &size, &error));
        RETURNS(WAL_OK, wal_append(log, "record", 6, 0, NULL, &error));
        RETURNS(WAL_OK, wal_value_set(log, "key", 3, "value", 5, &error));
        RETURNS(WAL_OK, wal_replay(log, WAL_FROM_FIRST, 0, on_nested, &nested, NULL, &error));
        CHECK(nested >= RECORDS);
        if (replaying->is_closing) {
            replaying->closed = wal_close(log, &error);
            RETURNS(WAL_ERR_CLOSED, wal_append(log, "late", 4, 0, NULL, &error));
        }
        if (replaying->is_releasing) {
            wal_release(log);
        }
    }
    HAND_OVER(payload);
    return 0;
}

static void a_replay_may_use_its_log(void) {
    struct replaying replaying = {0};
    replaying.log = filled("replay");
    OK(wal_replay(replaying.log, WAL_FROM_FIRST, 0, on_record, &replaying, NULL, &err));
    CHECK(replaying.calls >= RECORDS);
    replaying.calls = 0;
    HAND_OVER(&replaying);
    OK(wal_replay_parallel(replaying.log, WAL_FROM_FIRST, 0, 2, 1, on_record, &replaying, NULL,
            &err));
    TAKE_OVER(&replaying);
    CHECK(replaying.calls >= RECORDS);
    close_and_release(replaying.log);
}

static void a_replay_may_close_its_log(void) {
    struct replaying replaying = {0};
    wal_log *log = replaying.log = filled("closed");
    replaying.is_closing = 1;
    replaying.closed = -99;
    OK(wal_replay(log, WAL_FROM_FIRST, 0, on_record, &replaying, NULL, &err));
    CHECK(replaying.closed == WAL_OK && replaying.calls >= RECORDS);
    RETURNS(WAL_ERR_CLOSED, wal_sync(log, NULL, &err));
    wal_release(log);
    /* The close is over when the replay is: the lock is free. */
    log = open_at("closed");
    CHECK(wal_last_lsn(log) == RECORDS + 1);
    close_and_release(log);
}

static void a_parallel_replay_may_close_its_log(void) {
    struct replaying replaying = {0};
    wal_log *log = replaying.log = filled("parallel");
    replaying.is_closing = 1;
    replaying.closed = -99;
    /* The log may be down before the last record was handed out: that is told, not a crash. */
    HAND_OVER(&replaying);
    wal_replay_parallel(log, WAL_FROM_FIRST, 0, 2, 1, on_record, &replaying, NULL, NULL);
    TAKE_OVER(&replaying);
    CHECK(replaying.closed == WAL_OK && replaying.calls >= 1);
    OK(wal_close(log, &err));
    wal_release(log);
}

static void a_replay_may_release_its_log(void) {
    struct replaying replaying = {0};
    replaying.log = filled("released");
    replaying.is_releasing = 1;
    OK(wal_replay(replaying.log, WAL_FROM_FIRST, 0, on_record, &replaying, NULL, &err));
    CHECK(replaying.calls >= RECORDS);
    replaying.log = open_at("released");
    CHECK(wal_last_lsn(replaying.log) == RECORDS + 1);
    close_and_release(replaying.log);
}

static int32_t on_value(const void *key, size_t key_len, const void *value, size_t value_len,
                        void *payload) {
    wal_log *log = payload;
    wal_error error = WAL_ERROR_INIT;
    size_t len = 0;
    CHECK(key_len == 1 && value_len == 1);
    RETURNS(WAL_OK, wal_value_read(log, key, 1, buffer, sizeof buffer, &len, &error));
    CHECK(len == 1 && buffer[0] == *(const char *)value);
    RETURNS(WAL_OK, wal_value_set(log, key, 1, "new", 3, &error));
    RETURNS(WAL_OK, wal_value_delete(log, key, 1, NULL, &error));
    RETURNS(WAL_OK, wal_close(log, &error));
    return 1;
}

static int32_t on_segment(const wal_segment *segment, void *payload) {
    wal_log *log = payload;
    wal_error error = WAL_ERROR_INIT;
    wal_stats stats = {0};
    stats.struct_size = sizeof stats;
    RETURNS(WAL_OK, wal_stats_read(log, &stats, &error));
    RETURNS(WAL_OK, wal_trim(log, 2, NULL, &error));
    CHECK(segment->first_lsn == 1 && stats.segments == 1);
    RETURNS(WAL_OK, wal_close(log, &error));
    RETURNS(WAL_ERR_CLOSED, wal_stats_read(log, &stats, &error));
    return 0;
}

static void values_and_segments_may_be_changed_while_they_are_told(void) {
    wal_log *log = filled("values");
    OK(wal_value_set(log, "a", 1, "1", 1, &err));
    OK(wal_value_set(log, "b", 1, "2", 1, &err));
    OK(wal_value_list(log, on_value, log, &err));
    RETURNS(WAL_ERR_CLOSED, wal_value_list(log, on_value, log, &err));
    wal_release(log);
    log = open_at("values");
    OK(wal_stats_segments(log, on_segment, log, &err));
    RETURNS(WAL_ERR_CLOSED, wal_stats_segments(log, on_segment, log, &err));
    wal_release(log);
}

static int32_t on_checked(const wal_segment *segment, void *payload) {
    wal_log *log = NULL;
    wal_error error = WAL_ERROR_INIT;
    (void)segment;
    RETURNS(WAL_OK, wal_open(path_of("checked"), NULL, &log, NULL, &error));
    RETURNS(WAL_OK, wal_append(log, "more", 4, 0, NULL, &error));
    RETURNS(WAL_OK, wal_close(log, &error));
    wal_release(log);
    (*(int *)payload)++;
    return 0;
}

/* Inside a callback a close is deferred, so the log stays locked until the check is over. */
static void a_check_may_open_what_it_checks(void) {
    wal_log *log = filled("checked");
    int calls = 0;
    close_and_release(log);
    OK(wal_check_info(path_of("checked"), NULL, NULL, on_checked, &calls, &err));
    CHECK(calls == 1);
    log = open_at("checked");
    CHECK(wal_last_lsn(log) == RECORDS + 1);
    close_and_release(log);
}

struct durable {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    wal_log *log;
    uint64_t heard;
    int appended;
    int dropped;
};

static void on_durable(uint64_t lsn, const wal_error *failure, void *payload) {
    struct durable *durable = payload;
    wal_error error = WAL_ERROR_INIT;
    uint64_t own = 0;
    size_t len = 0;
    CHECK(failure == NULL);
    TAKE_OVER(payload);
    pthread_mutex_lock(&durable->mutex);
    if (durable->appended < RECORDS) {
        durable->appended++;
        RETURNS(WAL_OK, wal_append(durable->log, "echo", 4, 0, &own, &error));
        RETURNS(WAL_OK, wal_read(durable->log, own, buffer, sizeof buffer, &len, &error));
        RETURNS(WAL_OK, wal_wait_durable(durable->log, lsn, -1, NULL, &error));
        RETURNS(WAL_OK, wal_sync(durable->log, NULL, &error));
    }
    durable->heard = lsn;
    pthread_cond_broadcast(&durable->changed);
    pthread_mutex_unlock(&durable->mutex);
}

static void on_drop(void *payload) {
    struct durable *durable = payload;
    TAKE_OVER(payload);
    pthread_mutex_lock(&durable->mutex);
    durable->dropped++;
    pthread_cond_broadcast(&durable->changed);
    pthread_mutex_unlock(&durable->mutex);
}

/* Each append of the callback is news for the callback. */
static void a_listener_may_append_to_what_it_listens_to(void) {
    struct durable durable;
    wal_subscription *subscription = NULL;
    memset(&durable, 0, sizeof durable);
    CHECK(pthread_mutex_init(&durable.mutex, NULL) == 0);
    CHECK(pthread_cond_init(&durable.changed, NULL) == 0);
    durable.log = open_at("echo");
    HAND_OVER(&durable);
    OK(wal_on_durable(durable.log, on_durable, &durable, on_drop, &subscription, &err));
    append_text(durable.log, "first");
    pthread_mutex_lock(&durable.mutex);
    while (durable.heard < RECORDS + 1) {
        pthread_cond_wait(&durable.changed, &durable.mutex);
    }
    pthread_mutex_unlock(&durable.mutex);
    OK(wal_close(durable.log, &err));
    wal_subscription_release(subscription);
    pthread_mutex_lock(&durable.mutex);
    while (durable.dropped == 0) {
        pthread_cond_wait(&durable.changed, &durable.mutex);
    }
    pthread_mutex_unlock(&durable.mutex);
    CHECK(durable.dropped == 1 && wal_last_lsn(durable.log) == RECORDS + 1);
    wal_release(durable.log);
}

static void test(void) {
    a_replay_may_use_its_log();
    a_replay_may_close_its_log();
    a_parallel_replay_may_close_its_log();
    a_replay_may_release_its_log();
    values_and_segments_may_be_changed_while_they_are_told();
    a_check_may_open_what_it_checks();
    a_listener_may_append_to_what_it_listens_to();
}
