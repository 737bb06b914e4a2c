// Every way to append, at every level, and what is refused.
#include "testing.hpp"

#include <array>
#include <chrono>
#include <deque>
#include <list>
#include <vector>

using namespace std::string_view_literals;

static void records_of_every_kind_of_bytes() {
    const wal::log log = wal::log::open(test_directory / "bytes");
    CHECK(log.append("text") == 1);
    CHECK(log.append(std::string("string")) == 2);
    CHECK(log.append("a\0b"sv) == 3);
    CHECK(log.append(std::vector<unsigned char>{0, 255}) == 4);
    CHECK(log.append(std::array<std::byte, 2>{std::byte{1}, std::byte{2}}) == 5);
    CHECK(log.append(wal::bytes_view("pointer", 5)) == 6);
    CHECK(log.append("") == 7);
    CHECK(log.append({}) == 8);
    CHECK(log.read(1).text() == "text" && log.read(2).text() == "string");
    CHECK(log.read(3).text() == "a\0b"sv && log.read(3).bytes().size() == 3);
    CHECK(log.read(4).bytes() == std::vector<unsigned char>({0, 255}));
    CHECK(log.read(5).bytes()[1] == std::byte{2});
    CHECK(log.read(6).text() == "point");
    CHECK(log.read(7).bytes().empty() && log.read(8).bytes().empty());
    CHECK(log.last_lsn() == 8U && log.first_lsn() == 1U && log.next_lsn() == 9);
    CHECK(log.durable_lsn() == 8U && log.written_lsn() == 8U && log.submitted_lsn() == 8U);
}

static void levels() {
    const wal::log log = wal::log::open(test_directory / "levels");
    CHECK(!log.last_lsn() && !log.durable_lsn());
    CHECK(log.append("in memory", wal::level::buffered) == 1);
    CHECK(log.append("in the kernel", wal::level::os) == 2);
    CHECK(log.written_lsn() >= 2U);
    CHECK(log.append("on disk", wal::level::disk) == 3);
    CHECK(log.durable_lsn() == 3U);
    std::error_code ec = wal::errc::internal;
    CHECK(log.append("told", ec) == 4 && !ec);
    CHECK(log.append("told", wal::level::os, ec) == 5 && !ec);
    CHECK(log.sync() == 5U && log.sync(ec) == 5U && !ec);
}

static void batches_and_pieces() {
    const wal::log log = wal::log::open(test_directory / "batches");
    wal::lsn_range lsns = log.append_batch({"one", "two", "three"});
    CHECK(lsns.first == 1 && lsns.last == 3);
    CHECK(log.read(1).batch_continues() && !log.read(3).batch_continues());
    lsns = log.append_batch(std::vector<std::string>{"four", "five"});
    CHECK(lsns.first == 4 && lsns.last == 5);
    lsns = log.append_batch(std::list<std::vector<char>>{{'x'}, {}});
    CHECK(lsns.last == 7 && log.read(7).bytes().empty());
    std::error_code ec;
    const wal::timestamp when(std::chrono::hours(24 * 365 * 80));
    const wal::append_options dated{wal::level::disk, std::chrono::milliseconds(0), when};
    lsns = log.append_batch({"dated"}, dated, ec);
    CHECK(!ec && lsns.first == 8 && log.time_of(8) == when && log.time_of(8, ec) == when);
    CHECK(log.append_pieces({"head ", "body ", ""}) == 9 && log.read(9).text() == "head body ");
    CHECK(log.append_pieces(std::deque<std::string>{"a", "b"}, wal::level::os, ec) == 10 && !ec);
    wal::packed_batch packed;
    packed.add("packed");
    packed.add("");
    packed.add("a\0"sv);
    CHECK(packed.size() == 3);
    lsns = log.append_packed(packed.bytes());
    CHECK(lsns.first == 11 && lsns.last == 13 && log.read(13).text() == "a\0"sv);
    CHECK(log.append_packed(packed.bytes(), wal::level::os, ec).last == 16 && !ec);
    // Readers see what is durable.
    CHECK(log.last_lsn() == 13U && log.sync() == 16U && log.read(16).text() == "a\0"sv);
    THROWS(invalid, log.append_packed("no batch"));
    TELLS(invalid, log.append_packed("no batch", wal::level::os, told));
    THROWS(invalid, log.append_batch(std::vector<std::string>{}));
    packed.clear();
    CHECK(packed.size() == 0 && packed.bytes().empty());
}

