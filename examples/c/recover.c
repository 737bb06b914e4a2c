/* Kills a writer in the middle of its work and opens its log again: every record that was
 * acknowledged is there, in order, without a hole.
 *
 *     ./recover DIRECTORY
 */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wal.h>

static int complain(const char *doing, const wal_error *err) {
    fprintf(stderr, "%s: %s (%s)\n", doing, err->message, wal_code_name(err->code));
    return 1;
}

/* Appends for ever, and tells each LSN through `tell` once the record is on disk. */
static int write_until_killed(const char *directory, int tell) {
    wal_error err = WAL_ERROR_INIT;
    wal_log *log = NULL;
    if (wal_open(directory, NULL, &log, NULL, &err) != WAL_OK) {
        return complain("open", &err);
    }
    for (;;) {
        uint64_t lsn = 0;
        if (wal_append(log, "state change", 12, WAL_LEVEL_DISK, &lsn, &err) != WAL_OK) {
            return complain("append", &err);
        }
        if (write(tell, &lsn, sizeof lsn) != (ssize_t)sizeof lsn) {
            return 1;
        }
    }
}

/* Rebuilds the program's state from the records; here, only counts them. */
static int32_t on_record(uint64_t lsn, const void *data, size_t len, uint32_t flags,
                         void *payload) {
    uint64_t *count = payload;
    (void)lsn, (void)data, (void)len, (void)flags;
    ++*count;
    return 0;
}

static int recover(const char *directory, uint64_t acknowledged) {
    wal_error err = WAL_ERROR_INIT;
    wal_recovery_report report;
    wal_log *log = NULL;
    uint64_t count = 0, last = 0;
    int status = 0;
    memset(&report, 0, sizeof report);
    report.struct_size = sizeof report;
    if (wal_open(directory, NULL, &log, &report, &err) != WAL_OK) {
        return complain("open", &err);
    }
    printf("recovery: %s\n", report.message);
    if (wal_replay(log, WAL_FROM_FIRST, 0, on_record, &count, &last, &err) != WAL_OK) {
        status = complain("replay", &err);
    }
    printf("%" PRIu64 " acknowledged, %" PRIu64 " records found, the last is %" PRIu64 "\n",
           acknowledged, count, last);
    if (last < acknowledged) {
        fprintf(stderr, "an acknowledged record is lost\n");
        status = 1;
    }
    if (wal_close(log, &err) != WAL_OK && status == 0) {
        status = complain("close", &err);
    }
    wal_release(log);
    return status;
}

int main(int argc, char **argv) {
    uint64_t acknowledged = 0, lsn = 0;
    int ends[2];
    pid_t child;
    if (argc != 2) {
        fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    if (pipe(ends) != 0 || (child = fork()) < 0) {
        perror("recover");
        return 1;
    }
    if (child == 0) {
        close(ends[0]);
        _exit(write_until_killed(argv[1], ends[1]));
    }
    close(ends[1]);
    while (acknowledged < 200 && read(ends[0], &lsn, sizeof lsn) == (ssize_t)sizeof lsn) {
        acknowledged = lsn;
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    while (read(ends[0], &lsn, sizeof lsn) == (ssize_t)sizeof lsn) {
        acknowledged = lsn;
    }
    close(ends[0]);
    return recover(argv[1], acknowledged);
}
