#ifndef WAL_H
#define WAL_H

/* Generated from wal-ffi; change the sources, then run the tests with WAL_UPDATE_HEADER=1. */

#include <stddef.h>
#include <stdint.h>

/**
 * @file wal.h
 * libwal: an embeddable, crash-safe write-ahead log.
 *
 * A log is a directory with one append-only sequence of records. A record is opaque bytes and has
 * an LSN, a number that grows by one; 0 is never a record and stands for "none" everywhere here.
 *
 *     wal_error err = WAL_ERROR_INIT;
 *     wal_log *log = NULL;
 *     uint64_t lsn = 0;
 *     if (wal_open("events", NULL, &log, NULL, &err) != WAL_OK) return complain(&err);
 *     if (wal_append(log, "hello", 5, WAL_LEVEL_DEFAULT, &lsn, &err) != WAL_OK) ...
 *     if (wal_close(log, &err) != WAL_OK) ...
 *     wal_release(log);
 *
 * Durability. A log has a level, and every append may choose another one. When wal_append has
 * returned WAL_OK, the record survives:
 *
 *     level                 death of the process    system crash, power loss
 *     WAL_LEVEL_DISK        yes                     yes                         the default
 *     WAL_LEVEL_OS          yes                     no
 *     WAL_LEVEL_BUFFERED    no                      no
 *
 * What survives a crash is a prefix in LSN order, never a hole; a batch survives as a whole or not
 * at all. wal_submit does not wait: the watermark wal_durable_lsn tells how far the disk is, and
 * wal_wait_durable, a notifier or a callback wait for it. An event loop takes wal_completions, which
 * give each append back with what became of it.
 *
 * Readers follow the log's level, not the append's: those of a log at WAL_LEVEL_DISK see what is
 * durable, those of the other levels what the kernel was given. Until then a record is
 * WAL_ERR_NOT_FOUND.
 *
 * Errors. Functions return WAL_OK or a negative code, one of enum wal_code. The last argument,
 * which may be NULL, is a wal_error of the caller: its struct_size must be set (WAL_ERROR_INIT
 * does), and it is written only when the call fails. Results are written only when the call
 * succeeds, except the size that is needed when a buffer was too small (WAL_ERR_FULL). Each code
 * says what to do next.
 *
 * Pointers. NULL where an object is needed, a misaligned pointer, a wrong choice and a wrong
 * struct_size are WAL_ERR_INVALID. A released handle, a pointer to nowhere and a wrong length
 * cannot be caught: they are the caller's bugs. Data pointers may be NULL when their length is 0.
 *
 * Structs. Those that may grow begin with struct_size, set by their wal_..._init function or by the
 * caller to sizeof. A program keeps working with a newer library, and with an older one as long as
 * what the older one does not know is 0.
 *
 * Threads. A function that takes its handle as const may be called from any thread at once.
 * Cursors and followers are used by one thread at a time. Callbacks run where their function
 * says; they must return, without longjmp and without a C++ exception. Closing and releasing
 * inside a callback is allowed and happens when it is over.
 *
 * Ownership. What a function hands out through a pointer to a pointer is released by the caller
 * with the _release function of its type; NULL is ignored there. wal_close ends the work on a log
 * but keeps the handle valid, so that other threads get WAL_ERR_CLOSED instead of a crash;
 * wal_release drops the handle. Cursors, records, notifiers and subscriptions keep what they need
 * alive: any order of closing and releasing is safe. Data passed in is copied before the call
 * returns.
 *
 * Fork. A child process gets WAL_ERR_FORKED from every log it inherited and should release it; it
 * opens logs of its own.
 *
 * Times are nanoseconds since 1970, waits are milliseconds, negative for as long as it takes.
 */

/** The header's major version; the library's is in what wal_version_number() returns. */
#define WAL_VERSION_MAJOR 0
/** The header's minor version. */
#define WAL_VERSION_MINOR 1
/** The header's patch version. */
#define WAL_VERSION_PATCH 0
/** The header's version as text. */
#define WAL_VERSION "0.1.0"
/** The header's version as one number, comparable with what wal_version_number() returns. */
#define WAL_VERSION_NUMBER \
    (WAL_VERSION_MAJOR * 1000000 + WAL_VERSION_MINOR * 1000 + WAL_VERSION_PATCH)
/** Whether the header is of this version or a newer one; for the preprocessor. */
#define WAL_VERSION_AT_LEAST(major, minor, patch) \
    (WAL_VERSION_NUMBER >= (major) * 1000000 + (minor) * 1000 + (patch))

/** The start value of a wal_error. */
#define WAL_ERROR_INIT {(uint32_t)sizeof(struct wal_error), 0, 0, 0, 0, 0, 0, ""}

/**
 * What a function returns: `WAL_OK` or what went wrong, one code per thing a caller can do about
 * it. Functions return it as `int32_t`.
 */
typedef enum wal_code {
    /**
     * The call did what it was asked.
     */
    WAL_OK = 0,
    /**
     * An argument or option is wrong: correct the call. Nothing was changed.
     */
    WAL_ERR_INVALID = -1,
    /**
     * There is no such log, record or key.
     */
    WAL_ERR_NOT_FOUND = -2,
    /**
     * The position was trimmed away: go on from `wal_error.lsn`, the first record still there.
     */
    WAL_ERR_TRIMMED = -3,
    /**
     * The position was truncated away: go back to `wal_error.lsn`, the last record still there.
     */
    WAL_ERR_TRUNCATED = -4,
    /**
     * The next LSN is not the expected one; `wal_error.lsn` is. Nothing was appended.
     */
    WAL_ERR_CONFLICT = -5,
    /**
     * The log was closed: open it again.
     */
    WAL_ERR_CLOSED = -6,
    /**
     * Another writer holds the log: stop it, or wait with `wal_options.lock_wait_ms`.
     */
    WAL_ERR_LOCKED = -7,
    /**
     * No room: on the disk, below a limit, or in the caller's memory. Surely nothing was written.
     */
    WAL_ERR_FULL = -8,
    /**
     * The time was up; whatever was waited for goes on.
     */
    WAL_ERR_TIMEOUT = -9,
    /**
     * The call would have had to wait and was told not to.
     */
    WAL_ERR_WOULD_BLOCK = -10,
    /**
     * An earlier write or sync failed: reopen the log, which finds out what is on disk.
     */
    WAL_ERR_POISONED = -11,
    /**
     * The system refused. After a failed append the outcome is unknown until the log is reopened.
     */
    WAL_ERR_IO = -12,
    /**
     * Bytes on disk are not what was written: verify, restore from a copy, or repair.
     */
    WAL_ERR_CORRUPT = -13,
    /**
     * The file belongs to a newer version or uses a feature this one does not know: upgrade.
     */
    WAL_ERR_UNSUPPORTED = -14,
    /**
     * The handle was inherited through `fork`: open the log again in this process.
     */
    WAL_ERR_FORKED = -15,
    /**
     * A bug in libwal: please report it.
     */
    WAL_ERR_INTERNAL = -16,
    /**
     * A panic inside libwal was caught; the handle now answers `WAL_ERR_POISONED`.
     */
    WAL_ERR_PANIC = -17,
} wal_code;

/**
 * What an acknowledgement promises.
 */
typedef enum wal_level {
    /**
     * The log's own level; in `wal_options`, the default: disk.
     */
    WAL_LEVEL_DEFAULT = 0,
    /**
     * The record is in the engine's memory; it is lost with the process.
     */
    WAL_LEVEL_BUFFERED = 1,
    /**
     * The record was given to the kernel; it survives the death of the process.
     */
    WAL_LEVEL_OS = 2,
    /**
     * The record survives power loss.
     */
    WAL_LEVEL_DISK = 3,
} wal_level;

/**
 * What happens to an append that finds the log at `wal_options.max_bytes`.
 */
typedef enum wal_at_capacity {
    /**
     * It fails with `WAL_ERR_FULL`.
     */
    WAL_AT_CAPACITY_REJECT = 0,
    /**
     * It waits until a trim makes room.
     */
    WAL_AT_CAPACITY_BLOCK = 1,
    /**
     * The oldest segments are trimmed, whether they were read or not.
     */
    WAL_AT_CAPACITY_TRIM_OLDEST = 2,
} wal_at_capacity;

/**
 * How the active segment is written.
 */
typedef enum wal_io {
    /**
     * The engine chooses, by measurement.
     */
    WAL_IO_AUTO = 0,
    /**
     * Through the page cache.
     */
    WAL_IO_BUFFERED = 1,
    /**
     * Past the page cache, where the file system can.
     */
    WAL_IO_DIRECT = 2,
} wal_io;

/**
 * How records of sealed segments are read.
 */
typedef enum wal_read_mode {
    /**
     * Through a mapping, without copying; a device error while reading is a signal (`SIGBUS`).
     */
    WAL_READ_MODE_MAP = 0,
    /**
     * Into memory of the record; every failure is an error.
     */
    WAL_READ_MODE_PREAD = 1,
} wal_read_mode;

/**
 * Where a cursor, follower or replay starts; goes with a number `at`.
 */
typedef enum wal_from {
    /**
     * The first record there is; `at` is not looked at.
     */
    WAL_FROM_FIRST = 0,
    /**
     * The record with the LSN `at`, or where it will be, for the next LSN.
     */
    WAL_FROM_LSN = 1,
    /**
     * After the last record; `at` is not looked at.
     */
    WAL_FROM_END = 2,
    /**
     * The first record committed at the time `at` (nanoseconds since 1970) or later.
     */
    WAL_FROM_TIME = 3,
} wal_from;

/**
 * Numbers of the packed layout.
 */
typedef enum wal_packed {
    /**
     * Flag: the batch goes on with the next record. Set by reads; appends take any batch as one.
     */
    WAL_PACKED_BATCH_CONTINUES = 1,
    /**
     * What every record begins at a multiple of, counted from the first.
     */
    WAL_PACKED_ALIGN = 8,
    /**
     * Bytes before a record's payload: `uint32_t` length, `uint32_t` flags, `uint64_t` LSN.
     */
    WAL_PACKED_HEADER_BYTES = 16,
} wal_packed;

/**
 * What opening found.
 */
