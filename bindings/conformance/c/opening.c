/* Opening, closing, destroying. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "runner.h"

static const char *const AT_CAPACITY[] = {"reject", "block", "trim_oldest", NULL};
static const char *const IO[] = {"auto", "buffered", "direct", NULL};
static const char *const READ_MODE[] = {"map", "pread", NULL};

static wal_options options_of(line *of) {
    wal_options options;
    if (wal_options_init(&options, sizeof options) != WAL_OK) misread("no options", "");
    options.level = level(of, options.level);
    options.sync_every_ms = number_or(of, "sync_every_ms", options.sync_every_ms);
    options.sync_bytes = number_or(of, "sync_bytes", options.sync_bytes);
    options.segment_bytes = number_or(of, "segment_bytes", options.segment_bytes);
    options.record_bytes_max = number_or(of, "record_bytes_max", options.record_bytes_max);
    options.batch_bytes_max = number_or(of, "batch_bytes_max", options.batch_bytes_max);
    options.ring_bytes = number_or(of, "ring_bytes", options.ring_bytes);
    options.max_batch_delay_us = number_or(of, "max_batch_delay_us", options.max_batch_delay_us);
    options.max_batch_bytes = number_or(of, "max_batch_bytes", options.max_batch_bytes);
    options.max_bytes = number_or(of, "max_bytes", options.max_bytes);
    options.at_capacity = choice(of, "at_capacity", AT_CAPACITY, 0, options.at_capacity);
    options.io = choice(of, "io", IO, 0, options.io);
    options.retention_bytes = number_or(of, "retention_bytes", options.retention_bytes);
    options.retention_age_ms = number_or(of, "retention_age_ms", options.retention_age_ms);
    options.retention_records = number_or(of, "retention_records", options.retention_records);
    options.lock_wait_ms = number_or(of, "lock_wait_ms", options.lock_wait_ms);
    options.first_lsn = number_or(of, "first_lsn", options.first_lsn);
    options.create = yes(of, "create", options.create);
    options.read_mode = choice(of, "read_mode", READ_MODE, 0, options.read_mode);
    options.pad_to_block = yes(of, "pad_to_block", options.pad_to_block);
    return options;
}

typedef int32_t open_fn(const char *, const wal_options *, wal_log **, wal_recovery_report *,
                        wal_error *);

static int open_log(line *of, open_fn *how) {
    wal_log *log = NULL;
    wal_recovery_report report = {.struct_size = sizeof report};
    wal_options options = options_of(of);
    const char *path = path_of(of, "dir");
    optional(of, "log");
    TRY(how(path, &options, &log, &report, &err));
    put(LOG, of, log);
    printf("ok case=%s first=%s last=%s cut=", case_name(report.recovery_case),
           or_dash(report.first_lsn), or_dash(report.last_lsn));
    if (report.cut) {
        printf("%" PRIu64 ":%" PRIu64 ":%" PRIu64 "\n", report.cut_segment, report.cut_offset,
               report.cut_bytes);
    } else {
        printf("-\n");
    }
    return 1;
}

static int path(line *of) {
    char buffer[4096];
    size_t len = 0;
    TRY(wal_path(kept(LOG, of), buffer, sizeof buffer - 1, &len, &err));
    buffer[len] = 0;
    const char *slash = strrchr(buffer, '/');
    printf("ok dir=%s\n", slash == NULL ? buffer : slash + 1);
    return 1;
}

static int uuid(line *of) {
    unsigned char id[16];
    TRY(wal_uuid(kept(LOG, of), id, &err));
    printf("ok uuid=%s\n", bytes_text(id, sizeof id) + strlen("hex:"));
    return 1;
}

int opening(line *of) {
    if (strcmp(of->name, "open") == 0) return open_log(of, wal_open);
    if (strcmp(of->name, "open_read_only") == 0) return open_log(of, wal_open_read_only);
    if (strcmp(of->name, "path") == 0) return path(of);
    if (strcmp(of->name, "uuid") == 0) return uuid(of);
    if (strcmp(of->name, "close") == 0) {
        TRY(wal_close(kept(LOG, of), &err));
    } else if (strcmp(of->name, "destroy") == 0) {
        TRY(wal_destroy(path_of(of, "dir"), &err));
    } else {
        return 0;
    }
    printf("ok\n");
    return 1;
}
