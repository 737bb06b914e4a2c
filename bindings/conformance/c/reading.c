/* Reading: by LSN, by cursor, by replay. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"

static int read_one(line *of) {
    wal_record *record = NULL;
    TRY(wal_record_open(kept(LOG, of), number(of, "lsn"), &record, &err));
    printf("ok lsn=%" PRIu64 " bytes=%s\n", wal_record_lsn(record),
           bytes_text(wal_record_data(record), wal_record_len(record)));
    wal_record_release(record);
    return 1;
}

/* C has no call for many: it is a loop, as a program would write it. */
static int read_many(line *of) {
    size_t count = 0;
    char **lsns = items_of(of, "lsns", &count);
    wal_log *log = kept(LOG, of);
    for (size_t i = 0; i < count; i++) {
        wal_record *record = NULL;
        TRY(wal_record_open(log, whole_number(lsns[i]), &record, &err));
        print_record("record", record);
        wal_record_release(record);
    }
    printf("ok count=%zu\n", count);
    return 1;
}

static int time_of(line *of) {
    int64_t time_ns = 0;
    TRY(wal_time_of(kept(LOG, of), number(of, "lsn"), &time_ns, &err));
    printf("ok time=%" PRId64 "\n", time_ns);
    return 1;
}

static int told_next(const wal_cursor *cursor) {
    printf("ok next=%" PRIu64 "\n", wal_cursor_next_lsn(cursor));
    return 1;
}

static int open_cursor(line *of) {
    uint64_t at = 0;
    int32_t from = position(of, "from", &at);
    wal_log *log = kept(LOG, of);
    wal_cursor *cursor = NULL;
    optional(of, "cursor");
    TRY(wal_cursor_open(log, from, at, &cursor, &err));
    put(CURSOR, of, cursor);
    return told_next(cursor);
}

static int step(line *of) {
    wal_cursor *cursor = kept(CURSOR, of);
    wal_record *record = NULL;
    if (strcmp(of->name, "next") == 0) TRY(wal_cursor_next(cursor, &record, &err));
    else TRY(wal_cursor_prev(cursor, &record, &err));
    if (record == NULL) printf("ok end\n");
    else print_record("ok", record);
    wal_record_release(record);
    return 1;
}

static int seek(line *of) {
    wal_cursor *cursor = kept(CURSOR, of);
    if (strcmp(of->name, "seek_time") == 0) {
        TRY(wal_cursor_seek_time(cursor, (int64_t)number(of, "time"), &err));
    } else {
        uint64_t at = 0;
        int32_t to = position(of, "to", &at);
        TRY(wal_cursor_seek(cursor, to, at, &err));
    }
    return told_next(cursor);
}

static int cursor_time(line *of) {
    int64_t time_ns = 0;
    TRY(wal_cursor_time(kept(CURSOR, of), &time_ns, &err));
    printf("ok time=%" PRId64 "\n", time_ns);
    return 1;
}

static uint64_t little_endian(const unsigned char *data, int len) {
    uint64_t value = 0;
    for (int at = len - 1; at >= 0; at--) value = value << 8 | data[at];
    return value;
}

static int read_batch(line *of) {
    enum { CAPACITY = 1 << 20 };
    wal_cursor *cursor = kept(CURSOR, of);
    unsigned char *at = keep(CAPACITY);
    size_t count = 0, used = 0, wanted = (size_t)number(of, "count");
    TRY(wal_cursor_read_packed(cursor, at, CAPACITY, wanted, &count, &used, &err));
    for (size_t i = 0; i < count; i++) {
        size_t len = (size_t)little_endian(at, 4);
        int more = (little_endian(at + 4, 4) & WAL_PACKED_BATCH_CONTINUES) != 0;
        printf("record lsn=%" PRIu64 " more=%d bytes=%s\n", little_endian(at + 8, 8), more,
               bytes_text(at + WAL_PACKED_HEADER_BYTES, len));
        at += (WAL_PACKED_HEADER_BYTES + len + 7) / 8 * 8;
    }
    printf("ok count=%zu next=%" PRIu64 "\n", count, wal_cursor_next_lsn(cursor));
    return 1;
}

