/* Looking into a log from outside: what is there, damage found and repaired, copies, statistics. */
#include "testing.h"

#include <dirent.h>

/* Flips a byte in the middle of the records of the first segment; returns whether there was one. */
static int damage(const char *log_name, const char *needle) {
    char directory[4096], file[8192];
    struct dirent *entry;
    DIR *listing;
    int is_done = 0;
    snprintf(directory, sizeof directory, "%s", path_of(log_name));
    listing = opendir(directory);
    CHECK(listing != NULL);
    while (!is_done && (entry = readdir(listing)) != NULL) {
        static unsigned char bytes[1 << 20];
        size_t len, at;
        FILE *stream;
        if (entry->d_name[0] == '.') {
            continue;
        }
        snprintf(file, sizeof file, "%s/%s", directory, entry->d_name);
        stream = fopen(file, "r+b");
        CHECK(stream != NULL);
        len = fread(bytes, 1, sizeof bytes, stream);
        for (at = 0; at + strlen(needle) <= len; at++) {
            if (memcmp(bytes + at, needle, strlen(needle)) == 0) {
                CHECK(fseek(stream, (long)at, SEEK_SET) == 0);
                CHECK(fputc(bytes[at] ^ 1, stream) != EOF);
                is_done = 1;
                break;
            }
        }
        CHECK(fclose(stream) == 0);
    }
    closedir(listing);
    return is_done;
}

struct seen {
    int segments, findings, lines, lost, progressed;
    uint64_t lsn;
};

static int32_t on_segment(const wal_segment *segment, void *payload) {
    struct seen *seen = payload;
    CHECK(segment->struct_size == sizeof *segment && segment->first_lsn >= 1);
    CHECK(segment->file_bytes > 0 && segment->created_ns > 0);
    seen->segments++;
    return 0;
}

static void on_finding(const wal_finding *finding, void *payload) {
    struct seen *seen = payload;
    CHECK(finding->code == WAL_ERR_CORRUPT && finding->message[0] != '\0');
    CHECK(finding->path[0] != '\0' && finding->offset > 0);
    seen->findings++;
    seen->lsn = finding->first_lsn;
}

static void on_progress(uint64_t done, uint64_t total, void *payload) {
    struct seen *seen = payload;
    CHECK(done <= total);
    seen->progressed++;
}

static void on_line(int32_t line, const char *text, uint64_t first, uint64_t last, void *payload) {
    struct seen *seen = payload;
    CHECK(text[0] != '\0' && line >= WAL_REPAIR_ACTION && line <= WAL_REPAIR_BACKUP);
    if (line == WAL_REPAIR_LOST) {
        CHECK(first >= 1 && first <= last);
        seen->lost++;
    }
    seen->lines++;
}

static void a_sound_log_is_told_about(void) {
    wal_log *log = open_at("sound");
    wal_info info;
    wal_verify_report report;
    wal_recovery_report recovery;
    struct seen seen;
    memset(&info, 0, sizeof info);
    memset(&report, 0, sizeof report);
    memset(&recovery, 0, sizeof recovery);
    memset(&seen, 0, sizeof seen);
    info.struct_size = sizeof info;
    report.struct_size = sizeof report;
    recovery.struct_size = sizeof recovery;
    RETURNS(WAL_ERR_NOT_FOUND,
            wal_check_info(path_of("none"), &info, NULL, NULL, NULL, &err));
    append_text(log, "one");
    append_text(log, "two");
    OK(wal_check_info(path_of("sound"), &info, &recovery, on_segment, &seen, &err));
    CHECK(info.writer_alive == 1 && info.clean == 0);
    CHECK(info.first_lsn == 1 && info.last_lsn == 2 && info.next_lsn == 3);
    CHECK(info.segments == (uint64_t)seen.segments && seen.segments >= 1);
    CHECK(info.last_time_ns >= info.first_time_ns && info.first_time_ns > 0);
    close_and_release(log);
    OK(wal_check_info(path_of("sound"), &info, &recovery, NULL, NULL, &err));
    CHECK(info.writer_alive == 0 && info.clean == 1);
    CHECK(recovery.recovery_case == WAL_RECOVERY_CLEAN && recovery.last_lsn == 2);
    OK(wal_check_verify(path_of("sound"), on_progress, on_finding, &seen, &report, &err));
    CHECK(report.findings == 0 && report.records == 2 && report.torn_tail == 0);
    CHECK(seen.findings == 0 && seen.progressed > 0);
}

