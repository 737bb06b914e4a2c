/* Hearing of durable records: by a descriptor in poll, by a callback, and what callbacks may do. */
#include "testing.h"

#include <poll.h>
#include <pthread.h>

static int is_readable(const wal_notifier *notifier, int timeout_ms) {
    struct pollfd descriptor;
    descriptor.fd = wal_notifier_fd(notifier);
    descriptor.events = POLLIN;
    descriptor.revents = 0;
    CHECK(poll(&descriptor, 1, timeout_ms) >= 0);
    return (descriptor.revents & POLLIN) != 0;
}

static void a_notifier_is_readable_until_it_is_acknowledged(void) {
    wal_log *log = open_at("notifier");
    wal_notifier *one = NULL, *two = NULL;
    uint64_t lsn = 0, durable = 0;
    OK(wal_notifier_open(log, &one, &err));
    OK(wal_notifier_open(log, &two, &err));
    CHECK(wal_notifier_fd(one) >= 0 && wal_notifier_fd(one) != wal_notifier_fd(two));
    if (is_readable(one, 0)) {
        OK(wal_notifier_acknowledge(one, NULL, &err));
    }
    OK(wal_submit(log, "x", 1, WAL_LEVEL_DEFAULT, &lsn, &err));
    while (durable < lsn) {
        CHECK(is_readable(one, 10000));
        CHECK(is_readable(one, 0));
        OK(wal_notifier_acknowledge(one, &durable, &err));
    }
    CHECK(!is_readable(one, 0));
    /* The other listener's wake-up was not taken. */
    CHECK(is_readable(two, 10000));
    append_text(log, "y");
    CHECK(is_readable(one, 10000));
    OK(wal_close(log, &err));
    CHECK(is_readable(two, 10000));
    RETURNS(WAL_ERR_CLOSED, wal_notifier_acknowledge(two, NULL, &err));
    wal_release(log);
    wal_notifier_release(one);
    wal_notifier_release(two);
}

struct heard {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    uint64_t durable;
    int calls;
    int dropped;
    /* What the callback does beside listening. */
    wal_log *to_close;
    wal_log *to_release;
    wal_subscription *to_end;
    int32_t code;
};

static void prepare(struct heard *heard) {
    memset(heard, 0, sizeof *heard);
    CHECK(pthread_mutex_init(&heard->mutex, NULL) == 0);
    CHECK(pthread_cond_init(&heard->changed, NULL) == 0);
}

static void on_durable(uint64_t durable, const wal_error *failure, void *payload) {
    struct heard *heard = payload;
    TAKE_OVER(payload);
    pthread_mutex_lock(&heard->mutex);
    if (failure == NULL) {
        CHECK(durable >= heard->durable);
        heard->durable = durable;
    }
    heard->calls++;
    if (heard->to_close != NULL) {
        heard->code = wal_close(heard->to_close, NULL);
        heard->to_close = NULL;
    }
    if (heard->to_end != NULL) {
        wal_subscription_release(heard->to_end);
        heard->to_end = NULL;
    }
    if (heard->to_release != NULL) {
        wal_release(heard->to_release);
        heard->to_release = NULL;
    }
    pthread_cond_broadcast(&heard->changed);
    pthread_mutex_unlock(&heard->mutex);
}

static void on_drop(void *payload) {
    struct heard *heard = payload;
    TAKE_OVER(payload);
    pthread_mutex_lock(&heard->mutex);
    heard->dropped++;
    pthread_cond_broadcast(&heard->changed);
    pthread_mutex_unlock(&heard->mutex);
}

/* Waits until the callback has heard of `lsn`. */
static void await_lsn(struct heard *heard, uint64_t lsn) {
    pthread_mutex_lock(&heard->mutex);
    while (heard->durable < lsn) {
        pthread_cond_wait(&heard->changed, &heard->mutex);
    }
    pthread_mutex_unlock(&heard->mutex);
}

