// Waiting at the tail.
#include <cinttypes>
#include <future>
#include <thread>

#include "runner.hpp"

using std::chrono::milliseconds;

static void print(const char* prefix, const wal::record& record) {
    say("%s %s", prefix,
        record_text(record.lsn(), record.batch_continues(), record.bytes()).c_str());
}

static void follow(session& kept, line& of) {
    const std::string name = of.word_or("follower", "follower");
    const wal::position from = of.position("from");
    wal::follower opened = kept.log(of).open_follower(from);
    say("ok next=%" PRIu64, opened.next_lsn());
    kept.followers.insert_or_assign(name, std::move(opened));
}

static void follow_next(session& kept, line& of) {
    const auto timeout = static_cast<std::int64_t>(of.number("timeout_ms"));
    const std::optional<wal::record> record = kept.follower(of).next(milliseconds(timeout));
    if (record) print("ok", *record);
    else say("error timeout");
}

static void follow_seek(session& kept, line& of) {
    wal::follower& at = kept.follower(of);
    at.seek(of.position("to"));
    say("ok next=%" PRIu64, at.next_lsn());
}

static void pause_shortly() { std::this_thread::sleep_for(milliseconds(20)); }

static void follow_live(session& kept, line& of) {
    const wal::log& log = kept.log(of);
    const std::vector<std::string> records = of.bytes_list("records");
    wal::follower follower = log.open_follower(of.position("from"));
    std::future<std::vector<wal::record>> waiting =
        std::async(std::launch::async, [&follower, wanted = records.size()] {
            std::vector<wal::record> got;
            while (got.size() < wanted) got.push_back(*follower.next());
            return got;
        });
    try {
        for (const std::string& record : records) {
            pause_shortly();
            log.append(record);
        }
    } catch (const wal::error&) {
        // Nobody would end the wait otherwise.
        log.close();
        waiting.wait();
        throw;
    }
    const std::vector<wal::record> got = waiting.get();
    for (const wal::record& record : got) print("record", record);
    say("ok count=%zu", got.size());
}

static void follow_until_closed(session& kept, line& of) {
    const wal::log& log = kept.log(of);
    wal::follower follower = log.open_follower(of.position("from"));
    std::vector<wal::record> got;
    std::future<void> waiting = std::async(std::launch::async, [&] {
        for (;;) got.push_back(*follower.next());
    });
    pause_shortly();
    log.close();
    waiting.wait();
    for (const wal::record& record : got) print("record", record);
    waiting.get();
}

bool following(session& kept, line& of) {
    return take(kept, of, {{"follow", follow},
                           {"follow_next", follow_next},
                           {"follow_seek", follow_seek},
                           {"follow_live", follow_live},
                           {"follow_until_closed", follow_until_closed}});
}
