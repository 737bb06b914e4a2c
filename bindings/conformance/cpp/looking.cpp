// What a log tells about itself: stats, copies, info, verify, repair.
#include <cinttypes>

#include "runner.hpp"

static void stats(session& kept, line& of) {
    static constexpr const char* levels[] = {"default", "buffered", "os", "disk"};
    const ::wal_stats found = kept.log(of).stats();
    say("ok level=%s poisoned=%d first=%s last=%s next=%" PRIu64 " records=%" PRIu64
        " record_bytes=%" PRIu64 " rotations=%" PRIu64 " trimmed=%" PRIu64 " segments=%" PRIu64,
        levels[found.level & 3], found.poisoned, or_dash(found.first_lsn).c_str(),
        or_dash(found.last_lsn).c_str(), found.next_lsn, found.records, found.record_bytes,
        found.rotations, found.trimmed, found.segments);
}

static void segments(session& kept, line& of) {
    const std::vector<::wal_segment> found = kept.log(of).segments();
    for (const ::wal_segment& segment : found) {
        say("segment id=%" PRIu64 " first=%" PRIu64 " last=%s sealed=%d", segment.id,
            segment.first_lsn, or_dash(segment.last_lsn).c_str(), segment.sealed);
    }
    say("ok count=%zu", found.size());
}

static void poisoned(session& kept, line& of) {
    try {
        kept.log(of).check_poisoned();
        say("ok poisoned=0");
    } catch (const wal::error& why) {
        if (why.kind() != wal::errc::poisoned) throw;
        say("ok poisoned=1");
    }
}

static void copy_to(session& kept, line& of) {
    const ::wal_copy_report report = kept.log(of).copy_to(kept.path(of));
    say("ok records=%" PRIu64 " first=%s last=%s", report.records,
        or_dash(report.first_lsn).c_str(), or_dash(report.last_lsn).c_str());
}

static void info(session& kept, line& of) {
    const auto [found, recovery] = wal::info(kept.path(of));
    say("ok clean=%d writer=%d epoch=%" PRIu64 " first=%s last=%s next=%" PRIu64
        " segments=%" PRIu64 " values=%" PRIu64 " case=%s",
        found.clean, found.writer_alive, found.epoch, or_dash(found.first_lsn).c_str(),
        or_dash(found.last_lsn).c_str(), found.next_lsn, found.segments, found.values,
        case_name(recovery.recovery_case).c_str());
}

static void verify(session& kept, line& of) {
    const ::wal_verify_report report =
        wal::verify(kept.path(of), [](const ::wal_finding& finding) {
            say("finding kind=%s segment=%s offset=%" PRIu64 " first=%s last=%s at_stake=%d",
                kind_name(finding.code).c_str(), or_dash(finding.segment).c_str(), finding.offset,
                or_dash(finding.first_lsn).c_str(), or_dash(finding.last_lsn).c_str(),
                finding.records_at_stake);
        });
    say("ok findings=%" PRIu64 " segments=%" PRIu64 " records=%" PRIu64 " first=%s last=%s torn=%d",
        report.findings, report.segments, report.records, or_dash(report.first_lsn).c_str(),
        or_dash(report.last_lsn).c_str(), report.torn_tail);
}

static void repair(session& kept, line& of) {
    bool has_backup = false;
    const auto mode = of.yes("dry_run").value_or(false) ? wal::repair_mode::dry_run
                                                        : wal::repair_mode::change_files;
    const ::wal_repair_report report =
        wal::repair(kept.path(of), mode, [&has_backup](const wal::repair_line& line) {
            if (line.kind == wal::repair_line::kind::lost) {
                say("lost first=%" PRIu64 " last=%" PRIu64, line.lost.first, line.lost.last);
            }
            has_backup = has_backup || line.kind == wal::repair_line::kind::backup;
        });
    say("ok changed=%d actions=%d backup=%d", report.changed, report.actions > 0 ? 1 : 0,
        has_backup ? 1 : 0);
}

bool looking(session& kept, line& of) {
    return take(kept, of, {{"stats", stats},
                           {"segments", segments},
                           {"poisoned", poisoned},
                           {"copy_to", copy_to},
                           {"info", info},
                           {"verify", verify},
                           {"repair", repair}});
}
