#define FFI_SCOPE "libwal"
#define FFI_LIB "libwal.so.0"

typedef enum wal_code {
    WAL_OK = 0,
    WAL_ERR_INVALID = -1,
    WAL_ERR_NOT_FOUND = -2,
    WAL_ERR_TRIMMED = -3,
    WAL_ERR_TRUNCATED = -4,
    WAL_ERR_CONFLICT = -5,
    WAL_ERR_CLOSED = -6,
    WAL_ERR_LOCKED = -7,
    WAL_ERR_FULL = -8,
    WAL_ERR_TIMEOUT = -9,
    WAL_ERR_WOULD_BLOCK = -10,
    WAL_ERR_POISONED = -11,
    WAL_ERR_IO = -12,
    WAL_ERR_CORRUPT = -13,
    WAL_ERR_UNSUPPORTED = -14,
    WAL_ERR_FORKED = -15,
    WAL_ERR_INTERNAL = -16,
    WAL_ERR_PANIC = -17,
} wal_code;

typedef enum wal_level {
    WAL_LEVEL_DEFAULT = 0,
    WAL_LEVEL_BUFFERED = 1,
    WAL_LEVEL_OS = 2,
    WAL_LEVEL_DISK = 3,
} wal_level;

typedef enum wal_at_capacity {
    WAL_AT_CAPACITY_REJECT = 0,
    WAL_AT_CAPACITY_BLOCK = 1,
    WAL_AT_CAPACITY_TRIM_OLDEST = 2,
} wal_at_capacity;

typedef enum wal_io {
    WAL_IO_AUTO = 0,
    WAL_IO_BUFFERED = 1,
    WAL_IO_DIRECT = 2,
} wal_io;

typedef enum wal_read_mode {
    WAL_READ_MODE_MAP = 0,
    WAL_READ_MODE_PREAD = 1,
} wal_read_mode;

typedef enum wal_from {
    WAL_FROM_FIRST = 0,
    WAL_FROM_LSN = 1,
    WAL_FROM_END = 2,
    WAL_FROM_TIME = 3,
} wal_from;

typedef enum wal_packed {
    WAL_PACKED_BATCH_CONTINUES = 1,
    WAL_PACKED_ALIGN = 8,
    WAL_PACKED_HEADER_BYTES = 16,
} wal_packed;

typedef enum wal_recovery_case {
    WAL_RECOVERY_OTHER = 0,
    WAL_RECOVERY_CREATED = 1,
    WAL_RECOVERY_CLEAN = 2,
    WAL_RECOVERY_WHOLE = 3,
    WAL_RECOVERY_TORN_TAIL = 4,
} wal_recovery_case;

typedef enum wal_repair_line {
    WAL_REPAIR_ACTION = 1,
    WAL_REPAIR_LOST = 2,
    WAL_REPAIR_BACKUP = 3,
} wal_repair_line;

typedef enum wal_verbosity {
    WAL_LOG_OFF = 0,
    WAL_LOG_ERROR = 1,
    WAL_LOG_WARN = 2,
    WAL_LOG_INFO = 3,
    WAL_LOG_DEBUG = 4,
    WAL_LOG_TRACE = 5,
} wal_verbosity;

typedef struct wal_completions wal_completions;

typedef struct wal_cursor wal_cursor;

typedef struct wal_follower wal_follower;

typedef struct wal_log wal_log;

typedef struct wal_notifier wal_notifier;

typedef struct wal_record wal_record;

typedef struct wal_subscription wal_subscription;

typedef struct wal_options {
    uint32_t struct_size;
    int32_t level;
    uint64_t sync_every_ms;
    uint64_t sync_bytes;
    uint64_t segment_bytes;
    uint64_t record_bytes_max;
    uint64_t batch_bytes_max;
    uint64_t ring_bytes;
    uint64_t max_batch_delay_us;
    uint64_t max_batch_bytes;
    uint64_t max_bytes;
    int32_t at_capacity;
    int32_t io;
    uint64_t retention_bytes;
    uint64_t retention_age_ms;
    uint64_t retention_records;
    uint64_t lock_wait_ms;
    uint64_t first_lsn;
    int32_t create;
    int32_t read_mode;
    int32_t pad_to_block;
    uint32_t reserved;
} wal_options;

