/* Closing and releasing in every order, threads, and fork. */
#include "testing.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* Six objects, released in the order the digits of `order` say. */
static void every_order_is_safe(void) {
    static const char *const orders[] = {"012345",
        "543210", "105243", "204531", "350142", "421053"};
    size_t i, k;
    for (i = 0; i < sizeof orders / sizeof *orders; i++) {
        char name[16];
        wal_log *log;
        wal_cursor *cursor = NULL;
        wal_follower *follower = NULL;
        wal_record *record = NULL;
        wal_notifier *notifier = NULL;
        snprintf(name, sizeof name, "order%d", (int)i);
        log = open_at(name);
        append_text(log, "one");
        append_text(log, "two");
        OK(wal_cursor_open(log, WAL_FROM_FIRST, 0, &cursor, &err));
        OK(wal_follower_open(log, WAL_FROM_FIRST, 0, &follower, &err));
        OK(wal_cursor_next(cursor, &record, &err));
        OK(wal_notifier_open(log, &notifier, &err));
        for (k = 0; k < 6; k++) {
            switch (orders[i][k]) {
            case '0':
                wal_release(log);
                log = NULL;
                break;
            case '1':
                wal_cursor_release(cursor);
                break;
            case '2':
                wal_follower_release(follower);
                break;
            case '3':
                CHECK(memcmp(wal_record_data(record), "one", 3) == 0);
                wal_record_release(record);
                break;
            case '4':
                wal_notifier_release(notifier);
                break;
            default:
                if (log != NULL) {
                    OK(wal_close(log, &err));
                }
            }
        }
        log = open_at(name);
        CHECK(wal_last_lsn(log) == 2);
        close_and_release(log);
    }
}

static void *append_until_closed(void *payload) {
    const wal_log *log = payload;
    uintptr_t appended = 0;
    for (;;) {
        int32_t code = wal_append(log, "from a thread", 13, WAL_LEVEL_OS, NULL, NULL);
        if (code == WAL_ERR_CLOSED) {
            return (void *)appended;
        }
        CHECK(code == WAL_OK);
        appended++;
    }
}

static void *wait_for_ever(void *payload) {
    CHECK(wal_wait_durable(payload, UINT64_C(1) << 60, -1, NULL, NULL) == WAL_ERR_CLOSED);
    return NULL;
}

static void closing_ends_the_work_of_other_threads(void) {
    wal_log *log = open_at("threads");
    pthread_t threads[4], waiter;
    uint64_t appended = 0;
    int i;
    CHECK(pthread_create(&waiter, NULL, wait_for_ever, log) == 0);
    for (i = 0; i < 4; i++) {
        CHECK(pthread_create(&threads[i], NULL, append_until_closed, log) == 0);
    }
    sleep_ms(50);
    OK(wal_close(log, &err));
    for (i = 0; i < 4; i++) {
        void *count = NULL;
        CHECK(pthread_join(threads[i], &count) == 0);
        appended += (uintptr_t)count;
    }
    CHECK(pthread_join(waiter, NULL) == 0);
    wal_release(log);
    log = open_at("threads");
    /* What was acknowledged is there, and an append that closing met was either refused or
     * finished. */
    CHECK(wal_last_lsn(log) == appended);
    close_and_release(log);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static void a_child_process_gets_forked_and_keeps_no_lock(void) {
    wal_log *log = open_at("fork");
    wal_cursor *cursor = NULL;
    char told = 0;
    int ends[2];
    pid_t child;
    CHECK(pipe(ends) == 0);
    append_text(log, "parent");
    OK(wal_cursor_open(log, WAL_FROM_FIRST, 0, &cursor, &err));
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        wal_log *own = NULL;
        RETURNS(WAL_ERR_FORKED, wal_append(log, "child", 5, 0, NULL, &err));
        RETURNS(WAL_ERR_LOCKED, wal_open(path_of("fork"), NULL, &own, NULL, &err));
        OK(wal_open(path_of("fork-child"), NULL, &own, NULL, &err));
        append_text(own, "child");
        OK(wal_close(own, &err));
        wal_release(own);
        wal_cursor_release(cursor);
        wal_release(log);
        CHECK(write(ends[1], "y", 1) == 1);
        /* The threads of the parent are gone and what they held is lost, by the nature of fork: the
           child ends without being searched for leaks. */
        kill(getpid(), SIGKILL);
    }
    CHECK(close(ends[1]) == 0);
    CHECK(read(ends[0], &told, 1) == 1 && told == 'y');
    CHECK(waitpid(child, NULL, 0) == child);
    CHECK(close(ends[0]) == 0);
    CHECK(append_text(log, "still the parent") == 2);
    wal_cursor_release(cursor);
    close_and_release(log);
    log = open_at("fork");
    CHECK(wal_last_lsn(log) == 2);
    close_and_release(log);
}
#endif

static void test(void) {
    every_order_is_safe();
    closing_ends_the_work_of_other_threads();
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    /* The child allocates, which POSIX leaves open for a process with threads: the C library keeps
       its allocator usable, a sanitizer's may be left locked by a thread that is gone. */
    puts("fork: left to the runs without a sanitizer");
#else
    a_child_process_gets_forked_and_keeps_no_lock();
#endif
}
