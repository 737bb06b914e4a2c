/* What the driver was told to do and how far it came: the memory it shares with whoever started it.
 * The layout is that of `src/processes/ledger.rs`; the operations, in the same order, are those of
 * `src/processes/script.rs`, which a test compares. */
#ifndef WAL_CRASH_LEDGER_H
#define WAL_CRASH_LEDGER_H

#include <stddef.h>
#include <stdint.h>
#include <wal.h>

enum kind {
    Nothing,
    Open,
    Append,
    Batch,
    Sync,
    Submit,
    Wait,
    AppendPieces,
    AppendAt,
    Trim,
    Truncate,
    Reset,
    Set,
    Update,
    Delete,
    ReadAll,
    Read,
    ReadOnly,
    Copy,
    Close,
    Drop,
    Threads,
    Sleep
};

/* What a call of the library gave back. */
struct returned {
    int32_t code;
    uint64_t values[3];
};

/* Maps the ledger at this path; -1 and errno if it cannot be. */
int ledger_map(const char *path);

/* How many operations the main thread has, how many other threads there are, and how many
 * operations each of those has. They follow each other in one numbering. */
size_t ledger_main_count(void);
size_t ledger_thread_count(void);
size_t ledger_per_thread(void);

/* The number every record of this operation begins with. */
uint64_t ledger_record(size_t index);

/* The operation: its kind and three numbers. */
const uint64_t *ledger_op(size_t index);

/* Notes that an operation begins; what it is called with, where that was not known before. */
void ledger_begin(size_t index, uint64_t argument);

/* Notes that it has ended: in what the library gave back, well, or without an open log. */
void ledger_note(size_t index, struct returned returned, const wal_error *err);
void ledger_done(size_t index);
void ledger_skip(size_t index);

#endif
