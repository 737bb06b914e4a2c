// Reading one record, with cursors in both directions, in packed batches, by time; following.
#include "testing.hpp"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <numeric>
#include <poll.h>
#include <thread>
#include <vector>

using std::chrono::milliseconds;

static wal::log of_records(const char* name, int count) {
    wal::log log = wal::log::open(test_directory / name);
    for (int i = 1; i <= count; i++) log.append(std::to_string(i));
    return log;
}

static void one_record() {
    const wal::log log = of_records("one", 3);
    char buffer[8] = "";
    CHECK(log.read_into(2, buffer, sizeof buffer) == 1 && buffer[0] == '2');
    log.append("longer than that");
    std::error_code ec;
    CHECK(log.read_into(4, buffer, sizeof buffer, ec) == 16 && !ec && buffer[0] == '2');
    CHECK(log.read(4, ec).lsn() == 4 && !ec);
    THROWS(not_found, log.read(5));
    TELLS(not_found, log.read(5, told));
    THROWS(not_found, log.read_into(5, buffer, sizeof buffer));
    THROWS(invalid, log.read(0));
    THROWS(not_found, log.time_of(5));
    TELLS(not_found, log.time_of(5, told));
    // A record outlives its log, and moves.
    wal::record kept;
    CHECK(kept.lsn() == 0 && kept.bytes().empty() && !kept.batch_continues());
    {
        const wal::log other = wal::log::open(test_directory / "gone");
        other.append("stays");
        kept = other.read(1);
    }
    wal::record moved = std::move(kept);
    CHECK(moved.text() == "stays" && moved.bytes().to_string() == "stays");
    CHECK(kept.lsn() == 0 && kept.text().empty());  // NOLINT(bugprone-use-after-move)
}

static void cursors() {
    const wal::log log = of_records("cursors", 10);
    int sum = 0;
    wal::lsn expected = 1;
    for (const wal::record& record : log.open_cursor()) {
        CHECK(record.lsn() == expected++);
        sum += std::stoi(record.bytes().to_string());
    }
    CHECK(sum == 55);
    wal::cursor cursor = log.open_cursor(wal::position::end());
    for (const wal::record& record : cursor.reversed()) CHECK(record.lsn() == --expected);
    CHECK(expected == 1 && cursor.next_lsn() == 1 && !cursor.prev());
    THROWS(invalid, log.open_cursor().time());
    CHECK(cursor.next()->lsn() == 1 && cursor.time() == log.time_of(1));
    std::error_code ec;
    CHECK(cursor.next(ec)->lsn() == 2 && cursor.prev(ec)->lsn() == 2 && !ec);
    CHECK(cursor.time(ec) == log.time_of(2) && !ec);
    cursor.seek(wal::position::at(7));
    CHECK(cursor.next_lsn() == 7 && cursor.next()->text() == "7");
    cursor.seek_time(log.time_of(3));
    CHECK(cursor.next_lsn() <= 3);
    cursor.seek_time(log.time_of(3), ec);
    CHECK(!ec && log.open_cursor(wal::position::at_time(log.time_of(1))).next_lsn() == 1);
    // At the end a later call finds what was appended since.
    cursor.seek(wal::position::end(), ec);
    CHECK(!ec && !cursor.next());
    log.append("11");
    CHECK(cursor.next()->text() == "11");
    // What is read into an algorithm.
    wal::cursor again = log.open_cursor();
    const auto is_five = [](const wal::record& record) { return record.text() == "5"; };
    auto at = again.begin();
    while (at != again.end() && !is_five(*at)) ++at;
    CHECK(at->lsn() == 5);
    log.trim(4);
    log.truncate(8);
    THROWS(trimmed, log.open_cursor(wal::position::at(2)));
    TELLS(truncated, cursor.next(told));
    wal::cursor moved = std::move(again);
    CHECK(moved.next_lsn() == 6);
    THROWS(invalid, again.next());  // NOLINT(bugprone-use-after-move)
}

