/* Appends records any reader can check until it is killed; checks what is there. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"

enum { RECORDS_MAX = 16, SEGMENT_BYTES = 65536 };

static void must(int32_t code, const wal_error *err) {
    if (code == WAL_OK) return;
    fprintf(stderr, "runner: %s\n", err->message);
    exit(1);
}

static void acknowledge(uint64_t lsn, uint64_t expected) {
    if (lsn != expected) {
        fprintf(stderr, "runner: record %" PRIu64 " got the LSN %" PRIu64 "\n", expected, lsn);
        exit(1);
    }
    printf("ack %" PRIu64 "\n", lsn);
    fflush(stdout);
}

/* The records from `next` on. */
static void make_records(uint64_t next, size_t count, wal_slice *records) {
    static unsigned char data[RECORDS_MAX][RECORD_BYTES_MAX];
    for (size_t i = 0; i < count; i++) {
        records[i].len = record_of(next + i, data[i]);
        records[i].data = data[i];
    }
}

/* One call, as `number` chooses it; returns how many records it appended. */
static uint64_t append(const wal_log *log, uint64_t next, uint32_t number) {
    wal_error err = WAL_ERROR_INIT;
    wal_slice records[RECORDS_MAX];
    uint64_t lsns[RECORDS_MAX], last = 0;
    size_t count = number % 4 < 2 ? 1 : number % 4 == 2 ? 2 + (number >> 8) % 7 : 1 + (number >> 8) % 16;
    make_records(next, count, records);
    if (number % 4 < 2) {
        must(wal_append(log, records->data, records->len, WAL_LEVEL_DEFAULT, &last, &err), &err);
        acknowledge(last, next);
    } else if (number % 4 == 2) {
        must(wal_append_batch(log, records, count, NULL, NULL, &last, &err), &err);
        acknowledge(last, next + count - 1);
    } else {
        for (size_t i = 0; i < count; i++) {
            must(wal_submit(log, records[i].data, records[i].len, WAL_LEVEL_DEFAULT, &lsns[i], &err),
                 &err);
        }
        for (size_t i = 0; i < count; i++) {
            must(wal_wait_durable(log, lsns[i], -1, NULL, &err), &err);
            acknowledge(lsns[i], next + i);
        }
    }
    return count;
}

int write_until_killed(const char *directory, uint64_t count, uint64_t seed) {
    wal_error err = WAL_ERROR_INIT;
    wal_options options;
    wal_log *log = NULL;
    must(wal_options_init(&options, sizeof options), &err);
    options.segment_bytes = SEGMENT_BYTES;
    must(wal_open(directory, &options, &log, NULL, &err), &err);
    printf("open %" PRIu64 "\n", wal_last_lsn(log));
    fflush(stdout);
    uint64_t from = wal_next_lsn(log), next = from;
    uint32_t calls = numbers_of(seed);
    while (count == 0 || next - from < count) next += append(log, next, draw(&calls));
    must(wal_close(log, &err), &err);
    wal_release(log);
    printf("done %" PRIu64 "\n", next - 1);
    return 0;
}

static void wrong(uint64_t lsn, const char *how) {
    fprintf(stderr, "runner: record %" PRIu64 " %s\n", lsn, how);
    exit(1);
}

int read_back(const char *directory) {
    static unsigned char expected[RECORD_BYTES_MAX];
    wal_error err = WAL_ERROR_INIT;
    wal_log *log = NULL;
    wal_cursor *cursor = NULL;
    wal_record *record = NULL;
    uint64_t first = 0, last = 0;
    uint32_t crc = 0, flags = 0;
    must(wal_open(directory, NULL, &log, NULL, &err), &err);
    must(wal_cursor_open(log, WAL_FROM_FIRST, 0, &cursor, &err), &err);
    for (;;) {
        must(wal_cursor_next(cursor, &record, &err), &err);
        if (record == NULL) break;
        uint64_t lsn = wal_record_lsn(record);
        size_t len = wal_record_len(record);
        if (last != 0 && lsn != last + 1) wrong(lsn, "does not follow the one before");
        if (len != record_of(lsn, expected) || memcmp(wal_record_data(record), expected, len) != 0) {
            wrong(lsn, "is not what was appended");
        }
        if (first == 0) first = lsn;
        last = lsn;
        flags = wal_record_flags(record);
        crc = crc32_of(crc, expected, len);
        wal_record_release(record);
    }
    if (flags & WAL_PACKED_BATCH_CONTINUES) wrong(last, "is the last one, inside a batch");
    wal_cursor_release(cursor);
    must(wal_close(log, &err), &err);
    wal_release(log);
    printf("records %s %s %08" PRIx32 "\n", or_dash(first), or_dash(last), crc);
    return 0;
}
