// Appends in flight: futures, completions for event loops, and how they end.
#include "testing.hpp"

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <poll.h>
#include <set>
#include <thread>
#include <vector>

static void many_in_flight_from_many_threads() {
    constexpr std::size_t each = 2000;
    const wal::log log = wal::log::open(test_directory / "many");
    std::vector<std::thread> threads;
    std::vector<std::set<wal::lsn>> seen(4);
    for (std::size_t id = 0; id < seen.size(); id++) {
        threads.emplace_back([&log, &lsns = seen[id], id] {
            std::vector<std::future<wal::lsn>> futures;
            for (std::size_t i = 0; i < each; i++) {
                futures.push_back(log.append_async(std::to_string(id)));
            }
            for (auto& future : futures) {
                const wal::lsn lsn = future.get();
                CHECK(log.durable_lsn() >= lsn);
                lsns.insert(lsn);
            }
        });
    }
    for (auto& thread : threads) thread.join();
    std::set<wal::lsn> all;
    for (std::size_t id = 0; id < seen.size(); id++) {
        CHECK(seen[id].size() == each);
        for (const wal::lsn lsn : seen[id]) CHECK(log.read(lsn).text() == std::to_string(id));
        all.merge(seen[id]);
    }
    CHECK(all.size() == 4 * each && log.last_lsn() == 4 * each);
}

static void batches_levels_and_refusals() {
    wal::log log = wal::log::open(test_directory / "batches");
    wal::lsn_range lsns = log.append_batch_async({"one", "two"}).get();
    CHECK(lsns.first == 1 && lsns.last == 2);
    std::error_code ec;
    wal::append_options how;
    how.level = wal::level::os;
    CHECK(log.append_async("three", how).get() == 3 && log.written_lsn() >= 3U);
    how.level = wal::level::buffered;
    CHECK(log.append_async("four", how, ec).get() == 4 && !ec);
    CHECK(log.append_batch_async(std::vector<std::string>{"five"}, {}, ec).get().last == 5 && !ec);
    how.level = static_cast<wal::level>(9);
    THROWS(invalid, log.append_async("x", how));
    CHECK(!log.append_async("x", how, ec).valid() && ec == wal::errc::invalid);
    THROWS(invalid, log.append_batch_async(std::vector<std::string>{}));
    log.close();
    THROWS(closed, log.append_async("late"));
    TELLS(closed, log.append_async("late", {}, told));
    wal::log moved = std::move(log);
    THROWS(invalid, log.append_async("gone"));  // NOLINT(bugprone-use-after-move)
    CHECK(!log.append_async("gone", {}, ec).valid() && ec == wal::errc::invalid);
}

static void a_closed_log_starts_nothing() {
    const wal::log log = wal::log::open(test_directory / "nothing");
    log.close();
    THROWS(closed, log.append_async("late"));
    TELLS(closed, log.open_completions(told));
    THROWS(closed, log.open_completions());
}

// Closing and destroying first settle what is in flight, whatever is still waiting for it.
static void closing_and_destroying_settle_everything() {
    std::vector<std::future<wal::lsn>> futures;
    {
        const wal::log log = wal::log::open(test_directory / "settled");
        for (int i = 0; i < 500; i++) futures.push_back(log.append_async("closed"));
        log.close();
        for (auto& future : futures) future.get();
    }
    futures.clear();
    {
        const wal::log log = wal::log::open(test_directory / "settled");
        for (int i = 0; i < 500; i++) futures.push_back(log.append_async("destroyed"));
        // A future nobody waits for cancels nothing.
        futures.erase(futures.begin(), futures.begin() + 100);
    }
    wal::lsn last = 600;
    for (auto& future : futures) {
        CHECK(future.wait_for(std::chrono::seconds(0)) == std::future_status::ready);
        CHECK(future.get() == ++last);
    }
    CHECK(wal::log::open(test_directory / "settled").last_lsn() == 1000U);
}