typedef enum wal_recovery_case {
    /**
     * Something a newer version of the engine tells apart; the message says what.
     */
    WAL_RECOVERY_OTHER = 0,
    /**
     * There was no log; it was created.
     */
    WAL_RECOVERY_CREATED = 1,
    /**
     * The log was closed properly.
     */
    WAL_RECOVERY_CLEAN = 2,
    /**
     * The log was not closed, and its last commit is whole.
     */
    WAL_RECOVERY_WHOLE = 3,
    /**
     * The log was not closed, and an unfinished commit was cut off its end.
     */
    WAL_RECOVERY_TORN_TAIL = 4,
} wal_recovery_case;

/**
 * What a line of a repair says.
 */
typedef enum wal_repair_line {
    /**
     * `text` is something that was (or would be) done.
     */
    WAL_REPAIR_ACTION = 1,
    /**
     * The records `first_lsn` to `last_lsn` are lost.
     */
    WAL_REPAIR_LOST = 2,
    /**
     * `text` is the directory with copies of the changed files.
     */
    WAL_REPAIR_BACKUP = 3,
} wal_repair_line;

/**
 * How much the log callback hears of.
 */
typedef enum wal_verbosity {
    /**
     * Nothing.
     */
    WAL_LOG_OFF = 0,
    /**
     * Failures nobody was there to be told of.
     */
    WAL_LOG_ERROR = 1,
    /**
     * What an operator should look at, such as a cut tail.
     */
    WAL_LOG_WARN = 2,
    /**
     * Openings, closings, rotations.
     */
    WAL_LOG_INFO = 3,
    /**
     * What helps to find a fault.
     */
    WAL_LOG_DEBUG = 4,
    /**
     * Everything.
     */
    WAL_LOG_TRACE = 5,
} wal_verbosity;

/**
 * Appends in flight, each with a token of the caller, and a file descriptor that is readable when
 * some have ended. Unlike comparing LSNs with the watermark, it tells a record that a full disk
 * refused from the one that got its LSN afterwards.
 */
typedef struct wal_completions wal_completions;

/**
 * A reader's position between two records. One thread at a time; it may move between threads.
 */
typedef struct wal_cursor wal_cursor;

/**
 * A cursor that waits at the tail. One thread at a time; it may move between threads. Closing the
 * log ends its wait.
 */
typedef struct wal_follower wal_follower;

/**
 * An open log. Every function that takes it as `const` may be called from any thread at once.
 */
typedef struct wal_log wal_log;

/**
 * A file descriptor that becomes readable when the durable LSN advances. Each listener opens its
 * own, so that none takes another's wake-up.
 */
typedef struct wal_notifier wal_notifier;

/**
 * One record that was read. It keeps its segment's memory alive, also when the log is closed or
 * trimmed meanwhile.
 */
typedef struct wal_record wal_record;

/**
 * The callbacks asked for with `wal_on_durable`; releasing it ends them.
 */
typedef struct wal_subscription wal_subscription;

/**
 * How a log is opened. Fill it with `wal_options_init`, then change what should differ; most
 * programs only choose the level.
 */
typedef struct wal_options {
    /**
     * `sizeof(wal_options)`, set by `wal_options_init`.
     */
    uint32_t struct_size;
    /**
     * What an acknowledgement promises unless the call says otherwise: one of `enum wal_level`.
     */
    int32_t level;
    /**
     * Sync at the latest this long after a record was written, below the disk level; 0 for never.
     */
    uint64_t sync_every_ms;
    /**
     * Sync at the latest when this many bytes were written since the last sync; 0 for never.
     */
    uint64_t sync_bytes;
    /**
     * Size of a segment file, 64 KiB to 4 GiB, a multiple of 4 KiB.
     */
    uint64_t segment_bytes;
    /**
     * The longest record accepted.
     */
    uint64_t record_bytes_max;
    /**
     * The largest batch accepted, the sum of its payloads.
     */
    uint64_t batch_bytes_max;
    /**
     * Memory for records on their way to the kernel; appenders wait when it is full.
     */
    uint64_t ring_bytes;
    /**
     * How long a flush may wait for more records; 0, the default, is the fastest.
     */
    uint64_t max_batch_delay_us;
    /**
     * About how much one flush takes at the most.
     */
    uint64_t max_batch_bytes;
    /**
     * Size of all segment files together that is not exceeded; 0 for no limit.
     */
    uint64_t max_bytes;
    /**
     * What happens at `max_bytes`: one of `enum wal_at_capacity`.
     */
    int32_t at_capacity;
    /**
     * How the active segment is written: one of `enum wal_io`.
     */
    int32_t io;
    /**
     * Trim whole segments so that about this many bytes of records are kept; 0 for no limit.
     */
    uint64_t retention_bytes;
    /**
     * Trim whole segments whose records are all older than this; 0 for no limit.
     */
    uint64_t retention_age_ms;
    /**
     * Trim whole segments so that about this many records are kept; 0 for no limit.
     */
    uint64_t retention_records;
    /**
     * How long opening waits for another writer to go; 0 fails with `WAL_ERR_LOCKED` at once.
     */
    uint64_t lock_wait_ms;
    /**
     * The first LSN of a log that is created by this opening.
     */
    uint64_t first_lsn;
    /**
     * Whether a missing log is created: 1 or 0.
     */
    int32_t create;
    /**
     * How sealed segments are read: one of `enum wal_read_mode`.
     */
    int32_t read_mode;
    /**
     * Whether every commit is padded to a full block, for devices that may damage the neighbours
     * of a sector when power fails: 1 or 0.
     */
    int32_t pad_to_block;
    /**
     * Must be 0.
     */
    uint32_t reserved;
} wal_options;

/**
 * What one batch asks for beyond the log's options. Fill it with `wal_append_options_init`.
 */
typedef struct wal_append_options {
    /**
     * `sizeof(wal_append_options)`, set by `wal_append_options_init`.
     */
    uint32_t struct_size;
    /**
     * The level of this append: one of `enum wal_level`.
     */
    int32_t level;
    /**
     * How long to wait for room: negative for as long as it takes, 0 for not at all
     * (`WAL_ERR_WOULD_BLOCK`), else at most this long (`WAL_ERR_TIMEOUT`).
     */
    int64_t wait_ms;
    /**
     * The commit time to record, in nanoseconds since 1970, for copies and imports; negative for
     * the clock's.
     */
    int64_t time_ns;
} wal_append_options;

/**
 * What opening found and did. Set `struct_size` before the call.
 */
typedef struct wal_recovery_report {
    /**
     * `sizeof(wal_recovery_report)`, set by the caller.
     */
    uint32_t struct_size;
    /**
     * One of `enum wal_recovery_case`.
     */
    int32_t recovery_case;
    /**
     * Whether the log was created: 1 or 0.
     */
    int32_t created;
    /**
     * Whether a tail was cut: 1 or 0. Nothing that was acknowledged at the disk level is in it.
     */
    int32_t cut;
    /**
     * The first record, 0 if there is none.
     */
    uint64_t first_lsn;
    /**
     * The last record, 0 if there is none.
     */
    uint64_t last_lsn;
    /**
     * The segment whose tail was cut.
     */
    uint64_t cut_segment;
    /**
     * Where in it.
     */
    uint64_t cut_offset;
    /**
     * How many bytes were dropped.
     */
    uint64_t cut_bytes;
    /**
     * Bytes read to find the end.
     */
    uint64_t bytes_scanned;
    /**
     * Commits read to find the end.
     */
    uint64_t commits_scanned;
    /**
     * Bytes written again and synced before anything was served.
     */
    uint64_t bytes_rewritten;
    /**
     * How long it took.
     */
    uint64_t duration_ns;
    /**
     * The report as text: case, cut and notes; always terminated, cut if it is longer.
     */
    char message[512];
} wal_recovery_report;

/**
 * Why a call failed. Optional last argument of every call that can fail; written only when it
 * does. Set `struct_size` before the first use, or start from `WAL_ERROR_INIT`.
 */
typedef struct wal_error {
    /**
     * `sizeof(wal_error)`, set by the caller.
     */
    uint32_t struct_size;
    /**
     * The code, the same as was returned.
     */
    int32_t code;
    /**
     * The system's error number, 0 unless the system refused.
     */
    int32_t os_errno;
    /**
     * Always 0.
     */
    uint32_t reserved;
    /**
     * The LSN the code speaks of, 0 if none: see `wal_code`.
     */
    uint64_t lsn;
    /**
     * The segment the error is about, 0 if none.
     */
    uint64_t segment;
    /**
     * Where in the segment's file.
     */
    uint64_t offset;
    /**
     * What happened, for a person: one line of UTF-8, always terminated, cut if it is longer.
     */
    char message[256];
} wal_error;

/**
 * Some bytes: a record, or a piece of one. `data` may be `NULL` only when `len` is 0.
 */
typedef struct wal_slice {
    /**
     * Where they are.
     */
    const void *data;
    /**
     * How many.
     */
    size_t len;
} wal_slice;

/**
 * Told after each advance of the durable LSN; `failure` is `NULL`. When the log is poisoned it is
 * told once more, with `durable_lsn` 0 and the failure, valid until the callback returns.
 */
typedef void (*wal_durable_fn)(uint64_t durable_lsn, const struct wal_error *failure, void *payload);

/**
 * Told when nobody will use `payload` any more, so that it can be freed.
 */
typedef void (*wal_drop_fn)(void *payload);

/**
 * How one append ended. The layout is fixed.
 */
typedef struct wal_completion {
    /**
     * The caller's number for the append.
     */
    uint64_t token;
    /**
     * The LSN of its first record, 0 if it failed.
     */
    uint64_t first_lsn;
    /**
     * The LSN of its last record, 0 if it failed.
     */
    uint64_t last_lsn;
    /**
     * `WAL_OK`: the records are at their level. Else the code: `WAL_ERR_FULL` when they were
     * surely not written; with any other one the outcome is unknown until the log is reopened.
     */
    int32_t code;
    /**
     * The system's error number, 0 unless the system refused.
     */
    int32_t os_errno;
} wal_completion;

/**
 * Gets one record of a replay: its LSN, its bytes (valid until the callback returns), its flags as
 * in the packed layout, and the caller's pointer. Returns 0 to go on, anything else to stop.
 */
typedef int32_t (*wal_replay_fn)(uint64_t lsn,
                                 const void *data,
                                 size_t len,
                                 uint32_t flags,
                                 void *payload);

