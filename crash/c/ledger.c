#include "ledger.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAIN = 1, THREADS = 2, PER_THREAD = 3, SEQUENCE = 4, PHASE = 5, HEADER = 8 };
enum { OP_WORDS = 4, OUTCOME_WORDS = 32, TEXT_BYTES = (32 - 8) * 8 };

static const int64_t DONE = 1;
static const int64_t SKIPPED = -1000;
static const uint64_t NOTHING[3] = {0, 0, 0};

static uint64_t *words;

int ledger_map(const char *path) {
    struct stat status;
    int file = open(path, O_RDWR);
    if (file < 0) {
        return -1;
    }
    if (fstat(file, &status) == 0) {
        void *base =
            mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        words = base == MAP_FAILED ? NULL : base;
    }
    close(file);
    return words == NULL ? -1 : 0;
}

static uint64_t load(size_t word) {
    return __atomic_load_n(&words[word], __ATOMIC_ACQUIRE);
}

static void store(size_t word, uint64_t value) {
    __atomic_store_n(&words[word], value, __ATOMIC_RELEASE);
}

static uint64_t tick(void) {
    return __atomic_fetch_add(&words[SEQUENCE], 1, __ATOMIC_ACQ_REL) + 1;
}

size_t ledger_main_count(void) {
    return (size_t)load(MAIN);
}

size_t ledger_thread_count(void) {
    return (size_t)load(THREADS);
}

size_t ledger_per_thread(void) {
    return (size_t)load(PER_THREAD);
}

uint64_t ledger_record(size_t index) {
    return load(PHASE) << 40 | (uint64_t)index << 16;
}

const uint64_t *ledger_op(size_t index) {
    return &words[HEADER + index * OP_WORDS];
}

static size_t place_of(size_t index) {
    return HEADER + (size_t)(load(MAIN) + load(THREADS) * load(PER_THREAD)) * OP_WORDS
        + index * OUTCOME_WORDS;
}

void ledger_begin(size_t index, uint64_t argument) {
    size_t place = place_of(index);
    store(place + 1, argument);
    store(place, tick());
}

static void end(size_t index, int64_t status, const uint64_t *values, const char *text) {
    size_t place = place_of(index);
    size_t len = strlen(text);
    store(place + 3, (uint64_t)status);
    store(place + 4, values[0]);
    store(place + 5, values[1]);
    store(place + 6, values[2]);
    memcpy(&words[place + 8], text, len < TEXT_BYTES ? len : TEXT_BYTES);
    store(place + 2, tick());
}

void ledger_note(size_t index, struct returned returned, const wal_error *err) {
    if (returned.code == WAL_OK) {
        end(index, DONE, returned.values, "");
    } else {
        end(index, returned.code, NOTHING, err->message);
    }
}

void ledger_done(size_t index) {
    end(index, DONE, NOTHING, "");
}

void ledger_skip(size_t index) {
    end(index, SKIPPED, NOTHING, "");
}