static void closing_meets_appends() {
    for (int round = 0; round < 10; round++) {
        const auto path = test_directory / ("meet" + std::to_string(round));
        std::atomic<wal::lsn> highest{0};
        {
            const wal::log log = wal::log::open(path);
            std::vector<std::thread> threads;
            for (int id = 0; id < 3; id++) {
                threads.emplace_back([&log, &highest] {
                    for (;;) {
                        std::error_code ec;
                        std::future<wal::lsn> future = log.append_async("x", {}, ec);
                        if (ec) {
                            CHECK(ec == wal::errc::closed && !future.valid());
                            return;
                        }
                        const wal::lsn lsn = future.get();
                        wal::lsn before = highest;
                        while (before < lsn && !highest.compare_exchange_weak(before, lsn)) {}
                    }
                });
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
            log.close();
            for (auto& thread : threads) thread.join();
        }
        CHECK(wal::log::open(path).last_lsn().value_or(0) >= highest);
    }
}

// Damage below an open log: what cannot be written is told by the future.
static void a_poisoned_log_settles_with_the_failure() {
    const auto path = test_directory / "poisoned";
    wal::options how;
    how.segment_bytes = 64 * 1024;
    const wal::log log = wal::log::open(path, how);
    log.append("before");
    std::filesystem::remove_all(path);
    bool has_failed = false;
    for (int i = 0; i < 200 && !has_failed; i++) {
        std::error_code ec;
        std::future<wal::lsn> future = log.append_async(std::string(8000, 'x'), {}, ec);
        if (ec) {
            has_failed = true;
            break;
        }
        try {
            future.get();
        } catch (const wal::error& why) {
            CHECK(why.kind() == wal::errc::io || why.kind() == wal::errc::poisoned);
            CHECK(std::string(why.what()).find("append") != std::string::npos);
            has_failed = true;
        }
    }
    CHECK(has_failed);
    THROWS(poisoned, log.check_poisoned());
    TELLS(poisoned, log.check_poisoned(told));
}

static void completions_for_an_event_loop() {
    const wal::log log = wal::log::open(test_directory / "loop");
    wal::completions completions = log.open_completions();
    std::vector<wal::completion> ended;
    CHECK(completions.take(ended) == 0 && completions.fd() >= 0);
    std::error_code ec;
    for (std::uint64_t token = 0; token < 1000; token++) {
        CHECK(completions.submit("record", token) == token + 1);
    }
    CHECK(completions.submit("last", 1000, {}, ec) == 1001 && !ec);
    while (ended.size() < 1001) {
        pollfd descriptor{completions.fd(), POLLIN, 0};
        CHECK(poll(&descriptor, 1, 10000) == 1);
        CHECK(completions.take(ended) > 0);
    }
    pollfd descriptor{completions.fd(), POLLIN, 0};
    CHECK(completions.take(ended, ec) == 0 && !ec && poll(&descriptor, 1, 0) == 0);
    for (const wal::completion& one : ended) {
        CHECK(!one.failure && one.lsns.first == one.token + 1 && one.lsns.last == one.lsns.first);
    }
    const wal::append_options wrong{static_cast<wal::level>(9), wal::forever, {}};
    THROWS(invalid, completions.submit("x", 1, wrong));
    TELLS(invalid, completions.submit("x", 1, wrong, told));
    wal::completions moved = std::move(completions);
    THROWS(invalid, completions.take(ended));  // NOLINT(bugprone-use-after-move)
    CHECK(completions.fd() == -1 && moved.fd() >= 0);
    moved.submit("in flight while the log goes", 7);
    log.close();
    ended.clear();
    while (moved.take(ended) == 0) std::this_thread::yield();
    CHECK(ended[0].token == 7 && !ended[0].failure);
    THROWS(closed, moved.submit("late", 8));
}

void test() {
    many_in_flight_from_many_threads();
    batches_levels_and_refusals();
    a_closed_log_starts_nothing();
    closing_and_destroying_settle_everything();
    closing_meets_appends();
    a_poisoned_log_settles_with_the_failure();
    completions_for_an_event_loop();
}