/**
 * A finished hot copy. Set `struct_size` before the call.
 */
typedef struct wal_copy_report {
    /**
     * `sizeof(wal_copy_report)`, set by the caller.
     */
    uint32_t struct_size;
    /**
     * Always 0.
     */
    uint32_t reserved;
    /**
     * How many records were copied.
     */
    uint64_t records;
    /**
     * The first of them, 0 if there is none.
     */
    uint64_t first_lsn;
    /**
     * The last of them, 0 if there is none.
     */
    uint64_t last_lsn;
    /**
     * The identity of the copy.
     */
    uint8_t uuid[16];
} wal_copy_report;

/**
 * One change of `wal_value_update`.
 */
typedef struct wal_value_change {
    /**
     * The key, at most 255 bytes.
     */
    struct wal_slice key;
    /**
     * The value, at most 4096 bytes; not looked at when `remove` is 1.
     */
    struct wal_slice value;
    /**
     * 0 to set the key, 1 to delete it.
     */
    int32_t remove;
    /**
     * Must be 0.
     */
    uint32_t reserved;
} wal_value_change;

/**
 * Gets one entry: the key, the value (both valid until the callback returns) and the caller's
 * pointer. Returns 0 to go on, anything else to stop.
 */
typedef int32_t (*wal_value_fn)(const void *key,
                                size_t key_len,
                                const void *value,
                                size_t value_len,
                                void *payload);

/**
 * A latency: how often, how long.
 */
typedef struct wal_latency {
    /**
     * How many were measured.
     */
    uint64_t count;
    /**
     * The mean, 0 if none was measured.
     */
    uint64_t mean_ns;
    /**
     * What half of them did not exceed.
     */
    uint64_t p50_ns;
    /**
     * What 90 of 100 did not exceed.
     */
    uint64_t p90_ns;
    /**
     * What 99 of 100 did not exceed.
     */
    uint64_t p99_ns;
    /**
     * What 999 of 1000 did not exceed.
     */
    uint64_t p999_ns;
    /**
     * The longest.
     */
    uint64_t max_ns;
} wal_latency;

/**
 * A log's state; each figure is exact, all of them together are not one instant. Counters count
 * from the opening. Set `struct_size` before the call.
 */
typedef struct wal_stats {
    /**
     * `sizeof(wal_stats)`, set by the caller.
     */
    uint32_t struct_size;
    /**
     * The log's level: one of `enum wal_level`.
     */
    int32_t level;
    /**
     * Whether the log refuses appends after a failure: 1 or 0. `wal_poisoned` tells the cause.
     */
    int32_t poisoned;
    /**
     * Whether the active segment is written past the page cache: 1 or 0.
     */
    int32_t direct_io;
    /**
     * The epoch of this run of writing.
     */
    uint64_t epoch;
    /**
     * The first record readers see, 0 if there is none.
     */
    uint64_t first_lsn;
    /**
     * The last record readers see, 0 if there is none.
     */
    uint64_t last_lsn;
    /**
     * The LSN the next record gets.
     */
    uint64_t next_lsn;
    /**
     * The last record handed to the engine, 0 if there is none.
     */
    uint64_t submitted_lsn;
    /**
     * The last record given to the kernel, 0 if there is none.
     */
    uint64_t written_lsn;
    /**
     * The last record on stable storage, 0 if there is none.
     */
    uint64_t durable_lsn;
    /**
     * Records appended.
     */
    uint64_t records;
    /**
     * Payload bytes of them.
     */
    uint64_t record_bytes;
    /**
     * Commits written.
     */
    uint64_t commits;
    /**
     * Bytes given to the kernel.
     */
    uint64_t bytes_written;
    /**
     * Syncs of segments on the commit path.
     */
    uint64_t syncs;
    /**
     * Syncs of the state file.
     */
    uint64_t state_syncs;
    /**
     * Segments sealed.
     */
    uint64_t rotations;
    /**
     * Segments made on the commit path because no spare was ready.
     */
    uint64_t spare_misses;
    /**
     * Segments reused.
     */
    uint64_t recycled;
    /**
     * Segments trimmed.
     */
    uint64_t trimmed;
    /**
     * Times an appender had to wait for room.
     */
    uint64_t waits_for_room;
    /**
     * Flushes done by a waiting appender itself.
     */
    uint64_t flushes_inline;
    /**
     * Flushes done by a thread of the library.
     */
    uint64_t flushes_background;
    /**
     * Records read.
     */
    uint64_t reads;
    /**
     * Segments there are.
     */
    uint64_t segments;
    /**
     * Spare segments waiting.
     */
    uint64_t spares;
    /**
     * Bytes of ring memory in use.
     */
    uint64_t ring_bytes_used;
    /**
     * Time from a flush's start to its bytes being in the kernel.
     */
    struct wal_latency write_latency;
    /**
     * Time of a sync.
     */
    struct wal_latency sync_latency;
} wal_stats;

/**
 * One segment of a log.
 */
typedef struct wal_segment {
    /**
     * The size of this struct, as the library knows it.
     */
    uint32_t struct_size;
    /**
     * Whether it is sealed: 1 or 0.
     */
    int32_t sealed;
    /**
     * Its number and file name.
     */
    uint64_t id;
    /**
     * The LSN of its first record, or of its first possible one.
     */
    uint64_t first_lsn;
    /**
     * Its last record, 0 while it is empty.
     */
    uint64_t last_lsn;
    /**
     * Where its valid bytes end.
     */
    uint64_t end;
    /**
     * The size of its file.
     */
    uint64_t file_bytes;
    /**
     * Its epoch.
     */
    uint64_t epoch;
    /**
     * When it was started, in nanoseconds since 1970.
     */
    int64_t created_ns;
} wal_segment;

/**
 * Gets one segment, oldest first (valid until the callback returns), and the caller's pointer.
 * Returns 0 to go on, anything else to stop.
 */
typedef int32_t (*wal_segment_fn)(const struct wal_segment *segment, void *payload);

/**
 * What there is at a path. Set `struct_size` before the call.
 */
typedef struct wal_info {
    /**
     * `sizeof(wal_info)`, set by the caller.
     */
    uint32_t struct_size;
    /**
     * Whether the last writer closed the log properly: 1 or 0.
     */
    int32_t clean;
    /**
     * Whether a writer has it open now: 1 or 0.
     */
    int32_t writer_alive;
    /**
     * Always 0.
     */
    uint32_t reserved;
    /**
     * The log's identity.
     */
    uint8_t uuid[16];
    /**
     * The epoch of the last run of writing.
     */
    uint64_t epoch;
    /**
     * The first record, 0 if there is none.
     */
    uint64_t first_lsn;
    /**
     * The last record, 0 if there is none.
     */
    uint64_t last_lsn;
    /**
     * The LSN the next record gets.
     */
    uint64_t next_lsn;
    /**
     * Everything below this segment and offset is known to be durable.
     */
    uint64_t durable_segment;
    /**
     * The offset in that segment.
     */
    uint64_t durable_offset;
    /**
     * The commit time of the first record, in nanoseconds since 1970; 0 if there is none.
     */
    int64_t first_time_ns;
    /**
     * The commit time of the last record; 0 if there is none.
     */
    int64_t last_time_ns;
    /**
     * How many segments there are.
     */
    uint64_t segments;
    /**
     * How many spare segments.
     */
    uint64_t spares;
    /**
     * How many entries the key-value state has.
     */
    uint64_t values;
    /**
     * Bytes of all files.
     */
    uint64_t disk_bytes;
    /**
     * Bytes of valid frames.
     */
    uint64_t valid_bytes;
} wal_info;

/**
 * Told how far a verification is; may be called often.
 */
typedef void (*wal_progress_fn)(uint64_t bytes_done, uint64_t bytes_total, void *payload);

/**
 * One wrong place.
 */
typedef struct wal_finding {
    /**
     * The size of this struct, as the library knows it.
     */
    uint32_t struct_size;
    /**
     * What is wrong: `WAL_ERR_CORRUPT`, or another code of `enum wal_code`.
     */
    int32_t code;
    /**
     * Whether records can be lost by it: 1 or 0.
     */
    int32_t records_at_stake;
    /**
     * Always 0.
     */
    uint32_t reserved;
    /**
     * The segment, 0 if none.
     */
    uint64_t segment;
    /**
     * Where in the file.
     */
    uint64_t offset;
    /**
     * The first record at stake, 0 if it is not known.
     */
    uint64_t first_lsn;
    /**
     * The last record at stake, 0 if it is not known.
     */
    uint64_t last_lsn;
    /**
     * The file, terminated; empty if it is not about one.
     */
    const char *path;
    /**
     * What is wrong, for a person: one line of UTF-8, terminated.
     */
    const char *message;
} wal_finding;

/**
 * Gets one finding (valid until the callback returns) and the caller's pointer.
 */
typedef void (*wal_finding_fn)(const struct wal_finding *finding, void *payload);

/**
 * What a verification found. Set `struct_size` before the call.
 */
typedef struct wal_verify_report {
    /**
     * `sizeof(wal_verify_report)`, set by the caller.
     */
    uint32_t struct_size;
    /**
     * Whether there is an unfinished tail that opening would cut, which is no damage: 1 or 0.
     */
    int32_t torn_tail;
    /**
     * How many findings there are; 0 for a sound log.
     */
    uint64_t findings;
    /**
     * Segments read.
     */
    uint64_t segments;
    /**
     * Commits read.
     */
    uint64_t commits;
    /**
     * Records read.
     */
    uint64_t records;
    /**
     * Bytes read.
     */
    uint64_t bytes;
    /**
     * The first record, 0 if there is none.
     */
    uint64_t first_lsn;
    /**
     * The last record, 0 if there is none.
     */
    uint64_t last_lsn;
} wal_verify_report;

/**
 * Gets one line of a repair: one of `enum wal_repair_line`, its text (terminated, valid until the
 * callback returns), the records it speaks of (0 for none) and the caller's pointer.
 */
typedef void (*wal_repair_fn)(int32_t line,
                              const char *text,
                              uint64_t first_lsn,
                              uint64_t last_lsn,
                              void *payload);

/**
 * What a repair did. Set `struct_size` before the call.
 */
