// Opening, closing, destroying.
#include "runner.hpp"

static wal::options options_of(line& of) {
    using std::chrono::microseconds;
    using std::chrono::milliseconds;
    const auto duration = [&of](std::string_view key, auto unit) {
        using span = decltype(unit);
        const std::optional<std::uint64_t> count = of.number_if_any(key);
        return count ? std::make_optional(span(static_cast<typename span::rep>(*count)))
                     : std::nullopt;
    };
    wal::options how;
    how.level = of.level();
    how.sync_every = duration("sync_every_ms", milliseconds());
    how.sync_bytes = of.number_if_any("sync_bytes");
    how.segment_bytes = of.number_if_any("segment_bytes");
    how.record_bytes_max = of.number_if_any("record_bytes_max");
    how.batch_bytes_max = of.number_if_any("batch_bytes_max");
    how.ring_bytes = of.number_if_any("ring_bytes");
    how.max_batch_delay = duration("max_batch_delay_us", microseconds());
    how.max_batch_bytes = of.number_if_any("max_batch_bytes");
    how.max_bytes = of.number_if_any("max_bytes");
    how.at_capacity = of.choice<wal::at_capacity>("at_capacity",
                                                  {{"reject", wal::at_capacity::reject},
                                                   {"block", wal::at_capacity::block},
                                                   {"trim_oldest", wal::at_capacity::trim_oldest}});
    how.io = of.choice<wal::io>("io", {{"auto", wal::io::automatic},
                                       {"buffered", wal::io::buffered},
                                       {"direct", wal::io::direct}});
    how.retention_bytes = of.number_if_any("retention_bytes");
    how.retention_age = duration("retention_age_ms", milliseconds());
    how.retention_records = of.number_if_any("retention_records");
    how.lock_wait = duration("lock_wait_ms", milliseconds());
    how.first_lsn = of.number_if_any("first_lsn");
    how.create = of.yes("create");
    how.read_mode = of.choice<wal::read_mode>(
        "read_mode", {{"map", wal::read_mode::map}, {"pread", wal::read_mode::pread}});
    how.pad_to_block = of.yes("pad_to_block");
    return how;
}

static void open(session& kept, line& of) {
    const std::filesystem::path path = kept.path(of);
    const std::string name = of.word_or("log", "log");
    const wal::options how = options_of(of);
    wal::log log = of.name() == "open" ? wal::log::open(path, how)
                                       : wal::log::open_read_only(path, how);
    const ::wal_recovery_report& found = log.recovery();
    std::string cut = "-";
    if (found.cut != 0) {
        cut = std::to_string(found.cut_segment) + ":" + std::to_string(found.cut_offset) + ":" +
              std::to_string(found.cut_bytes);
    }
    say("ok case=%s first=%s last=%s cut=%s", case_name(found.recovery_case).c_str(),
        or_dash(found.first_lsn).c_str(), or_dash(found.last_lsn).c_str(), cut.c_str());
    kept.logs.insert_or_assign(name, std::move(log));
}

static void close(session& kept, line& of) {
    kept.log(of).close();
    say("ok");
}

static void destroy(session& kept, line& of) {
    wal::destroy(kept.path(of));
    say("ok");
}

static void path(session& kept, line& of) {
    say("ok dir=%s", kept.log(of).path().filename().c_str());
}

static void uuid(session& kept, line& of) {
    say("ok uuid=%s", bytes_text(kept.log(of).uuid()).substr(4).c_str());
}

bool opening(session& kept, line& of) {
    return take(kept, of, {{"open", open}, {"open_read_only", open}, {"close", close},
                           {"destroy", destroy}, {"path", path}, {"uuid", uuid}});
}