static void await_drop(struct heard *heard) {
    pthread_mutex_lock(&heard->mutex);
    while (heard->dropped == 0) {
        pthread_cond_wait(&heard->changed, &heard->mutex);
    }
    CHECK(heard->dropped == 1);
    pthread_mutex_unlock(&heard->mutex);
}

static void a_callback_hears_of_every_durable_record(void) {
    wal_log *log = open_at("callback");
    wal_subscription *subscription = NULL;
    struct heard heard;
    uint64_t lsn = 0;
    int i;
    prepare(&heard);
    HAND_OVER(&heard);
    OK(wal_on_durable(log, on_durable, &heard, on_drop, &subscription, &err));
    for (i = 0; i < 50; i++) {
        OK(wal_submit(log, "x", 1, WAL_LEVEL_DEFAULT, &lsn, &err));
    }
    await_lsn(&heard, lsn);
    CHECK(heard.calls >= 1 && heard.dropped == 0);
    wal_subscription_release(subscription);
    await_drop(&heard);
    close_and_release(log);
}

static void a_refused_subscription_leaves_the_payload_alone(void) {
    wal_log *log = open_at("refused");
    wal_subscription *subscription = NULL;
    struct heard heard;
    prepare(&heard);
    RETURNS(WAL_ERR_INVALID, wal_on_durable(log, NULL, &heard, on_drop, &subscription, &err));
    OK(wal_close(log, &err));
    RETURNS(WAL_ERR_CLOSED, wal_on_durable(log, on_durable, &heard, on_drop, &subscription, &err));
    CHECK(subscription == NULL && heard.dropped == 0);
    wal_release(log);
}

/* Closing inside a callback would wait for the thread the callback runs on, so it is deferred. */
static void closing_inside_a_callback_is_deferred(void) {
    wal_log *log = open_at("close");
    wal_subscription *subscription = NULL;
    struct heard heard;
    uint64_t lsn = 0;
    prepare(&heard);
    heard.to_close = log;
    heard.code = -99;
    HAND_OVER(&heard);
    OK(wal_on_durable(log, on_durable, &heard, on_drop, &subscription, &err));
    OK(wal_submit(log, "x", 1, WAL_LEVEL_DEFAULT, &lsn, &err));
    await_lsn(&heard, lsn);
    CHECK(heard.code == WAL_OK);
    RETURNS(WAL_ERR_CLOSED, wal_append(log, "y", 1, 0, NULL, &err));
    OK(wal_close(log, &err));
    wal_subscription_release(subscription);
    await_drop(&heard);
    wal_release(log);
    log = open_at("close");
    check_record(log, 1, "x");
    close_and_release(log);
}

static void everything_may_be_released_inside_a_callback(void) {
    wal_log *log = open_at("release");
    wal_subscription *subscription = NULL;
    struct heard heard;
    prepare(&heard);
    HAND_OVER(&heard);
    OK(wal_on_durable(log, on_durable, &heard, on_drop, &subscription, &err));
    /* The callback waits for the lock: no call on the log may be running when it is released. */
    pthread_mutex_lock(&heard.mutex);
    heard.to_end = subscription;
    heard.to_release = log;
    OK(wal_submit(log, "x", 1, WAL_LEVEL_DEFAULT, NULL, &err));
    pthread_mutex_unlock(&heard.mutex);
    await_drop(&heard);
    /* The release closes the log on a thread of its own: the lock is free soon. */
    for (;;) {
        int32_t code = wal_open(path_of("release"), NULL, &log, NULL, &err);
        if (code == WAL_OK) {
            break;
        }
        RETURNS(WAL_ERR_LOCKED, code);
        sleep_ms(10);
    }
    check_record(log, 1, "x");
    close_and_release(log);
}

static void test(void) {
    a_notifier_is_readable_until_it_is_acknowledged();
    a_callback_hears_of_every_durable_record();
    a_refused_subscription_leaves_the_payload_alone();
    closing_inside_a_callback_is_deferred();
    everything_may_be_released_inside_a_callback();
}