typedef struct wal_repair_report {
    /**
     * `sizeof(wal_repair_report)`, set by the caller.
     */
    uint32_t struct_size;
    /**
     * Whether anything was changed: 1 or 0.
     */
    int32_t changed;
    /**
     * How many things were (or would be) done; 0 for a sound log.
     */
    uint64_t actions;
    /**
     * How many records are lost.
     */
    uint64_t lost_records;
} wal_repair_report;

/**
 * Gets one event: its level (one of `enum wal_verbosity`), the part of the library it comes from,
 * its text with its fields (both terminated UTF-8, valid until the callback returns) and the
 * caller's pointer.
 */
typedef void (*wal_log_fn)(int32_t level, const char *target, const char *message, void *payload);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The library's version, such as `"0.1.0"`.
 *
 * - Ownership: the text is static, never freed.
 * - Thread-safety: any thread at once.
 * - Blocking: never.
 * - Errors: none.
 * - Since: 0.1.0
 */
const char *wal_version(void);

/**
 * The library's version as one number, comparable with `WAL_VERSION_NUMBER` of the header the
 * program was compiled with: major * 1000000 + minor * 1000 + patch.
 *
 * - Ownership: none.
 * - Thread-safety: any thread at once.
 * - Blocking: never.
 * - Errors: none.
 * - Since: 0.1.0
 */
uint32_t wal_version_number(void);

/**
 * The constant's name, such as `"WAL_ERR_FULL"`; `"WAL_ERR_UNKNOWN"` for a number that is none.
 *
 * - Ownership: the text is static, never freed.
 * - Thread-safety: any thread, any number at once.
 * - Blocking: never.
 * - Errors: none.
 * - Since: 0.1.0
 */
const char *wal_code_name(int32_t code);

/**
 * One English sentence on what the code means and what the caller can do.
 *
 * - Ownership: the text is static, never freed.
 * - Thread-safety: any thread, any number at once.
 * - Blocking: never.
 * - Errors: none.
 * - Since: 0.1.0
 */
const char *wal_code_text(int32_t code);

/**
 * Fills `options` with the defaults of this library. `struct_size` is `sizeof(wal_options)`.
 *
 * - Ownership: the struct is the caller's.
 * - Thread-safety: any thread, each with a struct of its own.
 * - Blocking: never.
 * - Errors: `WAL_ERR_INVALID` for `NULL` and for an impossible size.
 * - Since: 0.1.0
 */
int32_t wal_options_init(struct wal_options *options, size_t struct_size);

/**
 * Fills `options` with what an append without options asks for. `struct_size` is
 * `sizeof(wal_append_options)`.
 *
 * - Ownership: the struct is the caller's.
 * - Thread-safety: any thread, each with a struct of its own.
 * - Blocking: never.
 * - Errors: `WAL_ERR_INVALID` for `NULL` and for an impossible size.
 * - Since: 0.1.0
 */
int32_t wal_append_options_init(struct wal_append_options *options, size_t struct_size);

/**
 * Opens the log in the directory `path` for writing, and creates it if it is missing. `options`
 * may be `NULL` for the defaults. `report` may be `NULL`.
 *
 * When this returns, everything the log serves survives power loss, whatever happened before.
 *
 * - Ownership: `*log` is the caller's, who releases it with `wal_release`. `path` and `options`
 *   are copied.
 * - Thread-safety: any thread at once; one of two openers of the same path gets `WAL_ERR_LOCKED`.
 * - Blocking: reads and syncs what an unclean stop left, waits up to `lock_wait_ms` for a writer.
 * - Errors: `WAL_ERR_INVALID`, `WAL_ERR_NOT_FOUND`, `WAL_ERR_LOCKED`, `WAL_ERR_CORRUPT`,
 *   `WAL_ERR_UNSUPPORTED`, `WAL_ERR_FULL`, `WAL_ERR_IO`.
 * - Since: 0.1.0
 */
int32_t wal_open(const char *path,
                 const struct wal_options *options,
                 struct wal_log **log,
                 struct wal_recovery_report *report,
                 struct wal_error *err);

/**
 * Opens the log in the directory `path` for reading only, beside a live writer or after a crash.
 * Nothing on disk is changed; appending and trimming are `WAL_ERR_INVALID`. `options` and `report`
 * may be `NULL`.
 *
 * - Ownership: `*log` is the caller's, who releases it with `wal_release`. `path` and `options`
 *   are copied.
 * - Thread-safety: any thread at once, any number of readers.
 * - Blocking: reads what an unclean stop left.
 * - Errors: `WAL_ERR_INVALID`, `WAL_ERR_NOT_FOUND`, `WAL_ERR_CORRUPT`, `WAL_ERR_UNSUPPORTED`,
 *   `WAL_ERR_IO`.
 * - Since: 0.1.0
 */
int32_t wal_open_read_only(const char *path,
                           const struct wal_options *options,
                           struct wal_log **log,
                           struct wal_recovery_report *report,
                           struct wal_error *err);

/**
 * Closes the log: syncs everything at whatever level, lets the lock go, ends all waits. Later
 * calls on the log are `WAL_ERR_CLOSED`; the handle itself stays valid until `wal_release`.
 * Closing a closed log does nothing.
 *
 * When this returns `WAL_OK`, every record that was ever appended survives power loss. Inside a
 * callback the close is deferred: it returns at once, refuses later calls, and is done when the
 * callback is over.
 *
 * - Ownership: unchanged.
 * - Thread-safety: any thread at once, also while other calls on the log are running.
 * - Blocking: writes and syncs what is still in memory.
 * - Errors: `WAL_ERR_INVALID`, `WAL_ERR_IO`, `WAL_ERR_POISONED`, `WAL_ERR_FORKED`: what could not
 *   be made durable is unknown until the log is opened again. The log is closed all the same.
 * - Since: 0.1.0
 */
int32_t wal_close(const struct wal_log *log, struct wal_error *err);

/**
 * Releases the handle. The log is closed as well as it can be when its last handle goes; close
 * it first to learn whether that worked. Cursors, records, notifiers and subscriptions of the
 * log stay valid and are released on their own. `NULL` is ignored.
 *
 * - Ownership: `log` must not be used again, by any thread.
 * - Thread-safety: once, when no other call on this handle is running.
 * - Blocking: as `wal_close`.
 * - Errors: none are told.
 * - Since: 0.1.0
 */
void wal_release(struct wal_log *log);

/**
 * Removes the log in the directory `path`, and the directory if nothing foreign is in it.
 *
 * - Ownership: `path` is copied.
 * - Thread-safety: any thread at once.
 * - Blocking: removes files and syncs directories.
 * - Errors: `WAL_ERR_INVALID`, `WAL_ERR_NOT_FOUND`, `WAL_ERR_LOCKED` while a writer holds the log,
 *   `WAL_ERR_IO`.
 * - Since: 0.1.0
 */
int32_t wal_destroy(const char *path, struct wal_error *err);

/**
 * Writes the directory the log is in to `buffer`, not terminated, and its length to `*len`.
 *
 * - Ownership: `buffer` is the caller's.
 * - Thread-safety: any thread at once.
 * - Blocking: never.
 * - Errors: `WAL_ERR_INVALID`; `WAL_ERR_FULL` when `buffer` is too small, with the size needed in
 *   `*len`.
 * - Since: 0.1.0
 */
int32_t wal_path(const struct wal_log *log,
                 void *buffer,
                 size_t capacity,
                 size_t *len,
                 struct wal_error *err);

/**
 * Writes the log's 128-bit identity to the 16 bytes at `uuid`.
 *
 * - Ownership: `uuid` is the caller's.
 * - Thread-safety: any thread at once.
 * - Blocking: never.
 * - Errors: `WAL_ERR_INVALID`.
 * - Since: 0.1.0
 */
int32_t wal_uuid(const struct wal_log *log, void *uuid, struct wal_error *err);

/**
 * Waits until everything up to `lsn`, which need not be appended yet, is on stable storage.
 * `timeout_ms` is negative for as long as it takes. `durable_lsn` may be `NULL`; it gets the
 * watermark, which is `lsn` or above.
 *
 * When this returns `WAL_OK`, the records up to `*durable_lsn` survive power loss.
 *
 * - Ownership: none.
 * - Thread-safety: any thread at once.
 * - Blocking: until the records are durable, the time is up, or the log is closed or poisoned.
 * - Errors: `WAL_ERR_INVALID`, `WAL_ERR_TIMEOUT`, `WAL_ERR_CLOSED`, `WAL_ERR_POISONED`,
 *   `WAL_ERR_IO`, `WAL_ERR_FORKED`; `WAL_ERR_FULL` when the record that had this LSN was refused
 *   for want of room, until the LSN is issued again.
 * - Since: 0.1.0
 */
int32_t wal_wait_durable(const struct wal_log *log,
                         uint64_t lsn,
                         int64_t timeout_ms,
                         uint64_t *durable_lsn,
                         struct wal_error *err);

/**
 * Syncs the log, at whatever level its records were appended. `durable_lsn` may be `NULL`; it gets
 * the watermark, 0 for a log without records.
 *
 * When this returns `WAL_OK`, everything appended before the call survives power loss.
 *
 * - Ownership: none.
 * - Thread-safety: any thread at once.
 * - Blocking: writes and syncs.
 * - Errors: `WAL_ERR_INVALID`, `WAL_ERR_CLOSED`, `WAL_ERR_POISONED`, `WAL_ERR_IO`,
 *   `WAL_ERR_FULL`, `WAL_ERR_FORKED`.
 * - Since: 0.1.0
 */
int32_t wal_sync(const struct wal_log *log, uint64_t *durable_lsn, struct wal_error *err);

/**
 * Appends one record and waits until it is at its level. `lsn` may be `NULL`.
 *
 * When this returns `WAL_OK`, the record is where `level` says: `WAL_LEVEL_DISK`: it survives
 * power loss; `WAL_LEVEL_OS`: it survives the death of the process; `WAL_LEVEL_BUFFERED`: it is
 * in the engine's memory; `WAL_LEVEL_DEFAULT`: at the log's own level.
 *
 * - Ownership: `data` is copied.
 * - Thread-safety: any thread at once; waiting appends share one sync.
 * - Blocking: for room, and until the record is at its level.
 * - Errors: `WAL_ERR_INVALID`, `WAL_ERR_FULL`, `WAL_ERR_POISONED`, `WAL_ERR_IO` (the outcome is
 *   unknown until the log is reopened), `WAL_ERR_CLOSED` (unknown too, if it was closed while the
 *   call was waiting), `WAL_ERR_FORKED`.
 * - Since: 0.1.0
 */
