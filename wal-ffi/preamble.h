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
#define WAL_VERSION_MAJOR @MAJOR@
/** The header's minor version. */
#define WAL_VERSION_MINOR @MINOR@
/** The header's patch version. */
#define WAL_VERSION_PATCH @PATCH@
/** The header's version as text. */
#define WAL_VERSION "@VERSION@"
/** The header's version as one number, comparable with what wal_version_number() returns. */
#define WAL_VERSION_NUMBER \
    (WAL_VERSION_MAJOR * 1000000 + WAL_VERSION_MINOR * 1000 + WAL_VERSION_PATCH)
/** Whether the header is of this version or a newer one; for the preprocessor. */
#define WAL_VERSION_AT_LEAST(major, minor, patch) \
    (WAL_VERSION_NUMBER >= (major) * 1000000 + (minor) * 1000 + (patch))

/** The start value of a wal_error. */
#define WAL_ERROR_INIT {(uint32_t)sizeof(struct wal_error), 0, 0, 0, 0, 0, 0, ""}
