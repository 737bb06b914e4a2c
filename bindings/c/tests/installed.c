/* Uses an installed libwal as any program would: three records in, three records out. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wal.h>

static int failed(const char *what, const wal_error *error) {
    fprintf(stderr, "%s: %s\n", what, error->message);
    return 1;
}

int main(int argc, char **argv) {
    static const char *const words[] = {"one", "two", "three"};
    wal_error error = {0};
    wal_log *log = NULL;
    uint64_t lsn = 0;
    size_t i;

    if (argc != 2) {
        fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    error.struct_size = sizeof error;
    if (wal_version_number() != WAL_VERSION_NUMBER) {
        fprintf(stderr, "the header belongs to another version than libwal %s\n", wal_version());
        return 1;
    }
    if (wal_open(argv[1], NULL, &log, NULL, &error) != WAL_OK) {
        return failed("open", &error);
    }
    for (i = 0; i < sizeof words / sizeof *words; i++) {
        size_t len = strlen(words[i]);
        if (wal_append(log, words[i], len, WAL_LEVEL_DEFAULT, &lsn, &error) != WAL_OK) {
            return failed("append", &error);
        }
        if (lsn != i + 1) {
            fprintf(stderr, "record %d got another LSN\n", (int)i);
            return 1;
        }
    }
    if (wal_durable_lsn(log) != 3) {
        fprintf(stderr, "three records were acknowledged, but not all are durable\n");
        return 1;
    }
    if (wal_close(log, &error) != WAL_OK) {
        return failed("close", &error);
    }
    wal_release(log);
    printf("libwal %s\n", wal_version());
    return 0;
}
