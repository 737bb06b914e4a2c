/* Structs of every size: of an older header, which are shorter, and of a newer one, which are
   longer. What is behind the caller's struct is never touched. */
#include "testing.h"

enum { ROOM = 2048, NEWER = 64, UNTOUCHED = 0xee };

/* The caller's memory, aligned as its structs are. */
static union {
    uint64_t align;
    uint32_t struct_size;
    unsigned char bytes[ROOM];
} memory;

/* A call that fills the struct in `memory`. */
typedef int32_t (*fill)(void);

static wal_log *log;

static int32_t fill_stats(void) {
    return wal_stats_read(log, (wal_stats *)(void *)&memory, NULL);
}

static int32_t fill_info(void) {
    return wal_check_info(path_of("log"), (wal_info *)(void *)&memory, NULL, NULL, NULL, NULL);
}

static int32_t fill_recovery(void) {
    wal_recovery_report *report = (wal_recovery_report *)(void *)&memory;
    return wal_check_info(path_of("log"), NULL, report, NULL, NULL, NULL);
}

static int32_t fill_verify(void) {
    wal_verify_report *report = (wal_verify_report *)(void *)&memory;
    return wal_check_verify(path_of("log"), NULL, NULL, NULL, report, NULL);
}

static int32_t fill_repair(void) {
    wal_repair_report *report = (wal_repair_report *)(void *)&memory;
    return wal_check_repair(path_of("sound"), 1, NULL, NULL, report, NULL);
}

static int32_t fill_copy(void) {
    int32_t code = wal_copy_to(log, path_of("copy"), (wal_copy_report *)(void *)&memory, NULL);
    if (code == WAL_OK) {
        OK(wal_destroy(path_of("copy"), &err));
    }
    return code;
}

static int32_t fill_error(void) {
    return wal_sync(NULL, NULL, (wal_error *)(void *)&memory);
}

static void check_bytes(size_t from, size_t to, unsigned char value) {
    size_t i;
    for (i = from; i < to; i++) {
        CHECK(memory.bytes[i] == value);
    }
}

/* `filled` is what the call returns when it has filled the struct. */
static void an_output_of_every_size(size_t full, fill call, int32_t filled) {
    static const uint32_t impossible[] = {0, 1, 4, 7, 16 * 1024 + 1, UINT32_MAX};
    size_t size, i;
    CHECK(full + NEWER <= ROOM);
    for (size = 8; size <= full; size += 4) {
        memset(&memory, UNTOUCHED, sizeof memory);
        memory.struct_size = (uint32_t)size;
        RETURNS(filled, call());
        CHECK(memory.struct_size == size);
        check_bytes(size, ROOM, UNTOUCHED);
    }
    /* Every field was written: nothing of it is left as it was. */
    CHECK(memory.bytes[4] != UNTOUCHED && memory.bytes[full - 1] != UNTOUCHED);
    memset(&memory, 0, sizeof memory);
    memory.struct_size = (uint32_t)(full + NEWER);
    RETURNS(filled, call());
    CHECK(memory.struct_size == full + NEWER);
    check_bytes(full, ROOM, 0);
    for (i = full; i < full + NEWER; i += 7) {
        memset(&memory, 0, sizeof memory);
        memory.struct_size = (uint32_t)(full + NEWER);
        memory.bytes[i] = 1;
        RETURNS(WAL_ERR_INVALID, call());
        check_bytes(4, i, 0);
    }
    for (i = 0; i < sizeof impossible / sizeof *impossible; i++) {
        memset(&memory, UNTOUCHED, sizeof memory);
        memory.struct_size = impossible[i];
        RETURNS(WAL_ERR_INVALID, call());
        check_bytes(4, ROOM, UNTOUCHED);
    }
}

static void the_texts_of_short_structs_are_terminated(void) {
    wal_error *error = (wal_error *)(void *)&memory;
    size_t text = sizeof *error - sizeof error->message, size;
    for (size = text + 1; size < text + 16; size++) {
        memset(&memory, UNTOUCHED, sizeof memory);
        memory.struct_size = (uint32_t)size;
        RETURNS(WAL_ERR_INVALID, fill_error());
        CHECK(memory.bytes[size - 1] == 0 && memory.bytes[size] == UNTOUCHED);
    }
}

