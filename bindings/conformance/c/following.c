/* Waiting at the tail. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "runner.h"

static int told_next(const wal_follower *follower) {
    printf("ok next=%" PRIu64 "\n", wal_follower_next_lsn(follower));
    return 1;
}

static int follow(line *of) {
    uint64_t at = 0;
    int32_t from = position(of, "from", &at);
    wal_log *log = kept(LOG, of);
    wal_follower *follower = NULL;
    optional(of, "follower");
    TRY(wal_follower_open(log, from, at, &follower, &err));
    put(FOLLOWER, of, follower);
    return told_next(follower);
}

static int follow_next(line *of) {
    wal_record *record = NULL;
    int64_t timeout_ms = (int64_t)number(of, "timeout_ms");
    TRY(wal_follower_next(kept(FOLLOWER, of), timeout_ms, &record, &err));
    print_record("ok", record);
    wal_record_release(record);
    return 1;
}

static int follow_seek(line *of) {
    uint64_t at = 0;
    int32_t to = position(of, "to", &at);
    wal_follower *follower = kept(FOLLOWER, of);
    TRY(wal_follower_seek(follower, to, at, &err));
    return told_next(follower);
}

enum { RECORDS_MAX = 64 };

/* A thread that follows until it has as many records as it wants, or an error. */
typedef struct waiting {
    wal_follower *follower;
    size_t wanted;
    size_t count;
    wal_record *records[RECORDS_MAX];
    wal_error err;
} waiting;

static void *wait_for_records(void *payload) {
    waiting *waiter = payload;
    while (waiter->count < waiter->wanted) {
        wal_record **record = &waiter->records[waiter->count];
        if (wal_follower_next(waiter->follower, -1, record, &waiter->err) != WAL_OK) break;
        waiter->count++;
    }
    return NULL;
}

static void pause_shortly(void) {
    struct timespec pause = {0, 20 * 1000 * 1000};
    nanosleep(&pause, NULL);
}

/* Follows while the records are appended, or while the log is closed if there are none. */
static int follow_thread(line *of, bytes_list records, size_t wanted) {
    uint64_t at = 0;
    int32_t from = position(of, "from", &at);
    wal_log *log = kept(LOG, of);
    waiting waiter = {.wanted = wanted, .err = WAL_ERROR_INIT};
    wal_error failure = WAL_ERROR_INIT;
    pthread_t thread;
    TRY(wal_follower_open(log, from, at, &waiter.follower, &err));
    if (pthread_create(&thread, NULL, wait_for_records, &waiter) != 0) misread("no thread", "");
    for (size_t i = 0; i < records.count && failure.code == WAL_OK; i++) {
        const wal_slice *record = &records.items[i];
        pause_shortly();
        wal_append(log, record->data, record->len, WAL_LEVEL_DEFAULT, NULL, &failure);
    }
    pause_shortly();
    /* Nobody would end the wait otherwise. */
    if (records.count == 0 || failure.code != WAL_OK) wal_close(log, &failure);
    pthread_join(thread, NULL);
    for (size_t i = 0; i < waiter.count; i++) {
        print_record("record", waiter.records[i]);
        wal_record_release(waiter.records[i]);
    }
    wal_follower_release(waiter.follower);
    if (failure.code != WAL_OK) refuse(&failure);
    else if (waiter.err.code != WAL_OK) refuse(&waiter.err);
    else printf("ok count=%zu\n", waiter.count);
    return 1;
}

int following(line *of) {
    if (strcmp(of->name, "follow") == 0) return follow(of);
    if (strcmp(of->name, "follow_next") == 0) return follow_next(of);
    if (strcmp(of->name, "follow_seek") == 0) return follow_seek(of);
    if (strcmp(of->name, "follow_live") == 0) {
        bytes_list records = bytes_list_of(of, "records");
        if (records.count > RECORDS_MAX) misread("too many records", "follow_live");
        return follow_thread(of, records, records.count);
    }
    if (strcmp(of->name, "follow_until_closed") == 0) {
        bytes_list none = {NULL, 0};
        return follow_thread(of, none, RECORDS_MAX);
    }
    return 0;
}
