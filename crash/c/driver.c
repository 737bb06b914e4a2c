/* The driver in C: does what a ledger says through libwal's C ABI, and notes in it what came of it.
 *
 *     driver DIRECTORY LEDGER
 */
#include "ledger.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DIRECT = 1, PREAD = 2, PAD = 4 };
enum { SEGMENT_BYTES = 64 * 1024, PATIENCE_MS = 40 * 1000, BATCH_MAX = 16 };

static const uint64_t SEED = UINT64_C(0xcbf29ce484222325);
static const uint64_t PRIME = UINT64_C(0x00000100000001b3);

static const char *directory;
static wal_log *handle;

static uint64_t rotated(uint64_t value) {
    return value << 29 | value >> 35;
}

static uint64_t mix(uint64_t state, uint64_t word) {
    return rotated((state ^ word) * PRIME);
}

static uint64_t digest(const void *data, size_t len) {
    const unsigned char *bytes = data;
    uint64_t state = mix(SEED, len);
    size_t at;
    for (at = 0; at < len; at += 8) {
        uint64_t word = 0;
        memcpy(&word, bytes + at, len - at < 8 ? len - at : 8);
        state = mix(state, word);
    }
    return state;
}

/* Fills a buffer with the content of the record of this number: the number, then what follows from
 * it by SplitMix64. */