static void submitting_and_waiting() {
    const wal::log log = wal::log::open(test_directory / "submit");
    std::error_code ec;
    CHECK(log.submit("one") == 1 && log.submit("two", wal::level::os, ec) == 2 && !ec);
    CHECK(log.submit_batch({"three", "four"}).last == 4);
    CHECK(log.submit_batch(std::vector<std::string>{"five"}, {}, ec).first == 5 && !ec);
    wal::packed_batch packed;
    packed.add("six");
    CHECK(log.submit_packed(packed.bytes()).first == 6);
    CHECK(log.submit_packed(packed.bytes(), wal::level::os, ec).first == 7 && !ec);
    CHECK(log.wait_durable(7) == 7U && log.wait_durable(3, wal::forever, ec) >= 3U && !ec);
    // Nobody appends it: the time is up, which is no error.
    CHECK(!log.wait_durable(8, std::chrono::milliseconds(5)));
    CHECK(!log.wait_durable(8, std::chrono::milliseconds(0), ec) && !ec);
}

static void what_is_refused() {
    wal::options how;
    how.record_bytes_max = 1024;
    how.batch_bytes_max = 2048;
    const wal::log log = wal::log::open(test_directory / "refused", how);
    const std::string large(1025, 'x');
    THROWS(invalid, log.append(large));
    TELLS(invalid, log.append(large, told));
    THROWS(invalid, log.submit(large));
    THROWS(invalid, log.append_pieces({large, "x"}));
    THROWS(invalid, log.append_batch(std::vector<std::string>(3, std::string(1000, 'x'))));
    THROWS(invalid, log.append("x", static_cast<wal::level>(9)));
    CHECK(!log.last_lsn());
    log.append_at(1, "first");
    try {
        log.append_at(1, "again");
        CHECK(false);
    } catch (const wal::error& conflict) {
        CHECK(conflict.kind() == wal::errc::conflict && conflict.lsn() == 2U);
        CHECK(!conflict.segment() && conflict.os_errno() == 0);
        CHECK(std::string(conflict.what()).find("conflict") != std::string::npos);
    }
    TELLS(conflict, log.append_at(7, "far", wal::level::os, told));
    std::error_code ec;
    log.append_at(2, "second", wal::level::disk, ec);
    CHECK(!ec && log.last_lsn() == 2U);
}

static void a_full_log_refuses_waits_or_trims() {
    wal::options how;
    how.segment_bytes = 64 * 1024;
    how.max_bytes = 4 * 64 * 1024;
    how.at_capacity = wal::at_capacity::block;
    const wal::log log = wal::log::open(test_directory / "full", how);
    const std::string record(8000, 'r');
    const std::vector<std::string> one{record};
    wal::append_options no_wait;
    no_wait.wait = std::chrono::milliseconds(0);
    std::error_code ec;
    for (int i = 0; i < 100 && !ec; i++) log.append_batch(one, no_wait, ec);
    CHECK(ec == wal::errc::would_block && ec == std::errc::operation_would_block);
    wal::append_options short_wait;
    short_wait.wait = std::chrono::milliseconds(5);
    THROWS(timeout, log.append_batch(one, short_wait));
    THROWS(would_block, log.append_batch_async(one, no_wait));
}

void test() {
    records_of_every_kind_of_bytes();
    levels();
    batches_and_pieces();
    submitting_and_waiting();
    what_is_refused();
    a_full_log_refuses_waits_or_trims();
}
