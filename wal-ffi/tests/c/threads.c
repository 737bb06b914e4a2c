/* Every function that any thread may call, on many threads at once, until one of them closes the log;
   and objects of one thread in the hands of two. */
#include "testing.h"

#include <poll.h>
#include <pthread.h>

enum { BATCH = 4, RUN_MS = 300, PAYLOAD = 40 };

static const char payload[PAYLOAD] = "0123456789012345678901234567890123456789";

/* One thread's work: called again and again until the log is closed. */
typedef int32_t (*work)(wal_log *log, uint64_t round);

struct job {
    wal_log *log;
    work work;
    /* Read after the thread was joined. */
    uint64_t rounds;
};

/* How many jobs have done something. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int begun;

static int32_t append(wal_log *log, uint64_t round) {
    return wal_append(log, payload, PAYLOAD, (int32_t)(round % 4), NULL, NULL);
}

static int32_t submit(wal_log *log, uint64_t round) {
    uint64_t lsn = 0;
    int32_t code = wal_submit(log, payload, PAYLOAD, 0, &lsn, NULL);
    if (code == WAL_OK && round % 16 == 0) {
        code = wal_wait_durable(log, lsn, -1, NULL, NULL);
    }
    return code;
}

static int32_t append_batch(wal_log *log, uint64_t round) {
    wal_slice records[BATCH];
    uint64_t first = 0, last = 0;
    int32_t code;
    int i;
    for (i = 0; i < BATCH; i++) {
        records[i].data = payload;
        records[i].len = PAYLOAD;
    }
    code = round % 2 == 0 ? wal_append_batch(log, records, BATCH, NULL, &first, &last, NULL)
                          : wal_submit_batch(log, records, BATCH, NULL, &first, &last, NULL);
    CHECK(code != WAL_OK || last - first == BATCH - 1);
    return code;
}

static int32_t read_one(wal_log *log, uint64_t round) {
    char bytes[PAYLOAD];
    size_t len = 0;
    uint64_t first = wal_first_lsn(log), last = wal_last_lsn(log);
    int32_t code;
    if (first == 0) {
        first = last = 1;
    }
    code = wal_read(log, first + round % (last - first + 1), bytes, sizeof bytes, &len, NULL);
    if (code == WAL_OK) {
        CHECK(len == PAYLOAD && memcmp(bytes, payload, PAYLOAD) == 0);
    }
    /* It may have been trimmed since, or there is none yet. */
    return code == WAL_ERR_TRIMMED || code == WAL_ERR_NOT_FOUND ? WAL_OK : code;
}

static int32_t walk(wal_log *log, uint64_t round) {
    wal_cursor *cursor = NULL;
    wal_record *record = NULL;
    int32_t code = wal_cursor_open(log, WAL_FROM_FIRST, 0, &cursor, NULL);
    int i;
    (void)round;
    for (i = 0; i < 50 && code == WAL_OK; i++) {
        code = wal_cursor_next(cursor, &record, NULL);
        if (code == WAL_OK && record != NULL) {
            CHECK(wal_record_len(record) == PAYLOAD);
            CHECK(memcmp(wal_record_data(record), payload, PAYLOAD) == 0);
            wal_record_release(record);
        }
    }
    wal_cursor_release(cursor);
    return code == WAL_ERR_TRIMMED ? WAL_OK : code;
}

static int32_t follow(wal_log *log, uint64_t round) {
    wal_follower *follower = NULL;
    wal_record *record = NULL;
    int32_t code = wal_follower_open(log, WAL_FROM_END, 0, &follower, NULL);
    (void)round;
    if (code == WAL_OK) {
        code = wal_follower_next(follower, 1000, &record, NULL);
        if (code == WAL_OK) {
            wal_record_release(record);
        }
        wal_follower_release(follower);
    }
    return code == WAL_ERR_TIMEOUT ? WAL_OK : code;
}

static int32_t look_on(wal_log *log, uint64_t round) {
    wal_stats stats = {0};
    char bytes[4096];
    size_t len = 0;
    int32_t code;
    (void)round;
    stats.struct_size = sizeof stats;
    CHECK(wal_durable_lsn(log) <= wal_written_lsn(log));
    CHECK(wal_written_lsn(log) <= wal_submitted_lsn(log));
    CHECK(wal_submitted_lsn(log) < wal_next_lsn(log));
    CHECK(wal_path(log, bytes, sizeof bytes, &len, NULL) == WAL_OK);
    CHECK(wal_uuid(log, bytes, NULL) == WAL_OK);
    code = wal_stats_read(log, &stats, NULL);
    CHECK(code != WAL_OK || stats.durable_lsn <= stats.submitted_lsn);
    return code == WAL_OK ? wal_poisoned(log, NULL) : code;
}

static int32_t keep_values(wal_log *log, uint64_t round) {
    char value[8];
    size_t len = 0;
    int32_t code = wal_value_set(log, "key", 3, &round, sizeof round, NULL);
    if (code == WAL_OK) {
        code = wal_value_read(log, "key", 3, value, sizeof value, &len, NULL);
    }
    return code;
}

