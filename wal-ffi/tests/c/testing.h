/* What the test programs share: checks that say what they saw, and a directory for their logs. */
#ifndef TESTING_H
#define TESTING_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wal.h>

/* A failed check ends the program: what comes after it would only add noise. */
#define CHECK(condition)                                                        \
    do {                                                                        \
        if (!(condition)) {                                                     \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);     \
            exit(1);                                                            \
        }                                                                       \
    } while (0)

/* A call that has to return `code`; says what it returned instead, and why. */
#define RETURNS(code, call)                                                     \
    do {                                                                        \
        int32_t got_ = (call);                                                  \
        if (got_ != (code)) {                                                   \
            fprintf(stderr, "%s:%d: %s is %s, not %s: %s\n", __FILE__, __LINE__,\
                    #call, wal_code_name(got_), wal_code_name(code), err.message);\
            exit(1);                                                            \
        }                                                                       \
    } while (0)

#define OK(call) RETURNS(WAL_OK, call)

/* What a callback on a thread of the library has written may be read when the call that was given the
   callback returns. The sanitizer of threads does not see inside the library and has to be told. */
#if defined(__SANITIZE_THREAD__)
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#define HAND_OVER(address) __tsan_release(address)
#define TAKE_OVER(address) __tsan_acquire(address)
#else
#define HAND_OVER(address) ((void)(address))
#define TAKE_OVER(address) ((void)(address))
#endif

static const char *test_directory;
static wal_error err = WAL_ERROR_INIT;

/* The path of a log below the directory of this run; the text is good until the next call. */
static const char *path_of(const char *name) {
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", test_directory, name);
    return path;
}

static wal_log *open_at(const char *name) {
    wal_log *log = NULL;
    OK(wal_open(path_of(name), NULL, &log, NULL, &err));
    CHECK(log != NULL);
    return log;
}

static uint64_t append_text(const wal_log *log, const char *text) {
    uint64_t lsn = 0;
    OK(wal_append(log, text, strlen(text), WAL_LEVEL_DEFAULT, &lsn, &err));
    return lsn;
}

static void close_and_release(wal_log *log) {
    OK(wal_close(log, &err));
    wal_release(log);
}

static void check_record(const wal_log *log, uint64_t lsn, const char *text) {
    char buffer[256];
    size_t len = 0;
    OK(wal_read(log, lsn, buffer, sizeof buffer, &len, &err));
    CHECK(len == strlen(text));
    CHECK(memcmp(buffer, text, len) == 0);
}

static void sleep_ms(long ms) {
    struct timespec time;
    time.tv_sec = ms / 1000;
    time.tv_nsec = ms % 1000 * 1000000L;
    nanosleep(&time, NULL);
}

static void test(void);

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    test_directory = argv[1];
    test();
    /* Not every program needs all of these. */
    (void)open_at;
    (void)append_text;
    (void)close_and_release;
    (void)check_record;
    (void)sleep_ms;
    return 0;
}

#endif
