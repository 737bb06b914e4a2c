/* What most programs do: append at every level, wait, read, close, open again, drop records. */
#include "testing.h"

static void records_survive_closing_and_opening(void) {
    wal_recovery_report report;
    wal_log *log = NULL;
    uint64_t lsn = 0;
    memset(&report, 0, sizeof report);
    report.struct_size = sizeof report;
    OK(wal_open(path_of("main"), NULL, &log, &report, &err));
    CHECK(report.created == 1 && report.recovery_case == WAL_RECOVERY_CREATED);
    CHECK(report.message[0] != '\0');
    CHECK(wal_first_lsn(log) == 0 && wal_last_lsn(log) == 0 && wal_next_lsn(log) == 1);
    CHECK(append_text(log, "disk") == 1);
    CHECK(wal_durable_lsn(log) == 1 && wal_written_lsn(log) == 1 && wal_submitted_lsn(log) == 1);
    OK(wal_append(log, "os", 2, WAL_LEVEL_OS, &lsn, &err));
    CHECK(lsn == 2 && wal_written_lsn(log) >= 2);
    OK(wal_append(log, "buffered", 8, WAL_LEVEL_BUFFERED, &lsn, &err));
    CHECK(lsn == 3 && wal_submitted_lsn(log) == 3);
    OK(wal_append(log, NULL, 0, WAL_LEVEL_DISK, NULL, NULL));
    CHECK(wal_durable_lsn(log) == 4);
    check_record(log, 1, "disk");
    check_record(log, 2, "os");
    check_record(log, 3, "buffered");
    check_record(log, 4, "");
    close_and_release(log);

    OK(wal_open(path_of("main"), NULL, &log, &report, &err));
    CHECK(report.created == 0 && report.cut == 0);
    CHECK(report.recovery_case == WAL_RECOVERY_CLEAN);
    CHECK(report.first_lsn == 1 && report.last_lsn == 4);
    check_record(log, 3, "buffered");
    CHECK(append_text(log, "more") == 5);
    close_and_release(log);
}

static void a_buffer_too_small_tells_the_size_needed(void) {
    wal_log *log = open_at("small");
    char buffer[4] = {'x', 'x', 'x', 'x'};
    size_t len = 0;
    append_text(log, "too long");
    RETURNS(WAL_ERR_FULL, wal_read(log, 1, buffer, sizeof buffer, &len, &err));
    CHECK(len == 8 && err.code == WAL_ERR_FULL);
    CHECK(memcmp(buffer, "xxxx", 4) == 0);
    RETURNS(WAL_ERR_FULL, wal_read(log, 1, NULL, 0, &len, &err));
    CHECK(len == 8);
    RETURNS(WAL_ERR_FULL, wal_path(log, buffer, sizeof buffer, &len, &err));
    CHECK(len == strlen(path_of("small")));
    close_and_release(log);
}

static void an_append_at_another_lsn_is_a_conflict(void) {
    wal_log *log = open_at("conflict");
    OK(wal_append_at(log, 1, "one", 3, WAL_LEVEL_DEFAULT, &err));
    RETURNS(WAL_ERR_CONFLICT, wal_append_at(log, 1, "again", 5, WAL_LEVEL_DEFAULT, &err));
    CHECK(err.lsn == 2 && err.code == WAL_ERR_CONFLICT);
    RETURNS(WAL_ERR_CONFLICT, wal_append_at(log, 3, "ahead", 5, WAL_LEVEL_OS, &err));
    OK(wal_append_at(log, 2, "two", 3, WAL_LEVEL_OS, &err));
    CHECK(wal_next_lsn(log) == 3);
    close_and_release(log);
}

static void pieces_become_one_record(void) {
    wal_log *log = open_at("pieces");
    wal_slice pieces[3];
    uint64_t lsn = 0;
    pieces[0].data = "ab";
    pieces[0].len = 2;
    pieces[1].data = NULL;
    pieces[1].len = 0;
    pieces[2].data = "cde";
    pieces[2].len = 3;
    OK(wal_append_v(log, pieces, 3, WAL_LEVEL_DEFAULT, &lsn, &err));
    CHECK(lsn == 1);
    check_record(log, 1, "abcde");
    OK(wal_append_v(log, pieces, 3, WAL_LEVEL_OS, NULL, &err));
    OK(wal_sync(log, &lsn, &err));
    CHECK(lsn == 2);
    check_record(log, 2, "abcde");
    close_and_release(log);
}

static void submitted_records_are_waited_for(void) {
    wal_log *log = open_at("submit");
    uint64_t lsn = 0, durable = 0;
    int i;
    for (i = 0; i < 100; i++) {
        OK(wal_submit(log, "record", 6, WAL_LEVEL_DEFAULT, &lsn, &err));
        CHECK(lsn == (uint64_t)i + 1);
    }
    OK(wal_wait_durable(log, lsn, -1, &durable, &err));
    CHECK(durable >= lsn && wal_durable_lsn(log) >= lsn);
    RETURNS(WAL_ERR_TIMEOUT, wal_wait_durable(log, lsn + 1, 20, &durable, &err));
    RETURNS(WAL_ERR_TIMEOUT, wal_wait_durable(log, lsn + 1, 0, NULL, &err));
    close_and_release(log);
}

