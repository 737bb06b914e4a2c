/* Follows a log: one thread appends, another one gets each record as soon as it is durable.
 *
 *     ./follow DIRECTORY
 *
 * The follower ends when the log is closed and everything in it was delivered.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <wal.h>

static int complain(const char *doing, const wal_error *err) {
    fprintf(stderr, "%s: %s (%s)\n", doing, err->message, wal_code_name(err->code));
    return 1;
}

static void *follow(void *payload) {
    wal_follower *follower = payload;
    wal_error err = WAL_ERROR_INIT;
    for (;;) {
        wal_record *record = NULL;
        int32_t code = wal_follower_next(follower, -1, &record, &err);
        if (code == WAL_ERR_CLOSED) {
            return NULL;
        }
        if (code != WAL_OK) {
            complain("follow", &err);
            return NULL;
        }
        printf("%" PRIu64 ": %.*s\n", wal_record_lsn(record), (int)wal_record_len(record),
               (const char *)wal_record_data(record));
        wal_record_release(record);
    }
}

static int append_some(const wal_log *log, wal_error *err) {
    int i;
    for (i = 1; i <= 5; i++) {
        char event[32];
        int len = snprintf(event, sizeof event, "event %d", i);
        if (wal_append(log, event, (size_t)len, WAL_LEVEL_DEFAULT, NULL, err) != WAL_OK) {
            return complain("append", err);
        }
    }
    return 0;
}

int main(int argc, char **argv) {
    wal_error err = WAL_ERROR_INIT;
    wal_log *log = NULL;
    wal_follower *follower = NULL;
    pthread_t thread;
    int status;
    if (argc != 2) {
        fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    if (wal_open(argv[1], NULL, &log, NULL, &err) != WAL_OK) {
        return complain("open", &err);
    }
    if (wal_follower_open(log, WAL_FROM_FIRST, 0, &follower, &err) != WAL_OK) {
        status = complain("follow", &err);
        wal_release(log);
        return status;
    }
    if (pthread_create(&thread, NULL, follow, follower) != 0) {
        fprintf(stderr, "no thread to be had\n");
        wal_follower_release(follower);
        wal_release(log);
        return 1;
    }
    status = append_some(log, &err);
    if (wal_close(log, &err) != WAL_OK && status == 0) {
        status = complain("close", &err);
    }
    pthread_join(thread, NULL);
    wal_follower_release(follower);
    wal_release(log);
    return status;
}