int32_t wal_append(const struct wal_log *log,
                   const void *data,
                   size_t len,
                   int32_t level,
                   uint64_t *lsn,
                   struct wal_error *err);

/**
 * Appends one record if it gets the LSN `expected`, and waits as `wal_append` does. It finds out
 * what became of an append whose outcome was unknown, and keeps a second writer's view fenced.
 *
 * When this returns `WAL_OK`, the record is where `level` says, with the LSN `expected`.
 *
 * - Ownership: `data` is copied.
 * - Thread-safety: any thread at once.
 * - Blocking: as `wal_append`.
 * - Errors: `WAL_ERR_CONFLICT` with the next LSN in `wal_error.lsn`, and those of `wal_append`.
 * - Since: 0.1.0
 */
int32_t wal_append_at(const struct wal_log *log,
                      uint64_t expected,
                      const void *data,
                      size_t len,
                      int32_t level,
                      struct wal_error *err);

/**
 * Appends one record made of `count` pieces, and waits as `wal_append` does. `lsn` may be `NULL`.
 *
 * When this returns `WAL_OK`, the record is where `level` says.
 *
 * - Ownership: the pieces are copied.
 * - Thread-safety: any thread at once.
 * - Blocking: as `wal_append`.
 * - Errors: as `wal_append`.
 * - Since: 0.1.0
 */
int32_t wal_append_v(const struct wal_log *log,
                     const struct wal_slice *pieces,
                     size_t count,
                     int32_t level,
                     uint64_t *lsn,
                     struct wal_error *err);

/**
 * Appends `count` records as one batch and waits until it is at its level. `options` may be
 * `NULL`; so may `first_lsn` and `last_lsn`, which get the LSNs of the first and the last
 * record.
 *
 * When this returns `WAL_OK`, all records are where the level says; after a crash before that,
 * either all of them are there or none.
 *
 * - Ownership: the records and `options` are copied.
 * - Thread-safety: any thread at once; no record of another append comes in between.
 * - Blocking: as the options say, by default as `wal_append`.
 * - Errors: those of `wal_append`, `WAL_ERR_WOULD_BLOCK` and `WAL_ERR_TIMEOUT` as the options say.
 * - Since: 0.1.0
 */
int32_t wal_append_batch(const struct wal_log *log,
                         const struct wal_slice *records,
                         size_t count,
                         const struct wal_append_options *options,
                         uint64_t *first_lsn,
                         uint64_t *last_lsn,
                         struct wal_error *err);

/**
 * Appends the records of a packed batch (see the packed layout in the manual) as one batch and
 * waits until it is at its level. `first_lsn` and `last_lsn` may be `NULL`.
 *
 * When this returns `WAL_OK`, all records are where `level` says; after a crash before that,
 * either all of them are there or none.
 *
 * - Ownership: `packed` is copied.
 * - Thread-safety: any thread at once; no record of another append comes in between.
 * - Blocking: as `wal_append`.
 * - Errors: as `wal_append`; `WAL_ERR_INVALID` with the place when the bytes are not a packed
 *   batch.
 * - Since: 0.1.0
 */
int32_t wal_append_packed(const struct wal_log *log,
                          const void *packed,
                          size_t len,
                          int32_t level,
                          uint64_t *first_lsn,
                          uint64_t *last_lsn,
                          struct wal_error *err);

/**
 * Hands one record to the engine without waiting for it. `lsn` may be `NULL`.
 *
 * When this returns `WAL_OK`, the record is in the engine's memory and will be written. It is
 * durable when `wal_durable_lsn` reaches its LSN: wait with `wal_wait_durable`, a notifier or a
 * callback.
 *
 * - Ownership: `data` is copied.
 * - Thread-safety: any thread at once.
 * - Blocking: only for room.
 * - Errors: `WAL_ERR_INVALID`, `WAL_ERR_CLOSED`, `WAL_ERR_FULL`, `WAL_ERR_POISONED`,
 *   `WAL_ERR_FORKED`. A write that fails later is told by whoever waits, and poisons the log.
 * - Since: 0.1.0
 */
int32_t wal_submit(const struct wal_log *log,
                   const void *data,
                   size_t len,
                   int32_t level,
                   uint64_t *lsn,
                   struct wal_error *err);

/**
 * Hands `count` records to the engine as one batch without waiting for it. `options` may be
 * `NULL`; so may `first_lsn` and `last_lsn`.
 *
 * When this returns `WAL_OK`, the batch is in the engine's memory and will be written as a whole.
 * It is durable when `wal_durable_lsn` reaches `*last_lsn`.
 *
 * - Ownership: the records and `options` are copied.
 * - Thread-safety: any thread at once; no record of another append comes in between.
 * - Blocking: only for room, as the options say.
 * - Errors: those of `wal_submit`, `WAL_ERR_WOULD_BLOCK` and `WAL_ERR_TIMEOUT` as the options say.
 * - Since: 0.1.0
 */
int32_t wal_submit_batch(const struct wal_log *log,
                         const struct wal_slice *records,
                         size_t count,
                         const struct wal_append_options *options,
                         uint64_t *first_lsn,
                         uint64_t *last_lsn,
                         struct wal_error *err);

/**
 * Hands the records of a packed batch to the engine as one batch without waiting for it.
 * `first_lsn` and `last_lsn` may be `NULL`.
 *
 * When this returns `WAL_OK`, the batch is in the engine's memory and will be written as a whole.
 * It is durable when `wal_durable_lsn` reaches `*last_lsn`.
 *
 * - Ownership: `packed` is copied.
 * - Thread-safety: any thread at once; no record of another append comes in between.
 * - Blocking: only for room.
 * - Errors: as `wal_submit`; `WAL_ERR_INVALID` with the place when the bytes are not a packed
 *   batch.
 * - Since: 0.1.0
 */
int32_t wal_submit_packed(const struct wal_log *log,
                          const void *packed,
                          size_t len,
                          int32_t level,
                          uint64_t *first_lsn,
                          uint64_t *last_lsn,
                          struct wal_error *err);

/**
 * The first record readers see, 0 if there is none (or `log` is `NULL`).
 *
 * - Ownership: none.
 * - Thread-safety: any thread at once.
 * - Blocking: never.
 * - Errors: none; 0 instead.
 * - Since: 0.1.0
 */
uint64_t wal_first_lsn(const struct wal_log *log);

/**
 * The last record readers see, 0 if there is none (or `log` is `NULL`).
 *
 * - Ownership: none.
 * - Thread-safety: any thread at once.
 * - Blocking: never.
 * - Errors: none; 0 instead.
 * - Since: 0.1.0
 */
uint64_t wal_last_lsn(const struct wal_log *log);

/**
 * The last record on stable storage, 0 if there is none (or `log` is `NULL`). Records up to it
 * survive power loss.
 *
 * - Ownership: none.
 * - Thread-safety: any thread at once.
 * - Blocking: never.
 * - Errors: none; 0 instead.
 * - Since: 0.1.0
 */
uint64_t wal_durable_lsn(const struct wal_log *log);

/**
 * The last record given to the kernel, 0 if there is none (or `log` is `NULL`). Records up to it
 * survive the death of the process.
 *
 * - Ownership: none.
 * - Thread-safety: any thread at once.
 * - Blocking: never.
 * - Errors: none; 0 instead.
 * - Since: 0.1.0
 */
uint64_t wal_written_lsn(const struct wal_log *log);

/**
 * The last record handed to the engine, 0 if there is none (or `log` is `NULL`).
 *
 * - Ownership: none.
 * - Thread-safety: any thread at once.
 * - Blocking: never.
 * - Errors: none; 0 instead.
 * - Since: 0.1.0
 */
uint64_t wal_submitted_lsn(const struct wal_log *log);

/**
 * The LSN the next record gets; 0 when `log` is `NULL`.
 *
 * - Ownership: none.
 * - Thread-safety: any thread at once; by the time it is used another thread may have taken the
 *   number, which `wal_append_at` finds out.
 * - Blocking: never.
 * - Errors: none; 0 instead.
 * - Since: 0.1.0
 */
uint64_t wal_next_lsn(const struct wal_log *log);

/**
 * Opens a notifier of the log's durable LSN.
 *
 * - Ownership: `*notifier` is the caller's, who releases it with `wal_notifier_release`.
 * - Thread-safety: any thread at once.
 * - Blocking: never.
 * - Errors: `WAL_ERR_INVALID`, `WAL_ERR_IO`, `WAL_ERR_CLOSED`, `WAL_ERR_FORKED`.
 * - Since: 0.1.0
 */
int32_t wal_notifier_open(const struct wal_log *log,
                          struct wal_notifier **notifier,
                          struct wal_error *err);

/**
 * The file descriptor, for `poll` and its relatives; -1 when `notifier` is `NULL`. It is readable
 * from the moment the durable LSN advances, or the log is poisoned or closed, until
 * `wal_notifier_acknowledge`.
 *
 * - Ownership: the notifier's; never read, write or close it.
 * - Thread-safety: any thread at once.
 * - Blocking: never.
 * - Errors: none; -1 instead.
 * - Since: 0.1.0
 */
int32_t wal_notifier_fd(const struct wal_notifier *notifier);

/**
 * Makes the descriptor unreadable again and tells the durable LSN, 0 if there is none.
 * `durable_lsn` may be `NULL`. What becomes durable afterwards makes it readable once more, so
 * nothing is missed by acknowledging first and looking at the watermark then.
 *
 * - Ownership: none.
 * - Thread-safety: any thread at once.
 * - Blocking: never.
 * - Errors: `WAL_ERR_INVALID`, `WAL_ERR_FORKED`; `WAL_ERR_POISONED` and `WAL_ERR_CLOSED`: nothing
 *   will become durable any more.
 * - Since: 0.1.0
 */
int32_t wal_notifier_acknowledge(const struct wal_notifier *notifier,
                                 uint64_t *durable_lsn,
                                 struct wal_error *err);