/* Every record from a position on: printed, or taken into a digest. */
static int read_all(line *of) {
    int is_digest = strcmp(of->name, "digest") == 0;
    uint64_t at = 0, first = 0, last = 0, count = 0;
    int32_t from = position(of, "from", &at);
    uint32_t crc = 0;
    wal_cursor *cursor = NULL;
    TRY(wal_cursor_open(kept(LOG, of), from, at, &cursor, &err));
    for (;;) {
        wal_record *record = NULL;
        wal_error err = WAL_ERROR_INIT;
        if (wal_cursor_next(cursor, &record, &err) != WAL_OK) {
            wal_cursor_release(cursor);
            refuse(&err);
            return 1;
        }
        if (record == NULL) break;
        last = wal_record_lsn(record);
        if (count++ == 0) first = last;
        crc = crc32_of(crc, wal_record_data(record), wal_record_len(record));
        if (!is_digest) print_record("record", record);
        wal_record_release(record);
    }
    wal_cursor_release(cursor);
    if (is_digest) {
        printf("ok first=%s last=%s count=%" PRIu64 " crc=%08" PRIx32 "\n", or_dash(first),
               or_dash(last), count, crc);
    } else {
        printf("ok count=%" PRIu64 "\n", count);
    }
    return 1;
}

static int32_t show(uint64_t lsn, const void *data, size_t len, uint32_t flags, void *payload) {
    int more = (flags & WAL_PACKED_BATCH_CONTINUES) != 0;
    printf("record lsn=%" PRIu64 " more=%d bytes=%s\n", lsn, more, bytes_text(data, len));
    return lsn == *(const uint64_t *)payload;
}

static int replay(line *of) {
    uint64_t at = 0, last = 0, stop = number_or(of, "stop", 0);
    int32_t from = position(of, "from", &at);
    TRY(wal_replay(kept(LOG, of), from, at, show, &stop, &last, &err));
    printf("ok last=%s\n", or_dash(last));
    return 1;
}

typedef struct sum {
    pthread_mutex_t mutex;
    uint32_t value;
} sum;

static int32_t add(uint64_t lsn, const void *data, size_t len, uint32_t flags, void *payload) {
    sum *all = payload;
    (void)lsn;
    (void)flags;
    pthread_mutex_lock(&all->mutex);
    all->value += crc32_of(0, data, len);
    pthread_mutex_unlock(&all->mutex);
    return 0;
}

static int replay_parallel(line *of) {
    sum all = {PTHREAD_MUTEX_INITIALIZER, 0};
    uint64_t at = 0, count = 0;
    int32_t from = position(of, "from", &at), in_order = yes(of, "in_order", 1);
    uint32_t threads = (uint32_t)number(of, "threads");
    wal_log *log = kept(LOG, of);
    TRY(wal_replay_parallel(log, from, at, threads, in_order, add, &all, &count, &err));
    printf("ok count=%" PRIu64 " sum=%" PRIu32 "\n", count, all.value);
    return 1;
}

int reading(line *of) {
    static const struct {
        const char *name;
        int (*take)(line *);
    } operations[] = {
        {"read", read_one},
        {"read_many", read_many},
        {"time_of", time_of},
        {"cursor", open_cursor},
        {"next", step},
        {"prev", step},
        {"seek", seek},
        {"seek_time", seek},
        {"cursor_time", cursor_time},
        {"read_batch", read_batch},
        {"iterate", read_all},
        {"digest", read_all},
        {"replay", replay},
        {"replay_parallel", replay_parallel},
    };
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        if (strcmp(of->name, operations[i].name) == 0) return operations[i].take(of);
    }
    return 0;
}
