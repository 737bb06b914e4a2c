/* Appending, and waiting for it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"

/* What an append asks for beyond the log's options; 0 when it is nothing but a level. */
static int options_of(line *of, wal_append_options *options) {
    if (wal_append_options_init(options, sizeof *options) != WAL_OK) misread("no options", "");
    options->level = level(of, options->level);
    const char *wait = optional(of, "wait");
    const char *time = optional(of, "time");
    if (wait != NULL && strcmp(wait, "try") == 0) options->wait_ms = 0;
    else if (wait != NULL && strcmp(wait, "block") != 0) options->wait_ms = (int64_t)whole_number(wait);
    if (time != NULL) options->time_ns = (int64_t)whole_number(time);
    return wait != NULL || time != NULL;
}

static int append(line *of) {
    wal_log *log = kept(LOG, of);
    bytes record = bytes_of(of, "record");
    wal_append_options options;
    uint64_t lsn = 0;
    if (options_of(of, &options)) {
        wal_slice records = {record.data, record.len};
        TRY(wal_append_batch(log, &records, 1, &options, &lsn, NULL, &err));
    } else {
        TRY(wal_append(log, record.data, record.len, options.level, &lsn, &err));
    }
    printf("ok lsn=%" PRIu64 "\n", lsn);
    return 1;
}

static int told_range(uint64_t first, uint64_t last) {
    printf("ok first=%" PRIu64 " last=%" PRIu64 "\n", first, last);
    return 1;
}

static int append_batch(line *of) {
    bytes_list records = bytes_list_of(of, "records");
    wal_append_options options;
    options_of(of, &options);
    uint64_t first = 0, last = 0;
    TRY(wal_append_batch(kept(LOG, of), records.items, records.count, &options, &first, &last, &err));
    return told_range(first, last);
}

static int append_packed(line *of) {
    bytes_list records = bytes_list_of(of, "records");
    size_t used = 0;
    for (size_t i = 0; i < records.count; i++) {
        used += (WAL_PACKED_HEADER_BYTES + records.items[i].len + 7) / 8 * 8;
    }
    unsigned char *packed = keep(used), *at = packed;
    for (size_t i = 0; i < records.count; i++) {
        size_t len = records.items[i].len;
        for (int byte = 0; byte < 4; byte++) at[byte] = (unsigned char)(len >> 8 * byte);
        if (len > 0) memcpy(at + WAL_PACKED_HEADER_BYTES, records.items[i].data, len);
        at += (WAL_PACKED_HEADER_BYTES + len + 7) / 8 * 8;
    }
    uint64_t first = 0, last = 0;
    TRY(wal_append_packed(kept(LOG, of), packed, used, WAL_LEVEL_DEFAULT, &first, &last, &err));
    return told_range(first, last);
}

static int append_vectored(line *of) {
    bytes_list pieces = bytes_list_of(of, "pieces");
    uint64_t lsn = 0;
    TRY(wal_append_v(kept(LOG, of), pieces.items, pieces.count, WAL_LEVEL_DEFAULT, &lsn, &err));
    printf("ok lsn=%" PRIu64 "\n", lsn);
    return 1;
}

static int append_at(line *of) {
    bytes record = bytes_of(of, "record");
    uint64_t expected = number(of, "lsn");
    wal_log *log = kept(LOG, of);
    TRY(wal_append_at(log, expected, record.data, record.len, WAL_LEVEL_DEFAULT, &err));
    printf("ok lsn=%" PRIu64 "\n", expected);
    return 1;
}

static int submit(line *of) {
    ticket *taken = calloc(1, sizeof *taken);
    if (taken == NULL) misread("no memory", "");
    wal_error err = WAL_ERROR_INIT;
    wal_append_options options;
    options_of(of, &options);
    taken->log = kept(LOG, of);
    if (strcmp(of->name, "submit") == 0) {
        bytes record = bytes_of(of, "record");
        wal_submit(taken->log, record.data, record.len, options.level, &taken->first, &err);
        taken->last = taken->first;
    } else {
        bytes_list records = bytes_list_of(of, "records");
        wal_submit_batch(taken->log, records.items, records.count, &options, &taken->first,
                         &taken->last, &err);
    }
    taken->err = err;
    put(TICKET, of, taken);
    printf("ok\n");
    return 1;
}

static int wait_for(line *of) {
    ticket ended = *(ticket *)kept(TICKET, of);
    int64_t timeout_ms = (int64_t)number_or(of, "timeout_ms", UINT64_MAX);
    wal_error err = ended.err;
    if (err.code == WAL_OK) wal_wait_durable(ended.log, ended.last, timeout_ms, NULL, &err);
    if (err.code != WAL_ERR_TIMEOUT) drop(TICKET, of);
    if (err.code == WAL_OK) return told_range(ended.first, ended.last);
    refuse(&err);
    return 1;
}

static int append_async(line *of) {
    bytes_list records = bytes_list_of(of, "records");
    wal_log *log = kept(LOG, of);
    uint64_t *lsns = keep((records.count + 1) * sizeof *lsns);
    for (size_t i = 0; i < records.count; i++) {
        const wal_slice *record = &records.items[i];
        TRY(wal_submit(log, record->data, record->len, WAL_LEVEL_DEFAULT, &lsns[i], &err));
    }
    for (size_t i = 0; i < records.count; i++) TRY(wal_wait_durable(log, lsns[i], -1, NULL, &err));
    printf("ok lsns=");
    for (size_t i = 0; i < records.count; i++) printf("%s%" PRIu64, i == 0 ? "" : ",", lsns[i]);
    printf("\n");
    return 1;
}

static int wait_durable(line *of) {
    int64_t timeout_ms = (int64_t)number_or(of, "timeout_ms", UINT64_MAX);
    TRY(wal_wait_durable(kept(LOG, of), number(of, "lsn"), timeout_ms, NULL, &err));
    printf("ok\n");
    return 1;
}

static int sync_log(line *of) {
    uint64_t durable = 0;
    TRY(wal_sync(kept(LOG, of), &durable, &err));
    printf("ok durable=%s\n", or_dash(durable));
    return 1;
}

static int lsns(line *of) {
    wal_log *log = kept(LOG, of);
    printf("ok first=%s last=%s", or_dash(wal_first_lsn(log)), or_dash(wal_last_lsn(log)));
    printf(" durable=%s written=%s", or_dash(wal_durable_lsn(log)), or_dash(wal_written_lsn(log)));
    printf(" submitted=%s next=%" PRIu64 "\n", or_dash(wal_submitted_lsn(log)), wal_next_lsn(log));
    return 1;
}

int appending(line *of) {
    static const struct {
        const char *name;
        int (*take)(line *);
    } operations[] = {
        {"append", append},
        {"append_batch", append_batch},
        {"append_packed", append_packed},
        {"append_vectored", append_vectored},
        {"append_at", append_at},
        {"submit", submit},
        {"submit_batch", submit},
        {"wait", wait_for},
        {"append_async", append_async},
        {"wait_durable", wait_durable},
        {"sync", sync_log},
        {"lsns", lsns},
    };
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        if (strcmp(of->name, operations[i].name) == 0) return operations[i].take(of);
    }
    return 0;
}
