/* Cursors both ways, positions, times, replays that stop, and followers that wait. */
#include "testing.h"

#include <pthread.h>

#define RECORDS 20

static wal_log *twenty(const char *name) {
    wal_log *log = open_at(name);
    int i;
    for (i = 1; i <= RECORDS; i++) {
        char text[16];
        snprintf(text, sizeof text, "record %d", i);
        CHECK(append_text(log, text) == (uint64_t)i);
    }
    return log;
}

static uint64_t take_next(wal_cursor *cursor) {
    wal_record *record = NULL;
    uint64_t lsn = 0;
    OK(wal_cursor_next(cursor, &record, &err));
    if (record != NULL) {
        char text[16];
        lsn = wal_record_lsn(record);
        snprintf(text, sizeof text, "record %d", (int)lsn);
        CHECK(wal_record_len(record) == strlen(text));
        CHECK(memcmp(wal_record_data(record), text, strlen(text)) == 0);
        CHECK(wal_record_flags(record) == 0);
    }
    wal_record_release(record);
    return lsn;
}

static uint64_t take_prev(wal_cursor *cursor) {
    wal_record *record = NULL;
    uint64_t lsn;
    OK(wal_cursor_prev(cursor, &record, &err));
    lsn = wal_record_lsn(record);
    wal_record_release(record);
    return lsn;
}

static void a_cursor_goes_both_ways(void) {
    wal_log *log = twenty("cursor");
    wal_cursor *cursor = NULL;
    int64_t time_ns = 0, other_ns = 0;
    uint64_t lsn;
    OK(wal_cursor_open(log, WAL_FROM_FIRST, 0, &cursor, &err));
    CHECK(wal_cursor_next_lsn(cursor) == 1);
    for (lsn = 1; lsn <= RECORDS; lsn++) {
        CHECK(take_next(cursor) == lsn);
    }
    CHECK(take_next(cursor) == 0);
    append_text(log, "record 21");
    CHECK(take_next(cursor) == 21);
    for (lsn = 21; lsn >= 1; lsn--) {
        CHECK(take_prev(cursor) == lsn);
    }
    CHECK(take_prev(cursor) == 0);
    OK(wal_cursor_seek(cursor, WAL_FROM_LSN, 7, &err));
    CHECK(take_next(cursor) == 7);
    OK(wal_cursor_time(cursor, &time_ns, &err));
    OK(wal_time_of(log, 7, &other_ns, &err));
    CHECK(time_ns == other_ns && time_ns > INT64_C(1500000000) * 1000000000);
    OK(wal_cursor_seek(cursor, WAL_FROM_END, 0, &err));
    CHECK(take_next(cursor) == 0 && take_prev(cursor) == 21);
    OK(wal_cursor_seek_time(cursor, 1, &err));
    CHECK(take_next(cursor) == 1);
    OK(wal_cursor_seek(cursor, WAL_FROM_TIME, (uint64_t)time_ns, &err));
    lsn = take_next(cursor);
    CHECK(lsn >= 1 && lsn <= 7);
    wal_cursor_release(cursor);
    close_and_release(log);
}

static void a_record_outlives_its_log(void) {
    wal_log *log = twenty("outlive");
    wal_record *record = NULL;
    RETURNS(WAL_ERR_NOT_FOUND, wal_record_open(log, RECORDS + 5, &record, &err));
    OK(wal_record_open(log, 3, &record, &err));
    close_and_release(log);
    CHECK(wal_record_len(record) == 8 && memcmp(wal_record_data(record), "record 3", 8) == 0);
    wal_record_release(record);
}

struct replayed {
    uint64_t next;
    uint64_t stop_at;
    wal_log *to_close;
};

static int32_t on_record(uint64_t lsn, const void *data, size_t len, uint32_t flags,
                         void *payload) {
    struct replayed *replayed = payload;
    int32_t is_last;
    TAKE_OVER(replayed);
    CHECK(lsn == replayed->next && flags == 0);
    CHECK(len >= 8 && memcmp(data, "record ", 7) == 0);
    replayed->next++;
    if (replayed->to_close != NULL && lsn == replayed->stop_at) {
        CHECK(wal_close(replayed->to_close, NULL) == WAL_OK);
        CHECK(wal_append(replayed->to_close, "x", 1, 0, NULL, NULL) == WAL_ERR_CLOSED);
    }
    is_last = lsn == replayed->stop_at;
    HAND_OVER(replayed);
    return is_last;
}