typedef struct wal_append_options {
    uint32_t struct_size;
    int32_t level;
    int64_t wait_ms;
    int64_t time_ns;
} wal_append_options;

typedef struct wal_recovery_report {
    uint32_t struct_size;
    int32_t recovery_case;
    int32_t created;
    int32_t cut;
    uint64_t first_lsn;
    uint64_t last_lsn;
    uint64_t cut_segment;
    uint64_t cut_offset;
    uint64_t cut_bytes;
    uint64_t bytes_scanned;
    uint64_t commits_scanned;
    uint64_t bytes_rewritten;
    uint64_t duration_ns;
    char message[512];
} wal_recovery_report;

typedef struct wal_error {
    uint32_t struct_size;
    int32_t code;
    int32_t os_errno;
    uint32_t reserved;
    uint64_t lsn;
    uint64_t segment;
    uint64_t offset;
    char message[256];
} wal_error;

typedef struct wal_slice {
    const void *data;
    size_t len;
} wal_slice;

typedef void (*wal_durable_fn)(uint64_t durable_lsn, const struct wal_error *failure, void *payload);

typedef void (*wal_drop_fn)(void *payload);

typedef struct wal_completion {
    uint64_t token;
    uint64_t first_lsn;
    uint64_t last_lsn;
    int32_t code;
    int32_t os_errno;
} wal_completion;

typedef int32_t (*wal_replay_fn)(uint64_t lsn,
                                 const void *data,
                                 size_t len,
                                 uint32_t flags,
                                 void *payload);

typedef struct wal_copy_report {
    uint32_t struct_size;
    uint32_t reserved;
    uint64_t records;
    uint64_t first_lsn;
    uint64_t last_lsn;
    uint8_t uuid[16];
} wal_copy_report;

typedef struct wal_value_change {
    struct wal_slice key;
    struct wal_slice value;
    int32_t remove;
    uint32_t reserved;
} wal_value_change;

typedef int32_t (*wal_value_fn)(const void *key,
                                size_t key_len,
                                const void *value,
                                size_t value_len,
                                void *payload);

typedef struct wal_latency {
    uint64_t count;
    uint64_t mean_ns;
    uint64_t p50_ns;
    uint64_t p90_ns;
    uint64_t p99_ns;
    uint64_t p999_ns;
    uint64_t max_ns;
} wal_latency;

typedef struct wal_stats {
    uint32_t struct_size;
    int32_t level;
    int32_t poisoned;
    int32_t direct_io;
    uint64_t epoch;
    uint64_t first_lsn;
    uint64_t last_lsn;
    uint64_t next_lsn;
    uint64_t submitted_lsn;
    uint64_t written_lsn;
    uint64_t durable_lsn;
    uint64_t records;
    uint64_t record_bytes;
    uint64_t commits;
    uint64_t bytes_written;
    uint64_t syncs;
    uint64_t state_syncs;
    uint64_t rotations;
    uint64_t spare_misses;
    uint64_t recycled;
    uint64_t trimmed;
    uint64_t waits_for_room;
    uint64_t flushes_inline;
    uint64_t flushes_background;
    uint64_t reads;
    uint64_t segments;
    uint64_t spares;
    uint64_t ring_bytes_used;
    struct wal_latency write_latency;
    struct wal_latency sync_latency;
} wal_stats;

typedef struct wal_segment {
    uint32_t struct_size;
    int32_t sealed;
    uint64_t id;
    uint64_t first_lsn;
    uint64_t last_lsn;
    uint64_t end;
    uint64_t file_bytes;
    uint64_t epoch;
    int64_t created_ns;
} wal_segment;

typedef int32_t (*wal_segment_fn)(const struct wal_segment *segment, void *payload);