/**
 * Releases the notifier and closes its descriptor. `NULL` is ignored.
 *
 * - Ownership: `notifier` and its descriptor must not be used again: take it out of `epoll` first.
 * - Thread-safety: once, when no other call on it is running.
 * - Blocking: never.
 * - Errors: none.
 * - Since: 0.1.0
 */
void wal_notifier_release(struct wal_notifier *notifier);

/**
 * Has `callback` called after each advance of the durable LSN, often once for many records, until
 * the subscription is released. `drop_payload` may be `NULL`; it is called once, when `payload` is
 * no longer needed; never when this call fails.
 *
 * Nothing waits for the callback: it may append, wait and read. Closing and releasing inside it
 * are deferred until it is over. Calls come one at a time; while one lasts, later news stands for
 * earlier.
 *
 * - Ownership: `*subscription` is the caller's, who releases it with `wal_subscription_release`.
 * - Thread-safety: any thread at once; the callback runs on a thread of the library.
 * - Blocking: never.
 * - Errors: `WAL_ERR_INVALID`, `WAL_ERR_CLOSED`, `WAL_ERR_FORKED`.
 * - Since: 0.1.0
 */
int32_t wal_on_durable(const struct wal_log *log,
                       wal_durable_fn callback,
                       void *payload,
                       wal_drop_fn drop_payload,
                       struct wal_subscription **subscription,
                       struct wal_error *err);

/**
 * Ends the callbacks. One that is running on another thread may still be running when this
 * returns; `drop_payload` is called after it. `NULL` is ignored.
 *
 * - Ownership: `subscription` must not be used again.
 * - Thread-safety: once, on any thread, also inside the callback.
 * - Blocking: may wait for a running callback.
 * - Errors: none.
 * - Since: 0.1.0
 */
void wal_subscription_release(struct wal_subscription *subscription);

/**
 * Opens completions for appends to `log`. Each event loop has its own.
 *
 * - Ownership: `*completions` is the caller's, who releases it with `wal_completions_release`; it
 *   may outlive the log's handle.
 * - Thread-safety: any thread at once.
 * - Blocking: never.
 * - Errors: `WAL_ERR_INVALID`, `WAL_ERR_IO`, `WAL_ERR_CLOSED`, `WAL_ERR_FORKED`.
 * - Since: 0.1.0
 */
int32_t wal_completions_open(const struct wal_log *log,
                             struct wal_completions **completions,
                             struct wal_error *err);

/**
 * The file descriptor, for `poll` and its relatives; -1 when `completions` is `NULL`. It is
 * readable from the moment something has ended until `wal_completions_take` has handed out all.
 *
 * - Ownership: the completions'; never read, write or close it.
 * - Thread-safety: any thread at once.
 * - Blocking: never.
 * - Errors: none; -1 instead.
 * - Since: 0.1.0
 */
int32_t wal_completions_fd(const struct wal_completions *completions);

/**
 * Hands `count` records to the engine as one batch without waiting for it; `token`, any number,
 * comes back from `wal_completions_take` when it has ended. `options` may be `NULL`; so may
 * `first_lsn` and `last_lsn`.
 *
 * When this returns `WAL_OK`, the batch is in the engine's memory and will be written as a whole;
 * it is at its level when its token comes back with `WAL_OK`.
 *
 * - Ownership: the records and `options` are copied.
 * - Thread-safety: any thread at once; no record of another append comes in between.
 * - Blocking: only for room, as the options say.
 * - Errors: as `wal_submit_batch`; the token of a refused call does not come back.
 * - Since: 0.1.0
 */
int32_t wal_completions_submit(const struct wal_completions *completions,
                               const struct wal_slice *records,
                               size_t count,
                               const struct wal_append_options *options,
                               uint64_t token,
                               uint64_t *first_lsn,
                               uint64_t *last_lsn,
                               struct wal_error *err);

/**
 * Fills `ended` with what has ended, at most `capacity`, and tells how many in `*count`. Appends
 * of one level come nearly in the order of their LSNs, those of a lower level do not wait for the
 * disk. Also answers after the log was closed.
 *
 * When this returns `WAL_OK`, the records of every entry with `WAL_OK` are at their level: they
 * survive power loss at `WAL_LEVEL_DISK`, the death of the process at `WAL_LEVEL_OS`.
 *
 * - Ownership: `ended` is the caller's.
 * - Thread-safety: any thread at once; each entry is handed out once.
 * - Blocking: never.
 * - Errors: `WAL_ERR_INVALID`, `WAL_ERR_FORKED`. That an append failed is no error of this call.
 * - Since: 0.1.0
 */
int32_t wal_completions_take(const struct wal_completions *completions,
                             struct wal_completion *ended,
                             size_t capacity,
                             size_t *count,
                             struct wal_error *err);

/**
 * Releases the completions and closes their descriptor. What is in flight is written all the same;
 * nobody is told. `NULL` is ignored.
 *
 * - Ownership: `completions` and the descriptor must not be used again: take it out of `epoll`
 *   first.
 * - Thread-safety: once, when no other call on it is running.
 * - Blocking: never.
 * - Errors: none.
 * - Since: 0.1.0
 */
void wal_completions_release(struct wal_completions *completions);

/**
 * Copies the record `lsn` to `buffer` and its length to `*len`.
 *
 * - Ownership: `buffer` is the caller's.
 * - Thread-safety: any thread at once.
 * - Blocking: may read from the disk.
 * - Errors: `WAL_ERR_FULL` when `buffer` is too small, with the size needed in `*len`;
 *   `WAL_ERR_INVALID`, `WAL_ERR_NOT_FOUND`, `WAL_ERR_TRIMMED`, `WAL_ERR_TRUNCATED`,
 *   `WAL_ERR_CORRUPT`, `WAL_ERR_IO`, `WAL_ERR_CLOSED`, `WAL_ERR_FORKED`.
 * - Since: 0.1.0
 */
int32_t wal_read(const struct wal_log *log,
                 uint64_t lsn,
                 void *buffer,
                 size_t capacity,
                 size_t *len,
                 struct wal_error *err);

/**
 * The commit time of the record `lsn`, in nanoseconds since 1970.
 *
 * - Ownership: none.
 * - Thread-safety: any thread at once.
 * - Blocking: may read from the disk.
 * - Errors: as `wal_read`.
 * - Since: 0.1.0
 */
int32_t wal_time_of(const struct wal_log *log,
                    uint64_t lsn,
                    int64_t *time_ns,
                    struct wal_error *err);

/**
 * Reads the record `lsn` without copying it.
 *
 * - Ownership: `*record` is the caller's, who releases it with `wal_record_release`.
 * - Thread-safety: any thread at once.
 * - Blocking: may read from the disk.
 * - Errors: `WAL_ERR_INVALID`, `WAL_ERR_NOT_FOUND`, `WAL_ERR_TRIMMED`, `WAL_ERR_TRUNCATED`,
 *   `WAL_ERR_CORRUPT`, `WAL_ERR_IO`, `WAL_ERR_CLOSED`, `WAL_ERR_FORKED`.
 * - Since: 0.1.0
 */
int32_t wal_record_open(const struct wal_log *log,
                        uint64_t lsn,
                        struct wal_record **record,
                        struct wal_error *err);

/**
 * The record's bytes; `NULL` when `record` is.
 *
 * - Ownership: the bytes are valid until the record is released, and must not be changed.
 * - Thread-safety: any thread at once.
 * - Blocking: never; with `WAL_READ_MODE_MAP`, touching the bytes may read from the disk.
 * - Errors: none; `NULL` instead.
 * - Since: 0.1.0
 */
const void *wal_record_data(const struct wal_record *record);

/**
 * How many bytes the record has.
 *
 * - Ownership: none.
 * - Thread-safety: any thread at once.
 * - Blocking: never.
 * - Errors: none; 0 instead.
 * - Since: 0.1.0
 */
size_t wal_record_len(const struct wal_record *record);

/**
 * The record's LSN.
 *
 * - Ownership: none.
 * - Thread-safety: any thread at once.
 * - Blocking: never.
 * - Errors: none; 0 instead.
 * - Since: 0.1.0
 */
uint64_t wal_record_lsn(const struct wal_record *record);

/**
 * The record's flags, as in the packed layout: `WAL_PACKED_BATCH_CONTINUES`.
 *
 * - Ownership: none.
 * - Thread-safety: any thread at once.
 * - Blocking: never.
 * - Errors: none; 0 instead.
 * - Since: 0.1.0
 */
uint32_t wal_record_flags(const struct wal_record *record);

/**
 * Releases the record and the memory it pins. `NULL` is ignored.
 *
 * - Ownership: `record` and its bytes must not be used again.
 * - Thread-safety: once, on any thread.
 * - Blocking: never.
 * - Errors: none.
 * - Since: 0.1.0
 */
void wal_record_release(struct wal_record *record);

/**
 * Opens a cursor at the position `from` (one of `enum wal_from`) and `at`.
 *
 * - Ownership: `*cursor` is the caller's, who releases it with `wal_cursor_release`; it may
 *   outlive the log's handle.
 * - Thread-safety: any thread at once.
 * - Blocking: may read from the disk.
 * - Errors: `WAL_ERR_NOT_FOUND` for an LSN after the next one, which is in `wal_error.lsn`;
 *   `WAL_ERR_INVALID`, `WAL_ERR_TRIMMED`, `WAL_ERR_CORRUPT`, `WAL_ERR_IO`, `WAL_ERR_CLOSED`,
 *   `WAL_ERR_FORKED`.
 * - Since: 0.1.0
 */
int32_t wal_cursor_open(const struct wal_log *log,
                        int32_t from,
                        uint64_t at,
                        struct wal_cursor **cursor,
                        struct wal_error *err);

/**
 * The record after the position, which moves behind it. At the end, `*record` is `NULL` and the
 * call succeeds; a later call finds what was appended since.
 *
 * - Ownership: `*record` is the caller's, who releases it with `wal_record_release`.
 * - Thread-safety: one thread at a time; a second one gets `WAL_ERR_INVALID`.
 * - Blocking: may read from the disk.
 * - Errors: `WAL_ERR_INVALID`, `WAL_ERR_TRIMMED`, `WAL_ERR_TRUNCATED`, `WAL_ERR_CORRUPT`,
 *   `WAL_ERR_IO`; `WAL_ERR_CLOSED` at the end of a log that was closed; `WAL_ERR_FORKED` when all
 *   that was at hand is delivered. The position stays where it was.
 * - Since: 0.1.0
 */
