/* What the same calls cost from C: one workload a run, for the time it is given.
 *
 *     floor DIR WORKLOAD LEVEL MILLISECONDS      prints nanoseconds for each record
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "wal.h"

enum { RECORD_BYTES = 100, RECORDS = 1000, PACKED_BYTES = 120 };

static long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void must(int32_t code, const wal_error *err) {
    if (code == WAL_OK) return;
    fprintf(stderr, "floor: %s\n", err->message);
    exit(1);
}

int main(int count, char **words) {
    static unsigned char packed[RECORDS * PACKED_BYTES], record[RECORD_BYTES];
    wal_error err = WAL_ERROR_INIT;
    wal_log *log = NULL;
    uint64_t lsn = 0;
    if (count != 5) return 2;
    int is_batch = strcmp(words[2], "batch") == 0;
    int32_t level = strcmp(words[3], "disk") == 0 ? WAL_LEVEL_DISK : WAL_LEVEL_BUFFERED;
    memset(record, 'x', sizeof record);
    for (size_t i = 0; i < RECORDS; i++) {
        packed[i * PACKED_BYTES] = RECORD_BYTES;
        memcpy(packed + i * PACKED_BYTES + WAL_PACKED_HEADER_BYTES, record, sizeof record);
    }
    must(wal_open(words[1], NULL, &log, NULL, &err), &err);
    long long began = now(), until = began + atoll(words[4]) * 1000000, records = 0;
    while (now() < until) {
        /* As many singles as one batch has, so that the clock costs both the same. */
        for (int i = 0; !is_batch && i < (level == WAL_LEVEL_DISK ? 1 : RECORDS); i++, records++) {
            must(wal_append(log, record, sizeof record, level, &lsn, &err), &err);
        }
        if (is_batch) {
            must(wal_append_packed(log, packed, sizeof packed, level, NULL, &lsn, &err), &err);
            records += RECORDS;
        }
    }
    printf("%.1f\n", (double)(now() - began) / (double)records);
    must(wal_close(log, &err), &err);
    wal_release(log);
    return 0;
}
