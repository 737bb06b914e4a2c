/* What the parts of the runner share. */
#ifndef CONFORMANCE_RUNNER_H
#define CONFORMANCE_RUNNER_H

#include <stddef.h>
#include <stdint.h>

#include "wal.h"

/* A line of a scenario: an operation and its words, which are taken out by name. */
typedef struct line {
    char name[64];
    char *words; /* "key=value" after "key=value", each ended by a zero; owned */
    size_t count;
    unsigned char taken[32];
} line;

/* Some bytes that live until the line is over. */
typedef struct bytes {
    unsigned char *data;
    size_t len;
} bytes;

/* Bytes of a list. */
typedef struct bytes_list {
    wal_slice *items;
    size_t count;
} bytes_list;

/* line.c: understanding a line. What cannot be understood ends the program with exit code 2. */
void line_parse(line *of, const char *text);
void line_end(line *of);
const char *optional(line *of, const char *key);
const char *word(line *of, const char *key);
uint64_t number(line *of, const char *key);
uint64_t number_or(line *of, const char *key, uint64_t otherwise);
int32_t yes(line *of, const char *key, int32_t otherwise);
int32_t choice(line *of, const char *key, const char *const *names, int32_t first, int32_t otherwise);
int32_t level(line *of, int32_t otherwise);
bytes literal(const char *text);
bytes bytes_of(line *of, const char *key);
bytes_list bytes_list_of(line *of, const char *key);
char **items_of(line *of, const char *key, size_t *count);
uint64_t whole_number(const char *text);
void *keep(size_t size); /* memory until the line is over */
void misread(const char *why, const char *what);

/* content.c: bytes that writer and reader agree on. */
uint32_t crc32_of(uint32_t before, const void *data, size_t len);
uint32_t numbers_of(uint64_t seed);
uint32_t draw(uint32_t *state);
void pattern(uint64_t seed, unsigned char *data, size_t len);
size_t record_of(uint64_t lsn, unsigned char *data);
enum { RECORD_BYTES_MAX = 8 + 5000 };

/* answer.c: what is printed. */
void refuse(const wal_error *err);
const char *bytes_text(const void *data, size_t len);
const char *or_dash(uint64_t number);
void print_record(const char *prefix, const wal_record *record);
const char *case_name(int32_t recovery_case);
const char *kind_name(int32_t code);

/* session.c: what is kept between lines. */
enum kept { LOG, CURSOR, FOLLOWER, TICKET };
typedef struct ticket {
    wal_error err; /* code 0 when it was taken */
    wal_log *log;
    uint64_t first;
    uint64_t last;
} ticket;
void *kept(enum kept kind, line *of);
void put(enum kept kind, line *of, void *object);
void drop(enum kept kind, line *of);
void drop_all(void);
const char *path_of(line *of, const char *key);
extern const char *scratch;
extern const char *golden;

/* The operations: each returns 0 when the line is none of its own. */
int opening(line *of);
int appending(line *of);
int telling(line *of);
int reading(line *of);
int following(line *of);
int changing(line *of);
int looking(line *of);
int files(line *of);

/* kills.c */
int write_until_killed(const char *directory, uint64_t count, uint64_t seed);
int read_back(const char *directory);

/* position of from= or to= */
int32_t position(line *of, const char *key, uint64_t *at);

/* Makes the call; a failure is the result of the operation. */
#define TRY(call)                      \
    do {                               \
        wal_error err = WAL_ERROR_INIT; \
        if ((call) != WAL_OK) {        \
            refuse(&err);              \
            return 1;                  \
        }                              \
    } while (0)

#endif