static void fill(unsigned char *buffer, size_t len, uint64_t number) {
    uint64_t state = number;
    uint64_t word = number;
    size_t at;
    for (at = 0; at < len; at += 8) {
        memcpy(buffer + at, &word, len - at < 8 ? len - at : 8);
        state += UINT64_C(0x9E3779B97F4A7C15);
        word = (state ^ state >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
        word = (word ^ word >> 27) * UINT64_C(0x94D049BB133111EB);
        word ^= word >> 31;
    }
}

static unsigned char *content(uint64_t number, size_t len) {
    unsigned char *buffer = malloc(len + 1);
    if (buffer == NULL) {
        abort();
    }
    fill(buffer, len, number);
    return buffer;
}

static size_t name_key(char *key, size_t size, uint64_t number) {
    return (size_t)snprintf(key, size, "key-%" PRIu64, number);
}

static wal_options options_of(const uint64_t *op) {
    wal_options options;
    wal_options_init(&options, sizeof options);
    options.level = op[1] == 0 ? WAL_LEVEL_DISK : (int32_t)op[1];
    options.segment_bytes = SEGMENT_BYTES;
    options.ring_bytes = SEGMENT_BYTES;
    options.sync_bytes = op[3];
    options.io = op[2] & DIRECT ? WAL_IO_DIRECT : WAL_IO_AUTO;
    options.read_mode = op[2] & PREAD ? WAL_READ_MODE_PREAD : WAL_READ_MODE_MAP;
    options.pad_to_block = op[2] & PAD ? 1 : 0;
    return options;
}

static int32_t digest_value(const void *key, size_t key_len, const void *value, size_t value_len,
                            void *payload) {
    uint64_t *state = payload;
    *state = mix(mix(*state, digest(key, key_len)), digest(value, value_len));
    return 0;
}

static struct returned open_log(const uint64_t *op, wal_error *err) {
    struct returned returned = {0, {0, 0, SEED}};
    wal_options options = options_of(op);
    wal_log *opened = NULL;
    returned.code = wal_open(directory, &options, &opened, NULL, err);
    if (returned.code == WAL_OK) {
        handle = opened;
        returned.values[0] = wal_first_lsn(handle);
        returned.values[1] = wal_next_lsn(handle);
        returned.code = wal_value_list(handle, digest_value, &returned.values[2], err);
    }
    return returned;
}

static struct returned read_all(const wal_log *log, wal_error *err) {
    struct returned returned = {0, {0, 0, SEED}};
    wal_cursor *cursor = NULL;
    returned.code = wal_cursor_open(log, WAL_FROM_FIRST, 0, &cursor, err);
    if (returned.code != WAL_OK) {
        return returned;
    }
    returned.values[0] = returned.values[1] = wal_cursor_next_lsn(cursor);
    for (;;) {
        wal_record *record = NULL;
        returned.code = wal_cursor_next(cursor, &record, err);
        if (returned.code != WAL_OK || record == NULL) {
            break;
        }
        returned.values[2] = mix(returned.values[2], wal_record_lsn(record));
        returned.values[2] = mix(returned.values[2],
                                 digest(wal_record_data(record), wal_record_len(record)));
        returned.values[1] = wal_record_lsn(record) + 1;
        wal_record_release(record);
    }
    wal_cursor_release(cursor);
    return returned;
}

static struct returned read_only(const uint64_t *op, wal_error *err) {
    struct returned returned = {0, {0, 0, 0}};
    wal_options options = options_of(op);
    wal_log *reader = NULL;
    returned.code = wal_open_read_only(directory, &options, &reader, NULL, err);
    if (returned.code == WAL_OK) {
        returned = read_all(reader, err);
        wal_release(reader);
    }
    return returned;
}

static struct returned read_one(uint64_t lsn, wal_error *err) {
    struct returned returned = {0, {0, 0, 0}};
    wal_record *record = NULL;
    returned.code = wal_record_open(handle, lsn, &record, err);
    if (returned.code == WAL_OK) {
        returned.values[0] = lsn;
        returned.values[1] = digest(wal_record_data(record), wal_record_len(record));
        wal_record_release(record);
    }
    return returned;
}

static uint64_t argument_of(const uint64_t *op) {
    uint64_t next = wal_next_lsn(handle);
    uint64_t back = op[1] + 1;
    switch (op[0]) {
    case Trim:
        return next > op[1] ? next - op[1] : 1;
    case Truncate:
    case Read:
        return next > back ? next - back : 1;
    case Reset:
        return next + op[1];
    case Wait:
        return next > 2 ? next - 1 : 1;
    case AppendAt:
        return next;
    default:
        return 0;
    }
}

static struct returned append_batch(const uint64_t *op, uint64_t number, wal_error *err) {
    struct returned returned = {0, {0, 0, 0}};
    wal_slice slices[BATCH_MAX];
    wal_append_options options;
    uint64_t last = 0;
    size_t count = (size_t)op[1] < BATCH_MAX ? (size_t)op[1] : BATCH_MAX;
    size_t i;
    wal_append_options_init(&options, sizeof options);
    options.level = (int32_t)op[3];
    for (i = 0; i < count; i++) {
        slices[i].data = content(number + i, (size_t)op[2]);
        slices[i].len = (size_t)op[2];
    }
    returned.code =
        wal_append_batch(handle, slices, count, &options, &returned.values[0], &last, err);
    for (i = 0; i < count; i++) {
        free((void *)slices[i].data);
    }
    return returned;
}

static struct returned append(const uint64_t *op, uint64_t argument, uint64_t number,
                              wal_error *err) {
    struct returned returned = {0, {0, 0, 0}};
    size_t len = (size_t)op[1];
    unsigned char *record;
    wal_slice pieces[3];
    if (op[0] == Batch) {
        return append_batch(op, number, err);
    }
    record = content(number, len);
    switch (op[0]) {
    case Append:
        returned.code = wal_append(handle, record, len, (int32_t)op[2], &returned.values[0], err);
        break;
    case Submit:
        returned.code =
            wal_submit(handle, record, len, WAL_LEVEL_DEFAULT, &returned.values[0], err);
        break;
    case AppendAt:
        returned.code = wal_append_at(handle, argument, record, len, WAL_LEVEL_DEFAULT, err);
        returned.values[0] = argument;
        break;
    default:
        pieces[0].data = record;
        pieces[0].len = len / 3;
        pieces[1].data = record + len / 3;
        pieces[1].len = (len - len / 3) / 2;
        pieces[2].data = record + len / 3 + pieces[1].len;
        pieces[2].len = len - len / 3 - pieces[1].len;
        returned.code =
            wal_append_v(handle, pieces, 3, WAL_LEVEL_DEFAULT, &returned.values[0], err);
    }
    free(record);
    return returned;
}

static int32_t change_values(const uint64_t *op, uint64_t number, wal_error *err) {
    char key[32];
    char other[32];
    size_t key_len = name_key(key, sizeof key, op[1]);
    size_t other_len = name_key(other, sizeof other, op[2]);
    size_t len = (size_t)(op[0] == Set ? op[2] : op[3]);
    unsigned char *value;
    wal_value_change changes[2];
    int32_t code;
    if (op[0] == Delete) {
        return wal_value_delete(handle, key, key_len, NULL, err);
    }
    value = content(number, len);
    if (op[0] == Set) {
        code = wal_value_set(handle, key, key_len, value, len, err);
    } else {
        memset(changes, 0, sizeof changes);
        changes[0].key.data = key;
        changes[0].key.len = key_len;
        changes[0].value.data = value;
        changes[0].value.len = len;
        changes[1].key.data = other;
        changes[1].key.len = other_len;
        changes[1].remove = 1;
        code = wal_value_update(handle, changes, 2, err);
    }
    free(value);
    return code;
}

static int32_t copy(wal_error *err) {
    char path[4096];
    snprintf(path, sizeof path, "%s.copy", directory);
    return wal_copy_to(handle, path, NULL, err);
}

static int32_t change(const uint64_t *op, uint64_t argument, uint64_t number, wal_error *err) {
    struct timespec time;
    switch (op[0]) {
    case Sync:
        return wal_sync(handle, NULL, err);
    case Wait:
        return wal_wait_durable(handle, argument, PATIENCE_MS, NULL, err);
    case Trim:
        return wal_trim(handle, argument, NULL, err);
    case Truncate:
        return wal_truncate(handle, argument, err);
    case Reset:
        return wal_reset_to(handle, argument, err);
    case Set:
    case Update:
    case Delete:
        return change_values(op, number, err);
    case Copy:
        return copy(err);
    case Sleep:
        time.tv_sec = (time_t)(op[1] / 1000);
        time.tv_nsec = (long)(op[1] % 1000) * 1000000L;
        nanosleep(&time, NULL);
        return WAL_OK;
    default:
        return WAL_OK;
    }
}

static void use_log(size_t index, const uint64_t *op) {
    wal_error err = WAL_ERROR_INIT;
    struct returned returned = {0, {0, 0, 0}};
    uint64_t argument;
    uint64_t number = ledger_record(index);
    if (handle == NULL) {
        ledger_skip(index);
        return;
    }
    argument = argument_of(op);
    ledger_begin(index, argument);
    switch (op[0]) {
    case Append:
    case Batch:
    case Submit:
    case AppendPieces:
    case AppendAt:
        returned = append(op, argument, number, &err);
        break;
    case ReadAll:
        returned = read_all(handle, &err);
        break;
    case Read:
        returned = read_one(argument, &err);
        break;
    case ReadOnly:
        returned = read_only(op, &err);
        break;
    default:
        returned.code = change(op, argument, number, &err);
    }
    ledger_note(index, returned, &err);
}

static void *run_list(void *first) {
    size_t index = *(const size_t *)first;
    size_t last = index + ledger_per_thread();
    for (; index < last; index++) {
        use_log(index, ledger_op(index));
    }
    return NULL;
}

static void run_threads(void) {
    pthread_t threads[64];
    size_t firsts[64];
    size_t count = ledger_thread_count() < 64 ? ledger_thread_count() : 64;
    size_t i;
    for (i = 0; i < count; i++) {
        firsts[i] = ledger_main_count() + i * ledger_per_thread();
        if (pthread_create(&threads[i], NULL, run_list, &firsts[i]) != 0) {
            abort();
        }
    }
    for (i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
    }
}

static void let_go(void) {
    wal_log *log = handle;
    handle = NULL;
    if (log != NULL) {
        wal_release(log);
    }
}

static void step(size_t index) {
    const uint64_t *op = ledger_op(index);
    struct returned returned = {0, {0, 0, 0}};
    wal_error err = WAL_ERROR_INIT;
    switch (op[0]) {
    case Open:
        let_go();
        ledger_begin(index, 0);
        ledger_note(index, open_log(op, &err), &err);
        return;
    case Close:
    case Drop:
        if (handle == NULL) {
            ledger_skip(index);
            return;
        }
        ledger_begin(index, 0);
        if (op[0] == Close) {
            returned.code = wal_close(handle, &err);
        }
        let_go();
        ledger_note(index, returned, &err);
        return;
    case Threads:
        ledger_begin(index, 0);
        run_threads();
        ledger_done(index);
        return;
    default:
        use_log(index, op);
    }
}

int main(int argc, char **argv) {
    size_t index;
    if (argc != 3) {
        fprintf(stderr, "usage: %s DIRECTORY LEDGER\n", argv[0]);
        return 2;
    }
    directory = argv[1];
    if (ledger_map(argv[2]) != 0) {
        perror(argv[2]);
        return 2;
    }
    /* Whoever traces this counts from here on. */
    raise(SIGSTOP);
    for (index = 0; index < ledger_main_count(); index++) {
        step(index);
    }
    return 0;
}