static void damage_is_found_and_repaired(void) {
    wal_log *log = open_at("damaged");
    wal_verify_report report;
    wal_repair_report repair;
    struct seen seen;
    wal_record *record = NULL;
    wal_cursor *cursor = NULL;
    int32_t code;
    memset(&report, 0, sizeof report);
    memset(&repair, 0, sizeof repair);
    memset(&seen, 0, sizeof seen);
    report.struct_size = sizeof report;
    repair.struct_size = sizeof repair;
    append_text(log, "a record to keep");
    append_text(log, "a record to break");
    append_text(log, "a record behind it");
    RETURNS(WAL_ERR_LOCKED, wal_check_repair(path_of("damaged"), 0, NULL, NULL, NULL, &err));
    close_and_release(log);
    CHECK(damage("damaged", "a record to break"));
    OK(wal_check_verify(path_of("damaged"), NULL, on_finding, &seen, &report, &err));
    CHECK(report.findings >= 1 && seen.findings == (int)report.findings);

    /* Whoever opens or reads it is told the place; nothing is dropped in silence. */
    code = wal_open(path_of("damaged"), NULL, &log, NULL, &err);
    if (code == WAL_OK) {
        OK(wal_cursor_open(log, WAL_FROM_LSN, 2, &cursor, &err));
        RETURNS(WAL_ERR_CORRUPT, wal_cursor_next(cursor, &record, &err));
        wal_cursor_release(cursor);
        OK(wal_close(log, &err));
        wal_release(log);
        (void)wal_read;
        err.code = WAL_ERR_CORRUPT;
    } else {
        CHECK(code == WAL_ERR_CORRUPT);
    }
    CHECK(err.message[0] != '\0' && err.offset > 0);

    OK(wal_check_repair(path_of("damaged"), 1, on_line, &seen, &repair, &err));
    CHECK(repair.changed == 0 && repair.actions >= 1 && seen.lines >= 1);
    OK(wal_check_repair(path_of("damaged"), 0, on_line, &seen, &repair, &err));
    CHECK(repair.changed == 1 && repair.lost_records >= 1 && seen.lost >= 1);
    OK(wal_check_verify(path_of("damaged"), NULL, NULL, NULL, &report, &err));
    CHECK(report.findings == 0);
    log = open_at("damaged");
    check_record(log, 1, "a record to keep");
    close_and_release(log);
}

static void a_copy_is_a_log_of_its_own(void) {
    wal_log *log = open_at("original"), *copy;
    wal_copy_report report;
    unsigned char uuid[16];
    char target[4096];
    memset(&report, 0, sizeof report);
    report.struct_size = sizeof report;
    append_text(log, "one");
    append_text(log, "two");
    snprintf(target, sizeof target, "%s", path_of("copy"));
    OK(wal_copy_to(log, target, &report, &err));
    CHECK(report.records == 2 && report.first_lsn == 1 && report.last_lsn == 2);
    CHECK(wal_copy_to(log, target, NULL, &err) != WAL_OK);
    copy = open_at("copy");
    OK(wal_uuid(log, uuid, &err));
    CHECK(memcmp(uuid, report.uuid, 16) != 0);
    OK(wal_uuid(copy, uuid, &err));
    CHECK(memcmp(uuid, report.uuid, 16) == 0);
    check_record(copy, 2, "two");
    close_and_release(copy);
    close_and_release(log);
}

static void a_log_tells_about_itself(void) {
    wal_log *log = open_at("stats");
    wal_stats stats;
    struct seen seen;
    memset(&seen, 0, sizeof seen);
    memset(&stats, 0, sizeof stats);
    stats.struct_size = sizeof stats;
    append_text(log, "one");
    append_text(log, "three");
    OK(wal_stats_read(log, &stats, &err));
    CHECK(stats.records == 2 && stats.record_bytes == 8 && stats.commits >= 1);
    CHECK(stats.syncs >= 1 && stats.durable_lsn == 2 && stats.next_lsn == 3);
    CHECK(stats.level == WAL_LEVEL_DISK && stats.poisoned == 0);
    CHECK(stats.sync_latency.count >= 1 && stats.sync_latency.max_ns > 0);
    CHECK(stats.sync_latency.p50_ns <= stats.sync_latency.p99_ns);
    OK(wal_stats_segments(log, on_segment, &seen, &err));
    CHECK(seen.segments == (int)stats.segments && seen.segments >= 1);
    OK(wal_poisoned(log, &err));
    close_and_release(log);
}

static int logged;

static void on_log(int32_t level, const char *target, const char *message, void *payload) {
    CHECK(level >= WAL_LOG_ERROR && level <= WAL_LOG_TRACE);
    CHECK(target[0] != '\0' && payload == &logged);
    (void)message;
    logged++;
}

static void events_go_to_the_callback_only_while_it_is_set(void) {
    int before;
    OK(wal_set_log_callback(WAL_LOG_TRACE, on_log, &logged, &err));
    close_and_release(open_at("logged"));
    OK(wal_set_log_callback(WAL_LOG_OFF, NULL, NULL, &err));
    CHECK(logged > 0);
    before = logged;
    close_and_release(open_at("logged"));
    CHECK(logged == before);
}

static void test(void) {
    events_go_to_the_callback_only_while_it_is_set();
    a_sound_log_is_told_about();
    damage_is_found_and_repaired();
    a_copy_is_a_log_of_its_own();
    a_log_tells_about_itself();
}
