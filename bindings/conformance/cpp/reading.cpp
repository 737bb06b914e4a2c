// Reading: by LSN, by cursor, by replay.
#include <atomic>
#include <cinttypes>

#include "content.hpp"
#include "runner.hpp"

static void print(const char* prefix, const wal::record& record) {
    say("%s %s", prefix,
        record_text(record.lsn(), record.batch_continues(), record.bytes()).c_str());
}

static void read(session& kept, line& of) {
    const wal::record record = kept.log(of).read(of.number("lsn"));
    say("ok lsn=%" PRIu64 " bytes=%s", record.lsn(), bytes_text(record.bytes()).c_str());
}

// C++ has no call for many: it is a loop, as a program would write it.
static void read_many(session& kept, line& of) {
    const std::vector<std::string> lsns = of.items("lsns");
    const wal::log& log = kept.log(of);
    for (const std::string& lsn : lsns) print("record", log.read(whole_number(lsn)));
    say("ok count=%zu", lsns.size());
}

static void told_time(wal::timestamp time) {
    say("ok time=%" PRId64, static_cast<std::int64_t>(time.time_since_epoch().count()));
}

static void time_of(session& kept, line& of) { told_time(kept.log(of).time_of(of.number("lsn"))); }

static void told_next(const wal::cursor& cursor) { say("ok next=%" PRIu64, cursor.next_lsn()); }

static void cursor(session& kept, line& of) {
    const std::string name = of.word_or("cursor", "cursor");
    const wal::position from = of.position("from");
    wal::cursor opened = kept.log(of).open_cursor(from);
    told_next(opened);
    kept.cursors.insert_or_assign(name, std::move(opened));
}

static void step(session& kept, line& of) {
    wal::cursor& at = kept.cursor(of);
    const std::optional<wal::record> record = of.name() == "next" ? at.next() : at.prev();
    if (record) print("ok", *record);
    else say("ok end");
}

static void seek(session& kept, line& of) {
    wal::cursor& at = kept.cursor(of);
    if (of.name() == "seek_time") at.seek_time(time_of(of.number("time")));
    else at.seek(of.position("to"));
    told_next(at);
}

static void cursor_time(session& kept, line& of) { told_time(kept.cursor(of).time()); }

static void read_batch(session& kept, line& of) {
    // Large enough that the count alone ends a batch.
    std::vector<std::byte> buffer(std::size_t{1} << 20);
    wal::cursor& at = kept.cursor(of);
    const wal::packed_view records = at.read_packed(buffer, of.number("count"));
    for (const wal::record_view record : records) {
        say("record %s", record_text(record.lsn, record.batch_continues, record.bytes).c_str());
    }
    say("ok count=%zu next=%" PRIu64, records.size(), at.next_lsn());
}

static void iterate(session& kept, line& of) {
    std::size_t count = 0;
    const wal::position from = of.position("from");
    for (const wal::record& record : kept.log(of).open_cursor(from)) {
        print("record", record);
        count++;
    }
    say("ok count=%zu", count);
}

static void digest(session& kept, line& of) {
    wal::lsn first = 0;
    wal::lsn last = 0;
    std::size_t count = 0;
    std::uint32_t crc = 0;
    const wal::position from = of.position("from");
    for (const wal::record& record : kept.log(of).open_cursor(from)) {
        last = record.lsn();
        if (count++ == 0) first = last;
        crc = crc32_of(crc, record.bytes());
    }
    say("ok first=%s last=%s count=%zu crc=%08" PRIx32, or_dash(first).c_str(),
        or_dash(last).c_str(), count, crc);
}

static void replay(session& kept, line& of) {
    const wal::lsn stop = of.number_if_any("stop").value_or(0);
    const wal::position from = of.position("from");
    const std::optional<wal::lsn> last =
        kept.log(of).replay(from, [stop](const wal::record_view& record) {
            const std::string text = record_text(record.lsn, record.batch_continues, record.bytes);
            say("record %s", text.c_str());
            return record.lsn != stop;
        });
    say("ok last=%s", or_dash(last).c_str());
}

static void replay_parallel(session& kept, line& of) {
    std::atomic<std::uint32_t> sum{0};
    const wal::position from = of.position("from");
    const auto threads = static_cast<std::uint32_t>(of.number("threads"));
    const auto order = of.yes("in_order").value_or(true) ? wal::order::of_log
                                                         : wal::order::of_segments;
    const std::uint64_t count =
        kept.log(of).replay_parallel(from, threads, order, [&sum](const wal::record_view& record) {
            sum += crc32_of(0, record.bytes);
        });
    say("ok count=%" PRIu64 " sum=%" PRIu32, count, sum.load());
}

bool reading(session& kept, line& of) {
    return take(kept, of, {{"read", read},
                           {"read_many", read_many},
                           {"time_of", time_of},
                           {"cursor", cursor},
                           {"next", step},
                           {"prev", step},
                           {"seek", seek},
                           {"seek_time", seek},
                           {"cursor_time", cursor_time},
                           {"read_batch", read_batch},
                           {"iterate", iterate},
                           {"digest", digest},
                           {"replay", replay},
                           {"replay_parallel", replay_parallel}});
}