static void a_replay_stops_when_told(void) {
    wal_log *log = twenty("replay");
    struct replayed replayed = {1, 0, NULL};
    uint64_t last = 0, count = 0;
    OK(wal_replay(log, WAL_FROM_FIRST, 0, on_record, &replayed, &last, &err));
    CHECK(last == RECORDS && replayed.next == RECORDS + 1);
    replayed.next = 5;
    replayed.stop_at = 9;
    OK(wal_replay(log, WAL_FROM_LSN, 5, on_record, &replayed, &last, &err));
    CHECK(last == 9 && replayed.next == 10);
    replayed.next = 1;
    replayed.stop_at = 0;
    HAND_OVER(&replayed);
    OK(wal_replay_parallel(log, WAL_FROM_FIRST, 0, 2, 1, on_record, &replayed, &count, &err));
    TAKE_OVER(&replayed);
    CHECK(count == RECORDS && replayed.next == RECORDS + 1);
    OK(wal_replay(log, WAL_FROM_END, 0, on_record, &replayed, &last, &err));
    CHECK(last == 0);
    replayed.next = 1;
    replayed.stop_at = 2;
    replayed.to_close = log;
    OK(wal_replay(log, WAL_FROM_FIRST, 0, on_record, &replayed, &last, &err));
    CHECK(last == 2);
    RETURNS(WAL_ERR_CLOSED, wal_append(log, "x", 1, 0, NULL, &err));
    wal_release(log);
}

static void *append_later(void *payload) {
    int i;
    for (i = 0; i < 5; i++) {
        sleep_ms(20);
        append_text(payload, "later");
    }
    sleep_ms(20);
    CHECK(wal_close(payload, NULL) == WAL_OK);
    return NULL;
}

static void a_follower_waits_and_ends_with_the_log(void) {
    wal_log *log = twenty("follow");
    wal_follower *follower = NULL;
    wal_record *record = NULL;
    unsigned char batch[64];
    size_t count = 0, used = 0;
    pthread_t thread;
    uint64_t lsn;
    int32_t code;
    OK(wal_follower_open(log, WAL_FROM_LSN, RECORDS, &follower, &err));
    CHECK(wal_follower_next_lsn(follower) == RECORDS);
    OK(wal_follower_read_packed(follower, -1, batch, sizeof batch, 0, &count, &used, &err));
    CHECK(count == 1 && used == 32);
    RETURNS(WAL_ERR_TIMEOUT, wal_follower_next(follower, 0, &record, &err));
    RETURNS(WAL_ERR_TIMEOUT, wal_follower_next(follower, 20, &record, &err));
    RETURNS(WAL_ERR_TIMEOUT,
            wal_follower_read_packed(follower, 10, batch, sizeof batch, 0, &count, &used, &err));
    CHECK(record == NULL);
    CHECK(pthread_create(&thread, NULL, append_later, log) == 0);
    for (lsn = RECORDS + 1; lsn <= RECORDS + 3; lsn++) {
        OK(wal_follower_next(follower, -1, &record, &err));
        CHECK(wal_record_lsn(record) == lsn);
        wal_record_release(record);
    }
    /* No room for one record: it is kept, and comes next. */
    RETURNS(WAL_ERR_FULL, wal_follower_read_packed(follower, -1, batch, 8, 0, &count, &used, &err));
    CHECK(count == 0 && used == 24 && wal_follower_next_lsn(follower) == RECORDS + 4);
    for (;;) {
        code = wal_follower_next(follower, -1, &record, &err);
        if (code != WAL_OK) {
            break;
        }
        CHECK(wal_record_lsn(record) == lsn);
        wal_record_release(record);
        lsn++;
    }
    RETURNS(WAL_ERR_CLOSED, code);
    CHECK(lsn == RECORDS + 6);
    CHECK(pthread_join(thread, NULL) == 0);
    wal_release(log);
    wal_follower_release(follower);
}

static void a_reader_beside_the_writer_changes_nothing(void) {
    wal_log *log = twenty("reader"), *reader = NULL;
    wal_log *second = NULL;
    OK(wal_open_read_only(path_of("reader"), NULL, &reader, NULL, &err));
    CHECK(wal_last_lsn(reader) == RECORDS);
    check_record(reader, 11, "record 11");
    CHECK(wal_append(reader, "x", 1, 0, NULL, &err) == WAL_ERR_INVALID);
    RETURNS(WAL_ERR_LOCKED, wal_open(path_of("reader"), NULL, &second, NULL, &err));
    CHECK(second == NULL);
    RETURNS(WAL_ERR_LOCKED, wal_destroy(path_of("reader"), &err));
    OK(wal_close(reader, &err));
    wal_release(reader);
    close_and_release(log);
}

static void test(void) {
    a_cursor_goes_both_ways();
    a_record_outlives_its_log();
    a_replay_stops_when_told();
    a_follower_waits_and_ends_with_the_log();
    a_reader_beside_the_writer_changes_nothing();
}