typedef struct wal_info {
    uint32_t struct_size;
    int32_t clean;
    int32_t writer_alive;
    uint32_t reserved;
    uint8_t uuid[16];
    uint64_t epoch;
    uint64_t first_lsn;
    uint64_t last_lsn;
    uint64_t next_lsn;
    uint64_t durable_segment;
    uint64_t durable_offset;
    int64_t first_time_ns;
    int64_t last_time_ns;
    uint64_t segments;
    uint64_t spares;
    uint64_t values;
    uint64_t disk_bytes;
    uint64_t valid_bytes;
} wal_info;

typedef void (*wal_progress_fn)(uint64_t bytes_done, uint64_t bytes_total, void *payload);

typedef struct wal_finding {
    uint32_t struct_size;
    int32_t code;
    int32_t records_at_stake;
    uint32_t reserved;
    uint64_t segment;
    uint64_t offset;
    uint64_t first_lsn;
    uint64_t last_lsn;
    const char *path;
    const char *message;
} wal_finding;

typedef void (*wal_finding_fn)(const struct wal_finding *finding, void *payload);

typedef struct wal_verify_report {
    uint32_t struct_size;
    int32_t torn_tail;
    uint64_t findings;
    uint64_t segments;
    uint64_t commits;
    uint64_t records;
    uint64_t bytes;
    uint64_t first_lsn;
    uint64_t last_lsn;
} wal_verify_report;

typedef void (*wal_repair_fn)(int32_t line,
                              const char *text,
                              uint64_t first_lsn,
                              uint64_t last_lsn,
                              void *payload);

typedef struct wal_repair_report {
    uint32_t struct_size;
    int32_t changed;
    uint64_t actions;
    uint64_t lost_records;
} wal_repair_report;

typedef void (*wal_log_fn)(int32_t level, const char *target, const char *message, void *payload);

const char *wal_version(void);

uint32_t wal_version_number(void);

const char *wal_code_name(int32_t code);

const char *wal_code_text(int32_t code);

int32_t wal_options_init(struct wal_options *options, size_t struct_size);

int32_t wal_append_options_init(struct wal_append_options *options, size_t struct_size);

int32_t wal_open(const char *path,
                 const struct wal_options *options,
                 struct wal_log **log,
                 struct wal_recovery_report *report,
                 struct wal_error *err);

int32_t wal_open_read_only(const char *path,
                           const struct wal_options *options,
                           struct wal_log **log,
                           struct wal_recovery_report *report,
                           struct wal_error *err);

int32_t wal_close(const struct wal_log *log, struct wal_error *err);

void wal_release(struct wal_log *log);

int32_t wal_destroy(const char *path, struct wal_error *err);

int32_t wal_path(const struct wal_log *log,
                 void *buffer,
                 size_t capacity,
                 size_t *len,
                 struct wal_error *err);

int32_t wal_uuid(const struct wal_log *log, void *uuid, struct wal_error *err);

int32_t wal_wait_durable(const struct wal_log *log,
                         uint64_t lsn,
                         int64_t timeout_ms,
                         uint64_t *durable_lsn,
                         struct wal_error *err);

int32_t wal_sync(const struct wal_log *log, uint64_t *durable_lsn, struct wal_error *err);

int32_t wal_append(const struct wal_log *log,
                   const void *data,
                   size_t len,
                   int32_t level,
                   uint64_t *lsn,
                   struct wal_error *err);

int32_t wal_append_at(const struct wal_log *log,
                      uint64_t expected,
                      const void *data,
                      size_t len,
                      int32_t level,
                      struct wal_error *err);

int32_t wal_append_v(const struct wal_log *log,
                     const struct wal_slice *pieces,
                     size_t count,
                     int32_t level,
                     uint64_t *lsn,
                     struct wal_error *err);

int32_t wal_append_batch(const struct wal_log *log,
                         const struct wal_slice *records,
                         size_t count,
                         const struct wal_append_options *options,
                         uint64_t *first_lsn,
                         uint64_t *last_lsn,
                         struct wal_error *err);

int32_t wal_append_packed(const struct wal_log *log,
                          const void *packed,
                          size_t len,
                          int32_t level,
                          uint64_t *first_lsn,
                          uint64_t *last_lsn,
                          struct wal_error *err);