static int32_t listen_to(wal_log *log, uint64_t round) {
    wal_notifier *notifier = NULL;
    int32_t code = wal_notifier_open(log, &notifier, NULL);
    (void)round;
    if (code == WAL_OK) {
        struct pollfd descriptor;
        descriptor.fd = wal_notifier_fd(notifier);
        descriptor.events = POLLIN;
        CHECK(poll(&descriptor, 1, 1000) >= 0);
        code = wal_notifier_acknowledge(notifier, NULL, NULL);
        wal_notifier_release(notifier);
    }
    return code;
}

static int32_t trim(wal_log *log, uint64_t round) {
    uint64_t durable = wal_durable_lsn(log);
    (void)round;
    sleep_ms(5);
    return wal_trim(log, durable < 100 ? 1 : durable - 50, NULL, NULL);
}

static void *repeat(void *argument) {
    struct job *job = argument;
    for (;;) {
        int32_t code = job->work(job->log, job->rounds);
        if (code == WAL_ERR_CLOSED) {
            return NULL;
        }
        if (code != WAL_OK) {
            fprintf(stderr, "round %d: %s\n", (int)job->rounds, wal_code_name(code));
            exit(1);
        }
        if (job->rounds++ == 0) {
            pthread_mutex_lock(&mutex);
            begun++;
            pthread_cond_signal(&changed);
            pthread_mutex_unlock(&mutex);
        }
    }
}

static void every_function_at_once(void) {
    static const work works[] = {append, append, append, submit, append_batch, read_one, walk,
                                 follow, look_on, keep_values, listen_to, trim};
    enum { JOBS = sizeof works / sizeof *works };
    struct job jobs[JOBS];
    pthread_t threads[JOBS];
    wal_log *log = open_at("threads");
    uint64_t next;
    int i;
    for (i = 0; i < JOBS; i++) {
        jobs[i].log = log;
        jobs[i].work = works[i];
        jobs[i].rounds = 0;
        CHECK(pthread_create(&threads[i], NULL, repeat, &jobs[i]) == 0);
    }
    pthread_mutex_lock(&mutex);
    while (begun < JOBS) {
        pthread_cond_wait(&changed, &mutex);
    }
    pthread_mutex_unlock(&mutex);
    sleep_ms(RUN_MS);
    OK(wal_close(log, &err));
    for (i = 0; i < JOBS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
    next = wal_next_lsn(log);
    wal_release(log);
    log = open_at("threads");
    /* Everything that was acknowledged, at whatever level, was made durable by the close. */
    CHECK(wal_next_lsn(log) == next);
    CHECK(next > jobs[0].rounds + jobs[1].rounds + jobs[2].rounds + jobs[3].rounds);
    close_and_release(log);
}

static void *read_shared(void *argument) {
    wal_cursor *cursor = argument;
    uintptr_t delivered = 0;
    for (;;) {
        wal_record *record = NULL;
        int32_t code = wal_cursor_next(cursor, &record, NULL);
        if (code == WAL_ERR_INVALID) {
            continue;
        }
        CHECK(code == WAL_OK);
        if (record == NULL) {
            return (void *)delivered;
        }
        wal_record_release(record);
        delivered++;
    }
}

/* The header forbids it, and nothing breaks: one of two is refused, each record comes once. */
static void a_cursor_in_two_hands_refuses_one(void) {
    enum { RECORDS = 2000 };
    wal_log *log = open_at("shared");
    wal_cursor *cursor = NULL;
    pthread_t threads[2];
    uintptr_t delivered = 0;
    int i;
    for (i = 0; i < RECORDS; i++) {
        OK(wal_append(log, "x", 1, WAL_LEVEL_OS, NULL, &err));
    }
    /* Readers of this log see what is durable. */
    OK(wal_sync(log, NULL, &err));
    OK(wal_cursor_open(log, WAL_FROM_FIRST, 0, &cursor, &err));
    for (i = 0; i < 2; i++) {
        CHECK(pthread_create(&threads[i], NULL, read_shared, cursor) == 0);
    }
    for (i = 0; i < 2; i++) {
        void *count = NULL;
        CHECK(pthread_join(threads[i], &count) == 0);
        delivered += (uintptr_t)count;
    }
    CHECK(delivered == RECORDS);
    wal_cursor_release(cursor);
    close_and_release(log);
}

static void *close_it(void *argument) {
    return (void *)(intptr_t)wal_close(argument, NULL);
}

static void all_may_close_at_once(void) {
    enum { CLOSERS = 8 };
    wal_log *log = open_at("closers");
    pthread_t threads[CLOSERS];
    int i;
    OK(wal_submit(log, "x", 1, WAL_LEVEL_BUFFERED, NULL, &err));
    for (i = 0; i < CLOSERS; i++) {
        CHECK(pthread_create(&threads[i], NULL, close_it, log) == 0);
    }
    for (i = 0; i < CLOSERS; i++) {
        void *code = NULL;
        CHECK(pthread_join(threads[i], &code) == 0);
        CHECK((intptr_t)code == WAL_OK);
    }
    CHECK(wal_durable_lsn(log) == 1);
    wal_release(log);
}

static void test(void) {
    every_function_at_once();
    a_cursor_in_two_hands_refuses_one();
    all_may_close_at_once();
}