int32_t wal_cursor_next(struct wal_cursor *cursor,
                        struct wal_record **record,
                        struct wal_error *err);

/**
 * The record before the position, which moves in front of it. At the beginning, `*record` is
 * `NULL` and the call succeeds.
 *
 * - Ownership: `*record` is the caller's, who releases it with `wal_record_release`.
 * - Thread-safety: one thread at a time; a second one gets `WAL_ERR_INVALID`.
 * - Blocking: may read from the disk.
 * - Errors: `WAL_ERR_INVALID`, `WAL_ERR_TRIMMED`, `WAL_ERR_TRUNCATED`, `WAL_ERR_CORRUPT`,
 *   `WAL_ERR_IO`, `WAL_ERR_FORKED`; a log that was closed is read to its beginning. The position
 *   stays where it was.
 * - Since: 0.1.0
 */
int32_t wal_cursor_prev(struct wal_cursor *cursor,
                        struct wal_record **record,
                        struct wal_error *err);

/**
 * Fills `buffer` with the next records in the packed layout: as many as fit, at most `count_max`
 * (0 for any number). `*count` gets how many, 0 at the end; `*used` how many bytes they take.
 *
 * - Ownership: `buffer` is the caller's.
 * - Thread-safety: one thread at a time; a second one gets `WAL_ERR_INVALID`.
 * - Blocking: may read from the disk.
 * - Errors: `WAL_ERR_FULL` when not even one record fits, with the size needed in `*used` and 0 in
 *   `*count`; else as `wal_cursor_next`, told only when no record comes before the trouble.
 * - Since: 0.1.0
 */
int32_t wal_cursor_read_packed(struct wal_cursor *cursor,
                               void *buffer,
                               size_t capacity,
                               size_t count_max,
                               size_t *count,
                               size_t *used,
                               struct wal_error *err);

/**
 * Moves the cursor to the position `from` (one of `enum wal_from`) and `at`.
 *
 * - Ownership: none.
 * - Thread-safety: one thread at a time; a second one gets `WAL_ERR_INVALID`.
 * - Blocking: may read from the disk.
 * - Errors: as `wal_cursor_open`. The position stays where it was.
 * - Since: 0.1.0
 */
int32_t wal_cursor_seek(struct wal_cursor *cursor,
                        int32_t from,
                        uint64_t at,
                        struct wal_error *err);

/**
 * Moves the cursor to the first record committed at `time_ns` (nanoseconds since 1970) or later.
 *
 * - Ownership: none.
 * - Thread-safety: one thread at a time; a second one gets `WAL_ERR_INVALID`.
 * - Blocking: may read from the disk.
 * - Errors: as `wal_cursor_open`. The position stays where it was.
 * - Since: 0.1.0
 */
int32_t wal_cursor_seek_time(struct wal_cursor *cursor, int64_t time_ns, struct wal_error *err);

/**
 * The commit time of the record last returned, in nanoseconds since 1970.
 *
 * - Ownership: none.
 * - Thread-safety: one thread at a time; a second one gets `WAL_ERR_INVALID`.
 * - Blocking: may read from the disk.
 * - Errors: `WAL_ERR_INVALID` before the first record; `WAL_ERR_NOT_FOUND`, `WAL_ERR_TRIMMED`,
 *   `WAL_ERR_CORRUPT`, `WAL_ERR_IO`. A log that was closed is asked as before.
 * - Since: 0.1.0
 */
int32_t wal_cursor_time(struct wal_cursor *cursor, int64_t *time_ns, struct wal_error *err);

/**
 * The LSN `wal_cursor_next` would return, if it is there; 0 when `cursor` is `NULL` or in use.
 *
 * - Ownership: none.
 * - Thread-safety: one thread at a time.
 * - Blocking: never.
 * - Errors: none; 0 instead.
 * - Since: 0.1.0
 */
uint64_t wal_cursor_next_lsn(const struct wal_cursor *cursor);

/**
 * Releases the cursor. Records it returned stay valid. `NULL` is ignored.
 *
 * - Ownership: `cursor` must not be used again.
 * - Thread-safety: once, when no other call on it is running.
 * - Blocking: never.
 * - Errors: none.
 * - Since: 0.1.0
 */
void wal_cursor_release(struct wal_cursor *cursor);

/**
 * Opens a follower at the position `from` (one of `enum wal_from`) and `at`.
 *
 * - Ownership: `*follower` is the caller's, who releases it with `wal_follower_release`.
 * - Thread-safety: any thread at once.
 * - Blocking: may read from the disk.
 * - Errors: as `wal_cursor_open`.
 * - Since: 0.1.0
 */
int32_t wal_follower_open(const struct wal_log *log,
                          int32_t from,
                          uint64_t at,
                          struct wal_follower **follower,
                          struct wal_error *err);

/**
 * The next record, waited for at most `timeout_ms` (negative: as long as it takes; 0: not at all).
 *
 * - Ownership: `*record` is the caller's, who releases it with `wal_record_release`.
 * - Thread-safety: one thread at a time; a second one gets `WAL_ERR_INVALID`.
 * - Blocking: until there is a record, the time is up, or the log is closed.
 * - Errors: `WAL_ERR_TIMEOUT`; `WAL_ERR_CLOSED` when the log was closed and all is delivered; else
 *   as `wal_cursor_next`.
 * - Since: 0.1.0
 */
int32_t wal_follower_next(struct wal_follower *follower,
                          int64_t timeout_ms,
                          struct wal_record **record,
                          struct wal_error *err);

/**
 * Waits for a record as `wal_follower_next` does, then fills `buffer` with what is there in the
 * packed layout: as many records as fit, at most `count_max` (0 for any number). `*count` gets how
 * many, `*used` how many bytes they take.
 *
 * - Ownership: `buffer` is the caller's.
 * - Thread-safety: one thread at a time; a second one gets `WAL_ERR_INVALID`.
 * - Blocking: until there is a record, the time is up, or the log is closed.
 * - Errors: `WAL_ERR_FULL` when not even one record fits, with the size needed in `*used` and 0 in
 *   `*count`; else as `wal_follower_next`.
 * - Since: 0.1.0
 */
int32_t wal_follower_read_packed(struct wal_follower *follower,
                                 int64_t timeout_ms,
                                 void *buffer,
                                 size_t capacity,
                                 size_t count_max,
                                 size_t *count,
                                 size_t *used,
                                 struct wal_error *err);

/**
 * Moves the follower to the position `from` (one of `enum wal_from`) and `at`.
 *
 * - Ownership: none.
 * - Thread-safety: one thread at a time; a second one gets `WAL_ERR_INVALID`.
 * - Blocking: may read from the disk.
 * - Errors: as `wal_cursor_open`. The position stays where it was.
 * - Since: 0.1.0
 */
int32_t wal_follower_seek(struct wal_follower *follower,
                          int32_t from,
                          uint64_t at,
                          struct wal_error *err);

/**
 * The LSN `wal_follower_next` will return; 0 when `follower` is `NULL` or in use.
 *
 * - Ownership: none.
 * - Thread-safety: one thread at a time.
 * - Blocking: never.
 * - Errors: none; 0 instead.
 * - Since: 0.1.0
 */
uint64_t wal_follower_next_lsn(const struct wal_follower *follower);

/**
 * Releases the follower. Records it returned stay valid. `NULL` is ignored.
 *
 * - Ownership: `follower` must not be used again.
 * - Thread-safety: once, when no other call on it is running; to end a wait, close the log.
 * - Blocking: never.
 * - Errors: none.
 * - Since: 0.1.0
 */
void wal_follower_release(struct wal_follower *follower);

/**
 * Calls `callback` for every record from the position `from` (one of `enum wal_from`) and `at` to
 * the end, in LSN order, until it says to stop. `last_lsn` may be `NULL`; it gets the last record
 * that was delivered, 0 if there was none.
 *
 * - Ownership: `payload` is handed through; the record's bytes are the log's.
 * - Thread-safety: any thread at once; the callback runs on the calling thread.
 * - Blocking: reads the log.
 * - Errors: as `wal_cursor_open` and `wal_cursor_next`; records before the trouble were delivered.
 *   Being stopped is none.
 * - Since: 0.1.0
 */
int32_t wal_replay(const struct wal_log *log,
                   int32_t from,
                   uint64_t at,
                   wal_replay_fn callback,
                   void *payload,
                   uint64_t *last_lsn,
                   struct wal_error *err);

/**
 * Calls `callback` for every record from the position `from` and `at` to the end, on `threads`
 * threads (0 for one per core), until it says to stop. With `in_order` 1, there is one call at a
 * time, in LSN order; with 0, records of a segment come in order and segments in parallel. `count`
 * may be `NULL`; it gets how many records were delivered.
 *
 * - Ownership: `payload` is handed through; the record's bytes are the log's.
 * - Thread-safety: any thread at once; the callback runs on several threads, at once when
 *   `in_order` is 0.
 * - Blocking: reads the log.
 * - Errors: as `wal_replay`.
 * - Since: 0.1.0
 */
int32_t wal_replay_parallel(const struct wal_log *log,
                            int32_t from,
                            uint64_t at,
                            uint32_t threads,
                            int32_t in_order,
                            wal_replay_fn callback,
                            void *payload,
                            uint64_t *count,
                            struct wal_error *err);

/**
 * Drops every record before the LSN `before`. `first_lsn` may be `NULL`; it gets the first record
 * still there, 0 if there is none. LSNs go on counting.
 *
 * When this returns `WAL_OK`, the records are gone for every reader, also after power loss.
 *
 * - Ownership: none.
 * - Thread-safety: any thread at once; cursors before `before` get `WAL_ERR_TRIMMED`.
 * - Blocking: one sync.
 * - Errors: `WAL_ERR_INVALID` beyond the next LSN, `WAL_ERR_CLOSED`, `WAL_ERR_POISONED`,
 *   `WAL_ERR_IO`, `WAL_ERR_FORKED`.
 * - Since: 0.1.0
 */
int32_t wal_trim(const struct wal_log *log,
                 uint64_t before,
                 uint64_t *first_lsn,
                 struct wal_error *err);