int32_t wal_submit(const struct wal_log *log,
                   const void *data,
                   size_t len,
                   int32_t level,
                   uint64_t *lsn,
                   struct wal_error *err);

int32_t wal_submit_batch(const struct wal_log *log,
                         const struct wal_slice *records,
                         size_t count,
                         const struct wal_append_options *options,
                         uint64_t *first_lsn,
                         uint64_t *last_lsn,
                         struct wal_error *err);

int32_t wal_submit_packed(const struct wal_log *log,
                          const void *packed,
                          size_t len,
                          int32_t level,
                          uint64_t *first_lsn,
                          uint64_t *last_lsn,
                          struct wal_error *err);

uint64_t wal_first_lsn(const struct wal_log *log);

uint64_t wal_last_lsn(const struct wal_log *log);

uint64_t wal_durable_lsn(const struct wal_log *log);

uint64_t wal_written_lsn(const struct wal_log *log);

uint64_t wal_submitted_lsn(const struct wal_log *log);

uint64_t wal_next_lsn(const struct wal_log *log);

int32_t wal_notifier_open(const struct wal_log *log,
                          struct wal_notifier **notifier,
                          struct wal_error *err);

int32_t wal_notifier_fd(const struct wal_notifier *notifier);

int32_t wal_notifier_acknowledge(const struct wal_notifier *notifier,
                                 uint64_t *durable_lsn,
                                 struct wal_error *err);

void wal_notifier_release(struct wal_notifier *notifier);

int32_t wal_on_durable(const struct wal_log *log,
                       wal_durable_fn callback,
                       void *payload,
                       wal_drop_fn drop_payload,
                       struct wal_subscription **subscription,
                       struct wal_error *err);

void wal_subscription_release(struct wal_subscription *subscription);

int32_t wal_completions_open(const struct wal_log *log,
                             struct wal_completions **completions,
                             struct wal_error *err);

int32_t wal_completions_fd(const struct wal_completions *completions);

int32_t wal_completions_submit(const struct wal_completions *completions,
                               const struct wal_slice *records,
                               size_t count,
                               const struct wal_append_options *options,
                               uint64_t token,
                               uint64_t *first_lsn,
                               uint64_t *last_lsn,
                               struct wal_error *err);

int32_t wal_completions_take(const struct wal_completions *completions,
                             struct wal_completion *ended,
                             size_t capacity,
                             size_t *count,
                             struct wal_error *err);

void wal_completions_release(struct wal_completions *completions);

int32_t wal_read(const struct wal_log *log,
                 uint64_t lsn,
                 void *buffer,
                 size_t capacity,
                 size_t *len,
                 struct wal_error *err);

int32_t wal_time_of(const struct wal_log *log,
                    uint64_t lsn,
                    int64_t *time_ns,
                    struct wal_error *err);

int32_t wal_record_open(const struct wal_log *log,
                        uint64_t lsn,
                        struct wal_record **record,
                        struct wal_error *err);

const void *wal_record_data(const struct wal_record *record);

size_t wal_record_len(const struct wal_record *record);

uint64_t wal_record_lsn(const struct wal_record *record);

uint32_t wal_record_flags(const struct wal_record *record);

void wal_record_release(struct wal_record *record);

int32_t wal_cursor_open(const struct wal_log *log,
                        int32_t from,
                        uint64_t at,
                        struct wal_cursor **cursor,
                        struct wal_error *err);

int32_t wal_cursor_next(struct wal_cursor *cursor,
                        struct wal_record **record,
                        struct wal_error *err);

int32_t wal_cursor_prev(struct wal_cursor *cursor,
                        struct wal_record **record,
                        struct wal_error *err);

int32_t wal_cursor_read_packed(struct wal_cursor *cursor,
                               void *buffer,
                               size_t capacity,
                               size_t count_max,
                               size_t *count,
                               size_t *used,
                               struct wal_error *err);

int32_t wal_cursor_seek(struct wal_cursor *cursor,
                        int32_t from,
                        uint64_t at,
                        struct wal_error *err);

