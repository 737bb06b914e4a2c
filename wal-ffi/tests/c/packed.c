/* Batches: as slices, packed by hand, submitted, and read back into memory of the program. */
#include "testing.h"

/* Adds a record to a packed batch, as the manual describes the layout. */
static size_t pack(unsigned char *at, const char *payload, uint32_t flags, uint64_t lsn) {
    size_t len = strlen(payload), size = (WAL_PACKED_HEADER_BYTES + len + 7) / 8 * 8, i;
    memset(at, 0, size);
    for (i = 0; i < 4; i++) {
        at[i] = (unsigned char)(len >> (8 * i));
        at[4 + i] = (unsigned char)(flags >> (8 * i));
    }
    for (i = 0; i < 8; i++) {
        at[8 + i] = (unsigned char)(lsn >> (8 * i));
    }
    memcpy(at + WAL_PACKED_HEADER_BYTES, payload, len);
    return size;
}

static void a_packed_batch_is_appended_as_one(void) {
    wal_log *log = open_at("packed");
    unsigned char batch[128], read[128], expected[128];
    uint64_t first = 0, last = 0;
    size_t len = 0, count = 0, used = 0;
    wal_cursor *cursor = NULL;
    len = pack(batch, "one", 0, 0);
    len += pack(batch + len, "two two two", 0, 0);
    len += pack(batch + len, "", 0, 0);
    OK(wal_append_packed(log, batch, len, WAL_LEVEL_DEFAULT, &first, &last, &err));
    CHECK(first == 1 && last == 3 && wal_durable_lsn(log) == 3);
    check_record(log, 2, "two two two");

    OK(wal_cursor_open(log, WAL_FROM_FIRST, 0, &cursor, &err));
    OK(wal_cursor_read_packed(cursor, read, sizeof read, 0, &count, &used, &err));
    len = pack(expected, "one", WAL_PACKED_BATCH_CONTINUES, 1);
    len += pack(expected + len, "two two two", WAL_PACKED_BATCH_CONTINUES, 2);
    len += pack(expected + len, "", 0, 3);
    CHECK(count == 3 && used == len && memcmp(read, expected, len) == 0);
    OK(wal_cursor_read_packed(cursor, read, sizeof read, 0, &count, &used, &err));
    CHECK(count == 0 && used == 0);
    wal_cursor_release(cursor);
    close_and_release(log);
}

static void a_record_that_does_not_fit_is_kept_for_the_next_read(void) {
    wal_log *log = open_at("kept");
    unsigned char read[64];
    size_t count = 0, used = 0;
    wal_cursor *cursor = NULL;
    wal_record *record = NULL;
    int64_t time_ns = 0, expected_ns = 0;
    append_text(log, "1");
    append_text(log, "a record of more than forty bytes, which needs a buffer of its own");
    append_text(log, "3");
    OK(wal_cursor_open(log, WAL_FROM_FIRST, 0, &cursor, &err));
    OK(wal_cursor_read_packed(cursor, read, sizeof read, 0, &count, &used, &err));
    CHECK(count == 1 && used == 24);
    CHECK(wal_cursor_next_lsn(cursor) == 2);
    OK(wal_cursor_time(cursor, &time_ns, &err));
    OK(wal_time_of(log, 1, &expected_ns, &err));
    CHECK(time_ns == expected_ns);
    RETURNS(WAL_ERR_FULL,
            wal_cursor_read_packed(cursor, read, sizeof read, 0, &count, &used, &err));
    CHECK(count == 0 && used == 88);
    CHECK(wal_cursor_next_lsn(cursor) == 2);
    OK(wal_cursor_prev(cursor, &record, &err));
    CHECK(record != NULL && wal_record_lsn(record) == 1);
    wal_record_release(record);
    OK(wal_cursor_next(cursor, &record, &err));
    wal_record_release(record);
    OK(wal_cursor_next(cursor, &record, &err));
    CHECK(wal_record_lsn(record) == 2 && wal_record_len(record) == 66);
    wal_record_release(record);
    OK(wal_cursor_read_packed(cursor, read, sizeof read, 1, &count, &used, &err));
    CHECK(count == 1 && read[8] == 3);
    wal_cursor_release(cursor);
    close_and_release(log);
}

static void bytes_that_are_no_batch_are_refused(void) {
    wal_log *log = open_at("refused");
    unsigned char batch[64];
    size_t len = pack(batch, "payload", 0, 0), cut;
    for (cut = 1; cut < len; cut++) {
        RETURNS(WAL_ERR_INVALID, wal_append_packed(log, batch, cut, 0, NULL, NULL, &err));
    }
    batch[0] = 255;
    RETURNS(WAL_ERR_INVALID, wal_append_packed(log, batch, len, 0, NULL, NULL, &err));
    pack(batch, "payload", 0, 9);
    RETURNS(WAL_ERR_INVALID, wal_append_packed(log, batch, len, 0, NULL, NULL, &err));
    pack(batch, "payload", 8, 0);
    RETURNS(WAL_ERR_INVALID, wal_submit_packed(log, batch, len, 0, NULL, NULL, &err));
    CHECK(wal_next_lsn(log) == 1);
    close_and_release(log);
}

static void slices_are_appended_as_one(void) {
    wal_log *log = open_at("slices");
    wal_append_options options;
    wal_slice records[3];
    uint64_t first = 0, last = 0, durable = 0;
    int64_t time_ns = 0;
    unsigned char batch[64];
    size_t len;
    records[0].data = "a";
    records[1].data = "bb";
    records[2].data = "ccc";
    records[0].len = 1;
    records[1].len = 2;
    records[2].len = 3;
    OK(wal_append_batch(log, records, 3, NULL, &first, &last, &err));
    CHECK(first == 1 && last == 3);
    OK(wal_append_options_init(&options, sizeof options));
    CHECK(options.wait_ms == -1 && options.time_ns == -1);
    /* A year from now: a log's times never go back. */
    OK(wal_time_of(log, 3, &time_ns, &err));
    options.time_ns = time_ns + INT64_C(31536000) * 1000000000;
    OK(wal_submit_batch(log, records, 2, &options, &first, &last, &err));
    CHECK(first == 4 && last == 5);
    OK(wal_wait_durable(log, last, 10000, &durable, &err));
    OK(wal_time_of(log, 5, &time_ns, &err));
    CHECK(time_ns == options.time_ns);
    options.level = 17;
    RETURNS(WAL_ERR_INVALID, wal_append_batch(log, records, 3, &options, NULL, NULL, &err));
    len = pack(batch, "packed", 0, 0);
    OK(wal_submit_packed(log, batch, len, WAL_LEVEL_OS, &first, &last, &err));
    CHECK(first == 6 && last == 6);
    OK(wal_sync(log, NULL, &err));
    check_record(log, 6, "packed");
    check_record(log, 5, "bb");
    close_and_release(log);
}

static void test(void) {
    a_packed_batch_is_appended_as_one();
    a_record_that_does_not_fit_is_kept_for_the_next_read();
    bytes_that_are_no_batch_are_refused();
    slices_are_appended_as_one();
}
