/*
 * What the same work costs in C: `wal-bench languages` asks (see bench/README.md).
 *
 * Reads lines `WORKLOAD DIRECTORY`, answers with `RECORDS NANOSECONDS` or `none`.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "wal.h"

enum {
    RECORD_BYTES = 100,
    BATCH = 1000,
    BURST = 20000,
    BURSTS = 20,
    READ = 100000,
    PASSES = 3,
    OS = 20000,
    DURABLE = 300,
    DURABLE_BATCHES = 50,
    ASYNC = 40000,
    IN_FLIGHT = 256,
    PACKED_RECORD_BYTES = 16 + (RECORD_BYTES + 7) / 8 * 8,
    ARENA_BYTES = 256 * 1024
};

static char record[RECORD_BYTES];
static wal_slice batch[BATCH];
static unsigned char packed[BATCH * PACKED_RECORD_BYTES];
static unsigned char arena[ARENA_BYTES];
static wal_error err = WAL_ERROR_INIT;

static void check(int32_t code) {
    if (code != WAL_OK) {
        fprintf(stderr, "measure: %s\n", err.message);
        exit(1);
    }
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void append(wal_log *log) {
    check(wal_append(log, record, sizeof record, WAL_LEVEL_BUFFERED, NULL, &err));
}

static void append_batch(wal_log *log) {
    static wal_append_options options;
    if (options.level == 0) {
        check(wal_append_options_init(&options, sizeof options));
        options.level = WAL_LEVEL_BUFFERED;
    }
    check(wal_append_batch(log, batch, BATCH, &options, NULL, NULL, &err));
}

static void append_packed(wal_log *log) {
    check(wal_append_packed(log, packed, sizeof packed, WAL_LEVEL_BUFFERED, NULL, NULL, &err));
}

/* In bursts that fit into memory: what the disk does in between is not counted. */
static uint64_t bursts(wal_log *log, int calls, void (*call)(wal_log *)) {
    uint64_t taken = 0;
    for (int burst = 0; burst < BURSTS; burst++) {
        uint64_t started = now();
        for (int n = 0; n < calls; n++) {
            call(log);
        }
        taken += now() - started;
        check(wal_sync(log, NULL, &err));
    }
    return taken;
}

static void fill(wal_log *log) {
    for (int n = 0; n < READ / BATCH; n++) {
        append_packed(log);
    }
    check(wal_sync(log, NULL, &err));
}

static void expect(uint64_t found, uint64_t wanted) {
    if (found != wanted) {
        fprintf(stderr, "measure: read %llu of %llu\n", (unsigned long long)found,
                (unsigned long long)wanted);
        exit(1);
    }
}

static uint64_t read_records(wal_log *log) {
    uint64_t started = now(), bytes = 0;
    for (int pass = 0; pass < PASSES; pass++) {
        wal_cursor *cursor;
        check(wal_cursor_open(log, WAL_FROM_FIRST, 0, &cursor, &err));
        for (;;) {
            wal_record *found;
            check(wal_cursor_next(cursor, &found, &err));
            if (found == NULL) {
                break;
            }
            bytes += wal_record_len(found);
            wal_record_release(found);
        }
        wal_cursor_release(cursor);
    }
    expect(bytes, (uint64_t)PASSES * READ * RECORD_BYTES);
    return now() - started;
}

static uint64_t read_packed(wal_log *log) {
    uint64_t started = now(), records = 0;
    for (int pass = 0; pass < PASSES; pass++) {
        wal_cursor *cursor;
        size_t count, used;
        check(wal_cursor_open(log, WAL_FROM_FIRST, 0, &cursor, &err));
        do {
            check(wal_cursor_read_packed(cursor, arena, sizeof arena, 0, &count, &used, &err));
            records += count;
        } while (count > 0);
        wal_cursor_release(cursor);
    }
    expect(records, (uint64_t)PASSES * READ);
    return now() - started;
}

/* One after the other, each waited for. */
static uint64_t appends(wal_log *log, int count, int32_t level) {
    uint64_t started = now();
    for (int n = 0; n < count; n++) {
        check(wal_append(log, record, sizeof record, level, NULL, &err));
    }
    return now() - started;
}

static uint64_t durable_batches(wal_log *log) {
    uint64_t started = now();
    for (int n = 0; n < DURABLE_BATCHES; n++) {
        check(wal_append_batch(log, batch, BATCH, NULL, NULL, NULL, &err));
    }
    return now() - started;
}

static uint64_t in_flight(wal_log *log) {
    static uint64_t lsns[IN_FLIGHT];
    uint64_t started = now();
    for (int n = 0; n < ASYNC + IN_FLIGHT; n++) {
        uint64_t *lsn = &lsns[n % IN_FLIGHT];
        if (n >= IN_FLIGHT) {
            check(wal_wait_durable(log, *lsn, -1, NULL, &err));
        }
        if (n < ASYNC) {
            check(wal_submit(log, record, sizeof record, WAL_LEVEL_DISK, lsn, &err));
        }
    }
    return now() - started;
}

/* Does a workload; returns how many records, 0 for one that is not known. */
static uint64_t measure(const char *workload, const char *directory, uint64_t *taken) {
    wal_log *log;
    uint64_t records = (uint64_t)BURSTS * BURST;
    check(wal_open(directory, NULL, &log, NULL, &err));
    if (strcmp(workload, "append") == 0) {
        *taken = bursts(log, BURST, append);
    } else if (strcmp(workload, "batch") == 0) {
        *taken = bursts(log, BURST / BATCH, append_batch);
    } else if (strcmp(workload, "packed") == 0) {
        *taken = bursts(log, BURST / BATCH, append_packed);
    } else if (strcmp(workload, "read") == 0) {
        fill(log);
        *taken = read_records(log);
        records = (uint64_t)PASSES * READ;
    } else if (strcmp(workload, "read-packed") == 0) {
        fill(log);
        *taken = read_packed(log);
        records = (uint64_t)PASSES * READ;
    } else if (strcmp(workload, "os") == 0) {
        *taken = appends(log, OS, WAL_LEVEL_OS);
        records = OS;
    } else if (strcmp(workload, "durable") == 0) {
        *taken = appends(log, DURABLE, WAL_LEVEL_DISK);
        records = DURABLE;
    } else if (strcmp(workload, "durable-batch") == 0) {
        *taken = durable_batches(log);
        records = (uint64_t)DURABLE_BATCHES * BATCH;
    } else if (strcmp(workload, "async") == 0) {
        *taken = in_flight(log);
        records = ASYNC;
    } else {
        records = 0;
    }
    check(wal_close(log, &err));
    wal_release(log);
    return records;
}

int main(void) {
    char line[4096];
    memset(record, 'r', sizeof record);
    for (int n = 0; n < BATCH; n++) {
        unsigned char *at = packed + n * PACKED_RECORD_BYTES;
        batch[n].data = record;
        batch[n].len = sizeof record;
        /* The layout is little endian: this fits one byte. */
        at[0] = RECORD_BYTES;
        memcpy(at + 16, record, sizeof record);
    }
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *directory = strchr(line, ' ');
        uint64_t taken = 0, records;
        line[strcspn(line, "\n")] = '\0';
        if (directory == NULL) {
            return 1;
        }
        *directory++ = '\0';
        records = measure(line, directory, &taken);
        if (records == 0) {
            puts("none");
        } else {
            printf("%llu %llu\n", (unsigned long long)records, (unsigned long long)taken);
        }
        fflush(stdout);
    }
    return 0;
}