static void packed_batches() {
    const wal::log log = wal::log::open(test_directory / "packed");
    log.append_batch({"one", "two"});
    log.append("");
    log.append(std::string(100000, 'x'));
    std::vector<std::byte> buffer;
    wal::cursor cursor = log.open_cursor();
    wal::packed_view some = cursor.read_packed(buffer, 2);
    CHECK(some.size() == 2 && (*some.begin()).batch_continues && (*some.begin()).lsn == 1);
    const wal::log copy = wal::log::open(test_directory / "packed-copy");
    wal::packed_batch batch;
    for (const wal::record_view record : some) batch.add(record.bytes);
    CHECK(copy.append_packed(batch.bytes()).last == 2 && copy.read(2).text() == "two");
    std::error_code ec;
    // The first call has room for the empty record alone; the buffer grows for the long one.
    some = cursor.read_packed(buffer, 0, ec);
    CHECK(!ec && some.size() == 1 && (*some.begin()).bytes.empty());
    some = cursor.read_packed(buffer);
    CHECK(some.size() == 1 && buffer.size() > 100000);
    for (const wal::record_view record : some) CHECK(record.bytes.size() == 100000);
    CHECK(cursor.read_packed(buffer).empty());
    wal::follower follower = log.open_follower();
    CHECK(follower.read_packed(buffer).size() == 3 && follower.read_packed(buffer).size() == 1);
    CHECK(follower.read_packed(buffer, milliseconds(1)).empty());
    CHECK(follower.read_packed(buffer, milliseconds(0), 1, ec).empty() && !ec);
}

static void followers() {
    const wal::log log = of_records("follow", 2);
    wal::follower follower = log.open_follower();
    std::error_code ec;
    CHECK(follower.next()->lsn() == 1 && follower.next(milliseconds(0), ec)->lsn() == 2 && !ec);
    CHECK(!follower.next(milliseconds(1)) && !follower.next(milliseconds(0), ec) && !ec);
    CHECK(follower.next_lsn() == 3);
    follower.seek(wal::position::at(2));
    follower.seek(wal::position::first(), ec);
    CHECK(!ec);
    std::vector<std::string> seen;
    std::thread thread([&] {
        for (const wal::record& record : follower) seen.push_back(record.bytes().to_string());
    });
    for (int i = 3; i <= 6; i++) log.append(std::to_string(i));
    log.close();
    thread.join();
    CHECK(seen == std::vector<std::string>({"1", "2", "3", "4", "5", "6"}));
    THROWS(closed, follower.next());
    TELLS(closed, follower.next(milliseconds(0), told));
}

static void following_by_descriptor() {
    const wal::log log = wal::log::open(test_directory / "descriptor");
    const wal::notifier bell = log.open_notifier();
    wal::follower follower = log.open_follower(wal::position::end());
    std::thread writer([&] {
        for (int i = 0; i < 100; i++) log.append("news");
    });
    std::size_t seen = 0;
    while (seen < 100) {
        pollfd descriptor{bell.fd(), POLLIN, 0};
        CHECK(poll(&descriptor, 1, 10000) == 1);
        bell.acknowledge();
        while (follower.next(milliseconds(0))) seen++;
    }
    writer.join();
    std::error_code ec;
    CHECK(bell.acknowledge(ec) == 100U && !ec);
    log.close();
    THROWS(closed, bell.acknowledge());
    TELLS(closed, bell.acknowledge(told));
    CHECK(wal::notifier().fd() == -1);
}

static void replays() {
    const wal::log log = of_records("replay", 100);
    int sum = 0;
    const auto add = [&sum](const wal::record_view& record) {
        sum += std::stoi(record.bytes.to_string());
    };
    CHECK(log.replay(wal::position::first(), add) == 100U && sum == 5050);
    std::error_code ec;
    const auto until_ten = [](const wal::record_view& record) { return record.lsn < 10; };
    CHECK(log.replay(wal::position::at(3), until_ten, ec) == 10U && !ec);
    CHECK(!log.replay(wal::position::end(), add));
    for (const wal::order kept : {wal::order::of_log, wal::order::of_segments}) {
        std::atomic<int> parallel_sum{0};
        const auto add_parallel = [&parallel_sum](const wal::record_view& record) {
            parallel_sum += std::stoi(record.bytes.to_string());
        };
        CHECK(log.replay_parallel(wal::position::first(), 3, kept, add_parallel) == 100);
        CHECK(log.replay_parallel(wal::position::at(100), 3, kept, add_parallel, ec) == 1 && !ec);
        CHECK(parallel_sum == 5150);
    }
    THROWS(not_found, log.replay(wal::position::at(102), add));
    TELLS(not_found, log.replay(wal::position::at(102), add, told));
}

void test() {
    one_record();
    cursors();
    packed_batches();
    followers();
    following_by_descriptor();
    replays();
}