int32_t wal_cursor_seek_time(struct wal_cursor *cursor, int64_t time_ns, struct wal_error *err);

int32_t wal_cursor_time(struct wal_cursor *cursor, int64_t *time_ns, struct wal_error *err);

uint64_t wal_cursor_next_lsn(const struct wal_cursor *cursor);

void wal_cursor_release(struct wal_cursor *cursor);

int32_t wal_follower_open(const struct wal_log *log,
                          int32_t from,
                          uint64_t at,
                          struct wal_follower **follower,
                          struct wal_error *err);

int32_t wal_follower_next(struct wal_follower *follower,
                          int64_t timeout_ms,
                          struct wal_record **record,
                          struct wal_error *err);

int32_t wal_follower_read_packed(struct wal_follower *follower,
                                 int64_t timeout_ms,
                                 void *buffer,
                                 size_t capacity,
                                 size_t count_max,
                                 size_t *count,
                                 size_t *used,
                                 struct wal_error *err);

int32_t wal_follower_seek(struct wal_follower *follower,
                          int32_t from,
                          uint64_t at,
                          struct wal_error *err);

uint64_t wal_follower_next_lsn(const struct wal_follower *follower);

void wal_follower_release(struct wal_follower *follower);

int32_t wal_replay(const struct wal_log *log,
                   int32_t from,
                   uint64_t at,
                   wal_replay_fn callback,
                   void *payload,
                   uint64_t *last_lsn,
                   struct wal_error *err);

int32_t wal_replay_parallel(const struct wal_log *log,
                            int32_t from,
                            uint64_t at,
                            uint32_t threads,
                            int32_t in_order,
                            wal_replay_fn callback,
                            void *payload,
                            uint64_t *count,
                            struct wal_error *err);

int32_t wal_trim(const struct wal_log *log,
                 uint64_t before,
                 uint64_t *first_lsn,
                 struct wal_error *err);

int32_t wal_truncate(const struct wal_log *log, uint64_t after, struct wal_error *err);

int32_t wal_reset_to(const struct wal_log *log, uint64_t next, struct wal_error *err);

int32_t wal_copy_to(const struct wal_log *log,
                    const char *path,
                    struct wal_copy_report *report,
                    struct wal_error *err);

int32_t wal_value_read(const struct wal_log *log,
                       const void *key,
                       size_t key_len,
                       void *buffer,
                       size_t capacity,
                       size_t *len,
                       struct wal_error *err);

int32_t wal_value_set(const struct wal_log *log,
                      const void *key,
                      size_t key_len,
                      const void *value,
                      size_t value_len,
                      struct wal_error *err);

int32_t wal_value_delete(const struct wal_log *log,
                         const void *key,
                         size_t key_len,
                         int32_t *existed,
                         struct wal_error *err);

int32_t wal_value_update(const struct wal_log *log,
                         const struct wal_value_change *changes,
                         size_t count,
                         struct wal_error *err);

int32_t wal_value_list(const struct wal_log *log,
                       wal_value_fn callback,
                       void *payload,
                       struct wal_error *err);

int32_t wal_stats_read(const struct wal_log *log, struct wal_stats *stats, struct wal_error *err);

int32_t wal_stats_segments(const struct wal_log *log,
                           wal_segment_fn callback,
                           void *payload,
                           struct wal_error *err);

int32_t wal_poisoned(const struct wal_log *log, struct wal_error *err);

int32_t wal_check_info(const char *path,
                       struct wal_info *info,
                       struct wal_recovery_report *recovery,
                       wal_segment_fn segments,
                       void *payload,
                       struct wal_error *err);

int32_t wal_check_verify(const char *path,
                         wal_progress_fn progress,
                         wal_finding_fn finding,
                         void *payload,
                         struct wal_verify_report *report,
                         struct wal_error *err);

int32_t wal_check_repair(const char *path,
                         int32_t dry_run,
                         wal_repair_fn line,
                         void *payload,
                         struct wal_repair_report *report,
                         struct wal_error *err);

int32_t wal_set_log_callback(int32_t level,
                             wal_log_fn callback,
                             void *payload,
                             struct wal_error *err);
