/* Being told when records are durable. */
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "runner.h"

enum { PATIENCE_SECONDS = 10 };

typedef struct news {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    uint64_t durable;
    int32_t failure;
} news;

static void hear(uint64_t durable_lsn, const wal_error *failure, void *payload) {
    news *heard = payload;
    pthread_mutex_lock(&heard->mutex);
    if (failure != NULL) heard->failure = failure->code;
    else heard->durable = durable_lsn;
    pthread_cond_signal(&heard->changed);
    pthread_mutex_unlock(&heard->mutex);
}

/* Submits each; 0 when one was refused, which is then told. */
static uint64_t submit_each(wal_log *log, bytes_list records) {
    uint64_t last = 0;
    if (records.count == 0) misread("has no records", "records");
    for (size_t i = 0; i < records.count; i++) {
        wal_error err = WAL_ERROR_INIT;
        const wal_slice *record = &records.items[i];
        if (wal_submit(log, record->data, record->len, WAL_LEVEL_DEFAULT, &last, &err) != WAL_OK) {
            refuse(&err);
            return 0;
        }
    }
    return last;
}

static int on_durable(line *of) {
    news heard = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0};
    wal_log *log = kept(LOG, of);
    bytes_list records = bytes_list_of(of, "records");
    wal_subscription *subscription = NULL;
    TRY(wal_on_durable(log, hear, &heard, NULL, &subscription, &err));
    uint64_t last = submit_each(log, records);
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_SECONDS;
    int waited = 0;
    pthread_mutex_lock(&heard.mutex);
    while (heard.durable < last && heard.failure == 0 && waited == 0) {
        waited = pthread_cond_timedwait(&heard.changed, &heard.mutex, &until);
    }
    pthread_mutex_unlock(&heard.mutex);
    /* A call may still be running: it has ended when the subscription is released. */
    wal_subscription_release(subscription);
    if (last == 0) return 1;
    if (heard.durable < last) misread("was told of nothing", "on_durable");
    printf("ok durable=%" PRIu64 "\n", heard.durable);
    return 1;
}

static int notifier(line *of) {
    wal_log *log = kept(LOG, of);
    bytes_list records = bytes_list_of(of, "records");
    wal_notifier *bell = NULL;
    TRY(wal_notifier_open(log, &bell, &err));
    uint64_t last = submit_each(log, records), durable = 0;
    while (last != 0 && durable < last) {
        struct pollfd descriptor = {wal_notifier_fd(bell), POLLIN, 0};
        if (poll(&descriptor, 1, PATIENCE_SECONDS * 1000) != 1) misread("stays unreadable", "");
        wal_error err = WAL_ERROR_INIT;
        if (wal_notifier_acknowledge(bell, &durable, &err) != WAL_OK) {
            refuse(&err);
            last = 0;
        }
    }
    wal_notifier_release(bell);
    if (last != 0) printf("ok durable=%" PRIu64 "\n", durable);
    return 1;
}

int telling(line *of) {
    if (strcmp(of->name, "on_durable") == 0) return on_durable(of);
    if (strcmp(of->name, "notifier") == 0) return notifier(of);
    return 0;
}
