/* Trim, truncate, reset, values. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "runner.h"

static int trim(line *of) {
    uint64_t first = 0;
    TRY(wal_trim(kept(LOG, of), number(of, "before"), &first, &err));
    printf("ok first=%s\n", or_dash(first));
    return 1;
}

static int value_get(line *of) {
    bytes key = bytes_of(of, "key");
    unsigned char value[4096];
    size_t len = 0;
    wal_error err = WAL_ERROR_INIT;
    if (wal_value_read(kept(LOG, of), key.data, key.len, value, sizeof value, &len, &err) == WAL_OK) {
        printf("ok value=%s\n", bytes_text(value, len));
    } else if (err.code == WAL_ERR_NOT_FOUND) {
        printf("ok none\n");
    } else {
        refuse(&err);
    }
    return 1;
}

static int value_delete(line *of) {
    bytes key = bytes_of(of, "key");
    int32_t existed = 0;
    TRY(wal_value_delete(kept(LOG, of), key.data, key.len, &existed, &err));
    printf("ok existed=%" PRId32 "\n", existed);
    return 1;
}

static int value_update(line *of) {
    bytes_list keys = bytes_list_of(of, "keys");
    size_t count = 0;
    char **values = items_of(of, "values", &count);
    if (count != keys.count) misread("keys= and values= are of one length", "value_update");
    wal_value_change *changes = keep((count + 1) * sizeof *changes);
    for (size_t i = 0; i < count; i++) {
        changes[i].key = keys.items[i];
        if (strcmp(values[i], "none") == 0) {
            changes[i].remove = 1;
        } else {
            bytes value = literal(values[i]);
            changes[i].value.data = value.data;
            changes[i].value.len = value.len;
        }
    }
    TRY(wal_value_update(kept(LOG, of), changes, count, &err));
    printf("ok\n");
    return 1;
}

static int32_t show(const void *key, size_t key_len, const void *value, size_t value_len,
                    void *payload) {
    printf("value key=%s value=%s\n", bytes_text(key, key_len), bytes_text(value, value_len));
    ++*(size_t *)payload;
    return 0;
}

static int value_list(line *of) {
    size_t count = 0;
    TRY(wal_value_list(kept(LOG, of), show, &count, &err));
    printf("ok count=%zu\n", count);
    return 1;
}

int changing(line *of) {
    if (strcmp(of->name, "trim") == 0) return trim(of);
    if (strcmp(of->name, "value_get") == 0) return value_get(of);
    if (strcmp(of->name, "value_delete") == 0) return value_delete(of);
    if (strcmp(of->name, "value_update") == 0) return value_update(of);
    if (strcmp(of->name, "value_list") == 0) return value_list(of);
    if (strcmp(of->name, "truncate") == 0) {
        TRY(wal_truncate(kept(LOG, of), number(of, "after"), &err));
    } else if (strcmp(of->name, "reset") == 0) {
        TRY(wal_reset_to(kept(LOG, of), number(of, "next"), &err));
    } else if (strcmp(of->name, "value_set") == 0) {
        bytes key = bytes_of(of, "key"), value = bytes_of(of, "value");
        TRY(wal_value_set(kept(LOG, of), key.data, key.len, value.data, value.len, &err));
    } else {
        return 0;
    }
    printf("ok\n");
    return 1;
}