static void options_of_every_size(void) {
    wal_options *options = (wal_options *)(void *)&memory;
    wal_log *opened = NULL;
    wal_stats stats = {0};
    size_t size;
    stats.struct_size = sizeof stats;
    for (size = 8; size <= sizeof *options + NEWER; size += 8) {
        memset(&memory, UNTOUCHED, sizeof memory);
        OK(wal_options_init(options, size));
        CHECK(options->struct_size == size);
        check_bytes(size, ROOM, UNTOUCHED);
        options->level = WAL_LEVEL_OS;
        OK(wal_open(path_of("sized"), options, &opened, NULL, &err));
        OK(wal_stats_read(opened, &stats, &err));
        CHECK(stats.level == WAL_LEVEL_OS);
        close_and_release(opened);
    }
    OK(wal_options_init(options, sizeof *options + NEWER));
    memory.bytes[sizeof *options + NEWER - 1] = 1;
    opened = NULL;
    RETURNS(WAL_ERR_INVALID, wal_open(path_of("sized"), options, &opened, NULL, &err));
    CHECK(strstr(err.message, "upgrade, or leave it 0") != NULL && opened == NULL);
    RETURNS(WAL_ERR_INVALID, wal_open_read_only(path_of("sized"), options, &opened, NULL, &err));
    for (size = 0; size < 8; size++) {
        RETURNS(WAL_ERR_INVALID, wal_options_init(options, size));
    }
    RETURNS(WAL_ERR_INVALID, wal_options_init(options, 16 * 1024 + 1));
    RETURNS(WAL_ERR_INVALID, wal_options_init(options, SIZE_MAX));
}

static void append_options_of_every_size(void) {
    wal_append_options *options = (wal_append_options *)(void *)&memory;
    wal_slice slice = {"x", 1};
    uint64_t lsn = 0, expected = wal_next_lsn(log);
    size_t size;
    for (size = 8; size <= sizeof *options + NEWER; size += 8) {
        memset(&memory, UNTOUCHED, sizeof memory);
        OK(wal_append_options_init(options, size));
        check_bytes(size, ROOM, UNTOUCHED);
        options->level = WAL_LEVEL_BUFFERED;
        OK(wal_append_batch(log, &slice, 1, options, &lsn, NULL, &err));
        CHECK(lsn == expected++);
    }
    OK(wal_append_options_init(options, sizeof *options + NEWER));
    memory.bytes[sizeof *options] = 1;
    RETURNS(WAL_ERR_INVALID, wal_append_batch(log, &slice, 1, options, &lsn, NULL, &err));
    RETURNS(WAL_ERR_INVALID, wal_submit_batch(log, &slice, 1, options, &lsn, NULL, &err));
    options->struct_size = 0;
    RETURNS(WAL_ERR_INVALID, wal_append_batch(log, &slice, 1, options, &lsn, NULL, &err));
    CHECK(wal_next_lsn(log) == expected);
    RETURNS(WAL_ERR_INVALID, wal_append_options_init(options, 7));
}

static void test(void) {
    log = open_at("sound");
    append_text(log, "one");
    close_and_release(log);
    log = open_at("log");
    append_text(log, "one");
    an_output_of_every_size(sizeof(wal_stats), fill_stats, WAL_OK);
    an_output_of_every_size(sizeof(wal_info), fill_info, WAL_OK);
    an_output_of_every_size(sizeof(wal_recovery_report), fill_recovery, WAL_OK);
    an_output_of_every_size(sizeof(wal_verify_report), fill_verify, WAL_OK);
    an_output_of_every_size(sizeof(wal_repair_report), fill_repair, WAL_OK);
    an_output_of_every_size(sizeof(wal_copy_report), fill_copy, WAL_OK);
    an_output_of_every_size(sizeof(wal_error), fill_error, WAL_ERR_INVALID);
    the_texts_of_short_structs_are_terminated();
    options_of_every_size();
    append_options_of_every_size();
    close_and_release(log);
}
