/* What a log tells about itself: stats, copies, info, verify, repair. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "runner.h"

static int stats(line *of) {
    static const char *const LEVELS[] = {"default", "buffered", "os", "disk"};
    wal_stats found = {.struct_size = sizeof found};
    TRY(wal_stats_read(kept(LOG, of), &found, &err));
    printf("ok level=%s poisoned=%" PRId32 " first=%s last=%s next=%" PRIu64, LEVELS[found.level & 3],
           found.poisoned, or_dash(found.first_lsn), or_dash(found.last_lsn), found.next_lsn);
    printf(" records=%" PRIu64 " record_bytes=%" PRIu64 " rotations=%" PRIu64, found.records,
           found.record_bytes, found.rotations);
    printf(" trimmed=%" PRIu64 " segments=%" PRIu64 "\n", found.trimmed, found.segments);
    return 1;
}

static int32_t show_segment(const wal_segment *segment, void *payload) {
    printf("segment id=%" PRIu64 " first=%" PRIu64 " last=%s sealed=%" PRId32 "\n", segment->id,
           segment->first_lsn, or_dash(segment->last_lsn), segment->sealed);
    ++*(size_t *)payload;
    return 0;
}

static int segments(line *of) {
    size_t count = 0;
    TRY(wal_stats_segments(kept(LOG, of), show_segment, &count, &err));
    printf("ok count=%zu\n", count);
    return 1;
}

static int poisoned(line *of) {
    wal_error err = WAL_ERROR_INIT;
    int32_t code = wal_poisoned(kept(LOG, of), &err);
    if (code == WAL_OK || code == WAL_ERR_POISONED) printf("ok poisoned=%d\n", code != WAL_OK);
    else refuse(&err);
    return 1;
}

static int copy_to(line *of) {
    wal_copy_report report = {.struct_size = sizeof report};
    TRY(wal_copy_to(kept(LOG, of), path_of(of, "dir"), &report, &err));
    printf("ok records=%" PRIu64 " first=%s last=%s\n", report.records, or_dash(report.first_lsn),
           or_dash(report.last_lsn));
    return 1;
}

static int info(line *of) {
    wal_info found = {.struct_size = sizeof found};
    wal_recovery_report recovery = {.struct_size = sizeof recovery};
    TRY(wal_check_info(path_of(of, "dir"), &found, &recovery, NULL, NULL, &err));
    printf("ok clean=%" PRId32 " writer=%" PRId32 " epoch=%" PRIu64 " first=%s last=%s", found.clean,
           found.writer_alive, found.epoch, or_dash(found.first_lsn), or_dash(found.last_lsn));
    printf(" next=%" PRIu64 " segments=%" PRIu64 " values=%" PRIu64 " case=%s\n", found.next_lsn,
           found.segments, found.values, case_name(recovery.recovery_case));
    return 1;
}

static void show_finding(const wal_finding *finding, void *payload) {
    (void)payload;
    printf("finding kind=%s segment=%s offset=%" PRIu64, kind_name(finding->code),
           or_dash(finding->segment), finding->offset);
    printf(" first=%s last=%s at_stake=%" PRId32 "\n", or_dash(finding->first_lsn),
           or_dash(finding->last_lsn), finding->records_at_stake);
}

static int verify(line *of) {
    wal_verify_report report = {.struct_size = sizeof report};
    TRY(wal_check_verify(path_of(of, "dir"), NULL, show_finding, NULL, &report, &err));
    printf("ok findings=%" PRIu64 " segments=%" PRIu64 " records=%" PRIu64 " first=%s last=%s torn=%"
           PRId32 "\n", report.findings, report.segments, report.records, or_dash(report.first_lsn),
           or_dash(report.last_lsn), report.torn_tail);
    return 1;
}

static void show_repair(int32_t kind, const char *text, uint64_t first_lsn, uint64_t last_lsn,
                        void *payload) {
    (void)text;
    if (kind == WAL_REPAIR_LOST) {
        printf("lost first=%" PRIu64 " last=%" PRIu64 "\n", first_lsn, last_lsn);
    } else if (kind == WAL_REPAIR_BACKUP) {
        *(int *)payload = 1;
    }
}

static int repair(line *of) {
    wal_repair_report report = {.struct_size = sizeof report};
    int has_backup = 0;
    int32_t dry_run = yes(of, "dry_run", 0);
    TRY(wal_check_repair(path_of(of, "dir"), dry_run, show_repair, &has_backup, &report, &err));
    printf("ok changed=%" PRId32 " actions=%d backup=%d\n", report.changed, report.actions > 0,
           has_backup);
    return 1;
}

int looking(line *of) {
    if (strcmp(of->name, "stats") == 0) return stats(of);
    if (strcmp(of->name, "segments") == 0) return segments(of);
    if (strcmp(of->name, "poisoned") == 0) return poisoned(of);
    if (strcmp(of->name, "copy_to") == 0) return copy_to(of);
    if (strcmp(of->name, "info") == 0) return info(of);
    if (strcmp(of->name, "verify") == 0) return verify(of);
    if (strcmp(of->name, "repair") == 0) return repair(of);
    return 0;
}
