/* Lines of the transcript. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "runner.h"

const char *kind_name(int32_t code) {
    static char name[32];
    const char *constant = wal_code_name(code) + strlen("WAL_ERR_");
    size_t at = 0;
    for (; constant[at] != 0 && at + 1 < sizeof name; at++) {
        char c = constant[at];
        name[at] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    name[at] = 0;
    return name;
}

void refuse(const wal_error *err) {
    printf("error %s", kind_name(err->code));
    if (err->lsn != 0) printf(" lsn=%" PRIu64, err->lsn);
    if (err->segment != 0) printf(" segment=%" PRIu64 " offset=%" PRIu64, err->segment, err->offset);
    printf("\n");
}

/* The text is good until the fourth call from now. */
static char *next_text(void) {
    static char texts[4][96];
    static int next;
    next = (next + 1) % 4;
    return texts[next];
}

const char *bytes_text(const void *data, size_t len) {
    char *text = next_text();
    if (len > 32) {
        sprintf(text, "%zu:%08" PRIx32, len, crc32_of(0, data, len));
        return text;
    }
    const unsigned char *bytes = data;
    strcpy(text, "hex:");
    for (size_t at = 0; at < len; at++) sprintf(text + 4 + 2 * at, "%02x", bytes[at]);
    return text;
}

const char *or_dash(uint64_t number) {
    char *text = next_text();
    if (number == 0) strcpy(text, "-");
    else sprintf(text, "%" PRIu64, number);
    return text;
}

void print_record(const char *prefix, const wal_record *record) {
    int more = (wal_record_flags(record) & WAL_PACKED_BATCH_CONTINUES) != 0;
    printf("%s lsn=%" PRIu64 " more=%d bytes=%s\n", prefix, wal_record_lsn(record), more,
           bytes_text(wal_record_data(record), wal_record_len(record)));
}

const char *case_name(int32_t recovery_case) {
    switch (recovery_case) {
        case WAL_RECOVERY_CREATED: return "created";
        case WAL_RECOVERY_CLEAN: return "clean";
        case WAL_RECOVERY_WHOLE: return "whole";
        case WAL_RECOVERY_TORN_TAIL: return "torn-tail";
        default: return "other";
    }
}