/**
 * Drops every record after the LSN `after`, also inside a batch.
 *
 * When this returns `WAL_OK`, the records are gone, also after power loss, and never come back.
 *
 * - Ownership: none.
 * - Thread-safety: any thread at once; cursors beyond `after` get `WAL_ERR_TRUNCATED`.
 * - Blocking: one sync.
 * - Errors: `WAL_ERR_INVALID`, `WAL_ERR_TRIMMED`, `WAL_ERR_CLOSED`, `WAL_ERR_POISONED`,
 *   `WAL_ERR_IO`, `WAL_ERR_FORKED`.
 * - Since: 0.1.0
 */
int32_t wal_truncate(const struct wal_log *log, uint64_t after, struct wal_error *err);

/**
 * Empties the log; the next record gets the LSN `next`.
 *
 * When this returns `WAL_OK`, the log is empty, also after power loss.
 *
 * - Ownership: none.
 * - Thread-safety: any thread at once.
 * - Blocking: syncs.
 * - Errors: `WAL_ERR_INVALID`, `WAL_ERR_CLOSED`, `WAL_ERR_POISONED`, `WAL_ERR_IO`,
 *   `WAL_ERR_FORKED`.
 * - Since: 0.1.0
 */
int32_t wal_reset_to(const struct wal_log *log, uint64_t next, struct wal_error *err);

/**
 * Copies the log, while it is in use, to a new log in the directory `path`, with an identity of
 * its own. `report` may be `NULL`.
 *
 * When this returns `WAL_OK`, the copy survives power loss.
 *
 * - Ownership: `path` is copied.
 * - Thread-safety: any thread at once; appends go on.
 * - Blocking: reads and writes the whole log.
 * - Errors: `WAL_ERR_INVALID` when there is something at `path`, `WAL_ERR_FULL`, `WAL_ERR_IO`,
 *   `WAL_ERR_CORRUPT`, `WAL_ERR_CLOSED`, `WAL_ERR_FORKED`.
 * - Since: 0.1.0
 */
int32_t wal_copy_to(const struct wal_log *log,
                    const char *path,
                    struct wal_copy_report *report,
                    struct wal_error *err);

/**
 * Copies the value of a key to `buffer` and its length to `*len`.
 *
 * - Ownership: `buffer` is the caller's.
 * - Thread-safety: any thread at once.
 * - Blocking: never for long.
 * - Errors: `WAL_ERR_NOT_FOUND`; `WAL_ERR_FULL` when `buffer` is too small, with the size needed
 *   in `*len`; `WAL_ERR_INVALID`, `WAL_ERR_CORRUPT`, `WAL_ERR_CLOSED`, `WAL_ERR_FORKED`.
 * - Since: 0.1.0
 */
int32_t wal_value_read(const struct wal_log *log,
                       const void *key,
                       size_t key_len,
                       void *buffer,
                       size_t capacity,
                       size_t *len,
                       struct wal_error *err);

/**
 * Sets a key to a value.
 *
 * When this returns `WAL_OK`, the value survives power loss.
 *
 * - Ownership: key and value are copied.
 * - Thread-safety: any thread at once.
 * - Blocking: one sync.
 * - Errors: `WAL_ERR_INVALID`, `WAL_ERR_FULL`, `WAL_ERR_CLOSED`, `WAL_ERR_POISONED`,
 *   `WAL_ERR_IO`, `WAL_ERR_FORKED`.
 * - Since: 0.1.0
 */
int32_t wal_value_set(const struct wal_log *log,
                      const void *key,
                      size_t key_len,
                      const void *value,
                      size_t value_len,
                      struct wal_error *err);

/**
 * Deletes a key. `existed` may be `NULL`; it gets 1 if the key was there, else 0.
 *
 * When this returns `WAL_OK`, the key is gone, also after power loss.
 *
 * - Ownership: the key is copied.
 * - Thread-safety: any thread at once.
 * - Blocking: one sync.
 * - Errors: as `wal_value_set`.
 * - Since: 0.1.0
 */
int32_t wal_value_delete(const struct wal_log *log,
                         const void *key,
                         size_t key_len,
                         int32_t *existed,
                         struct wal_error *err);

/**
 * Makes `count` changes together: after a crash, all of them are there or none.
 *
 * When this returns `WAL_OK`, the changes survive power loss.
 *
 * - Ownership: the changes are copied.
 * - Thread-safety: any thread at once.
 * - Blocking: one sync.
 * - Errors: as `wal_value_set`.
 * - Since: 0.1.0
 */
int32_t wal_value_update(const struct wal_log *log,
                         const struct wal_value_change *changes,
                         size_t count,
                         struct wal_error *err);

/**
 * Calls `callback` for every entry in key order until it says to stop.
 *
 * - Ownership: `payload` is handed through; key and value are the library's.
 * - Thread-safety: any thread at once; the callback runs on the calling thread.
 * - Blocking: as the callback does.
 * - Errors: `WAL_ERR_INVALID`, `WAL_ERR_CORRUPT`, `WAL_ERR_CLOSED`, `WAL_ERR_FORKED`.
 * - Since: 0.1.0
 */
int32_t wal_value_list(const struct wal_log *log,
                       wal_value_fn callback,
                       void *payload,
                       struct wal_error *err);

/**
 * Fills `stats` with the log's state.
 *
 * - Ownership: `stats` is the caller's.
 * - Thread-safety: any thread at once.
 * - Blocking: never for long.
 * - Errors: `WAL_ERR_INVALID`, `WAL_ERR_CLOSED`, `WAL_ERR_FORKED`.
 * - Since: 0.1.0
 */
int32_t wal_stats_read(const struct wal_log *log, struct wal_stats *stats, struct wal_error *err);

/**
 * Calls `callback` for every segment, oldest first, until it says to stop. The last is the active
 * one.
 *
 * - Ownership: `payload` is handed through.
 * - Thread-safety: any thread at once; the callback runs on the calling thread.
 * - Blocking: as the callback does.
 * - Errors: `WAL_ERR_INVALID`, `WAL_ERR_CLOSED`, `WAL_ERR_FORKED`.
 * - Since: 0.1.0
 */
int32_t wal_stats_segments(const struct wal_log *log,
                           wal_segment_fn callback,
                           void *payload,
                           struct wal_error *err);

/**
 * Whether the log refuses appends: `WAL_OK` if not, else `WAL_ERR_POISONED`, with the first cause
 * in `err`.
 *
 * - Ownership: none.
 * - Thread-safety: any thread at once.
 * - Blocking: never.
 * - Errors: `WAL_ERR_INVALID`, `WAL_ERR_POISONED`, `WAL_ERR_CLOSED`, `WAL_ERR_FORKED`.
 * - Since: 0.1.0
 */
int32_t wal_poisoned(const struct wal_log *log, struct wal_error *err);

/**
 * Tells what there is at `path`, and what opening it would do. `info`, `recovery` and `segments`
 * may be `NULL`; `segments` is called for every segment, oldest first. Nothing on disk is
 * changed.
 *
 * - Ownership: `path` is copied, `payload` handed through.
 * - Thread-safety: any thread at once, beside a live writer; the callback runs on the calling
 *   thread.
 * - Blocking: reads headers and the tail.
 * - Errors: `WAL_ERR_INVALID`, `WAL_ERR_NOT_FOUND`, `WAL_ERR_CORRUPT`, `WAL_ERR_UNSUPPORTED`,
 *   `WAL_ERR_IO`.
 * - Since: 0.1.0
 */
int32_t wal_check_info(const char *path,
                       struct wal_info *info,
                       struct wal_recovery_report *recovery,
                       wal_segment_fn segments,
                       void *payload,
                       struct wal_error *err);

/**
 * Reads every byte of the log at `path` and compares it with its checksums. `progress`, `finding`
 * and `report` may be `NULL`. Nothing on disk is changed.
 *
 * - Ownership: `path` is copied, `payload` handed through.
 * - Thread-safety: any thread at once, beside a live writer; the callbacks run on the calling
 *   thread.
 * - Blocking: reads the whole log.
 * - Errors: `WAL_ERR_INVALID`, `WAL_ERR_NOT_FOUND`, `WAL_ERR_UNSUPPORTED`, `WAL_ERR_IO`. Damage is
 *   no error of this call: look at `report.findings`.
 * - Since: 0.1.0
 */
int32_t wal_check_verify(const char *path,
                         wal_progress_fn progress,
                         wal_finding_fn finding,
                         void *payload,
                         struct wal_verify_report *report,
                         struct wal_error *err);

/**
 * Salvages the log at `path`: cuts away what is damaged and keeps copies of the changed files.
 * With `dry_run` 1, only tells what it would do. `line` and `report` may be `NULL`.
 *
 * When this returns `WAL_OK`, the repaired log survives power loss.
 *
 * - Ownership: `path` is copied, `payload` handed through.
 * - Thread-safety: any thread; the callback runs on the calling thread.
 * - Blocking: reads the whole log, writes and syncs what it changes.
 * - Errors: `WAL_ERR_INVALID`, `WAL_ERR_NOT_FOUND`, `WAL_ERR_LOCKED` while a writer holds the log,
 *   `WAL_ERR_UNSUPPORTED`, `WAL_ERR_FULL`, `WAL_ERR_IO`, `WAL_ERR_CORRUPT` when nothing can be
 *   salvaged.
 * - Since: 0.1.0
 */
int32_t wal_check_repair(const char *path,
                         int32_t dry_run,
                         wal_repair_fn line,
                         void *payload,
                         struct wal_repair_report *report,
                         struct wal_error *err);

/**
 * Has `callback` called for every event of the library up to `level` (one of `enum
 * wal_verbosity`), for all logs of the process. `NULL` or `WAL_LOG_OFF` ends it. Without a
 * callback the library is silent.
 *
 * - Ownership: `payload` must stay valid for good: a call may still be running when this returns.
 * - Thread-safety: any thread at once. The callback runs on any thread, several at once, in the
 *   middle of the library's work: it must be quick and must not call the library.
 * - Blocking: never.
 * - Errors: `WAL_ERR_INVALID`; `WAL_ERR_CONFLICT` in a Rust program that has a subscriber already.
 * - Since: 0.1.0
 */
int32_t wal_set_log_callback(int32_t level,
                             wal_log_fn callback,
                             void *payload,
                             struct wal_error *err);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* WAL_H */