static void records_are_dropped_at_both_ends(void) {
    wal_log *log = open_at("drop");
    wal_cursor *cursor = NULL;
    wal_record *record = NULL;
    uint64_t first = 0;
    size_t len = 0;
    int i;
    for (i = 0; i < 10; i++) {
        append_text(log, "record");
    }
    OK(wal_cursor_open(log, WAL_FROM_LSN, 2, &cursor, &err));
    OK(wal_trim(log, 4, &first, &err));
    CHECK(first == 4 && wal_first_lsn(log) == 4);
    RETURNS(WAL_ERR_TRIMMED, wal_read(log, 3, NULL, 0, &len, &err));
    CHECK(err.lsn == 4);
    RETURNS(WAL_ERR_TRIMMED, wal_cursor_next(cursor, &record, &err));
    RETURNS(WAL_ERR_INVALID, wal_trim(log, 12, NULL, &err));
    OK(wal_truncate(log, 8, &err));
    CHECK(wal_last_lsn(log) == 8 && wal_next_lsn(log) == 9);
    CHECK(append_text(log, "new nine") == 9);
    check_record(log, 9, "new nine");
    OK(wal_reset_to(log, 1000, &err));
    CHECK(wal_first_lsn(log) == 0 && wal_next_lsn(log) == 1000);
    CHECK(append_text(log, "thousand") == 1000);
    wal_cursor_release(cursor);
    close_and_release(log);
    log = open_at("drop");
    CHECK(wal_first_lsn(log) == 1000 && wal_last_lsn(log) == 1000);
    check_record(log, 1000, "thousand");
    close_and_release(log);
}

static void options_are_taken_and_refused(void) {
    wal_options options;
    wal_log *log = NULL;
    OK(wal_options_init(&options, sizeof options));
    CHECK(options.struct_size == sizeof options && options.create == 1);
    options.create = 0;
    RETURNS(WAL_ERR_NOT_FOUND, wal_open(path_of("none"), &options, &log, NULL, &err));
    CHECK(log == NULL);
    options.create = 1;
    options.first_lsn = 50;
    options.level = WAL_LEVEL_OS;
    options.segment_bytes = 65536;
    OK(wal_open(path_of("options"), &options, &log, NULL, &err));
    CHECK(append_text(log, "fifty") == 50);
    close_and_release(log);
    options.segment_bytes = 65536 + 1;
    log = NULL;
    RETURNS(WAL_ERR_INVALID, wal_open(path_of("refused"), &options, &log, NULL, &err));
    CHECK(strstr(err.message, "segment_bytes") != NULL && log == NULL);
}

static void an_identity_and_a_place_are_told(void) {
    wal_log *log = open_at("identity");
    unsigned char uuid[16], zero[16];
    char buffer[4096];
    size_t len = 0;
    memset(zero, 0, sizeof zero);
    memset(uuid, 0, sizeof uuid);
    OK(wal_uuid(log, uuid, &err));
    CHECK(memcmp(uuid, zero, 16) != 0);
    OK(wal_path(log, buffer, sizeof buffer, &len, &err));
    CHECK(len == strlen(path_of("identity")) && memcmp(buffer, path_of("identity"), len) == 0);
    close_and_release(log);
    OK(wal_destroy(path_of("identity"), &err));
    RETURNS(WAL_ERR_NOT_FOUND, wal_destroy(path_of("identity"), &err));
}

static void versions_agree(void) {
    char text[64];
    snprintf(text, sizeof text, "%d.%d.%d", WAL_VERSION_MAJOR, WAL_VERSION_MINOR,
             WAL_VERSION_PATCH);
    CHECK(strcmp(text, WAL_VERSION) == 0);
    CHECK(strcmp(wal_version(), WAL_VERSION) == 0);
    CHECK(wal_version_number() == WAL_VERSION_NUMBER);
    CHECK(WAL_VERSION_NUMBER ==
          WAL_VERSION_MAJOR * 1000000 + WAL_VERSION_MINOR * 1000 + WAL_VERSION_PATCH);
    CHECK(WAL_VERSION_AT_LEAST(0, 0, 0));
    CHECK(WAL_VERSION_AT_LEAST(WAL_VERSION_MAJOR, WAL_VERSION_MINOR, WAL_VERSION_PATCH));
    CHECK(!WAL_VERSION_AT_LEAST(WAL_VERSION_MAJOR, WAL_VERSION_MINOR, WAL_VERSION_PATCH + 1));
    CHECK(!WAL_VERSION_AT_LEAST(WAL_VERSION_MAJOR + 1, 0, 0));
    CHECK(strcmp(wal_code_name(WAL_ERR_FULL), "WAL_ERR_FULL") == 0);
    CHECK(strcmp(wal_code_name(99), "WAL_ERR_UNKNOWN") == 0);
    CHECK(wal_code_text(WAL_ERR_FULL)[0] != '\0' && wal_code_text(99)[0] != '\0');
}

static void test(void) {
    versions_agree();
    records_survive_closing_and_opening();
    a_buffer_too_small_tells_the_size_needed();
    an_append_at_another_lsn_is_a_conflict();
    pieces_become_one_record();
    submitted_records_are_waited_for();
    records_are_dropped_at_both_ends();
    options_are_taken_and_refused();
    an_identity_and_a_place_are_told();
}
