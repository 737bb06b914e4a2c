// Callbacks: what they throw, closing inside them, subscriptions, and the library's events.
#include "testing.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <unistd.h>

/// Counts up to a number that others wait for.
class counter {
public:
    void reach(wal::lsn lsn) {
        const std::lock_guard<std::mutex> lock(mutex_);
        reached_ = lsn;
        changed_.notify_all();
    }
    void await(wal::lsn lsn) {
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait(lock, [&] { return reached_ >= lsn; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    wal::lsn reached_ = 0;
};

// What a callback throws reaches the caller, and the log is as usable as before.
static void exceptions_go_on_from_the_call() {
    const auto path = test_directory / "throwing";
    const wal::log log = wal::log::open(path);
    for (int i = 0; i < 1000; i++) log.submit("record");
    log.sync();
    log.values().set("key", "value");
    int calls = 0;
    const auto raise = [&calls](auto&&...) {
        calls++;
        throw std::runtime_error("mine");
    };
    const auto expect = [&calls](auto&& call) {
        calls = 0;
        bool is_mine = false;
        try {
            call();
        } catch (const std::runtime_error& thrown) {
            is_mine = std::string(thrown.what()) == "mine";
        }
        CHECK(is_mine && calls == 1);
    };
    std::error_code ec;
    expect([&] { log.replay(wal::position::first(), raise); });
    expect([&] { log.replay(wal::position::first(), raise, ec); });
    expect([&] { log.values().for_each(raise); });
    const auto order = wal::order::of_log;
    expect([&] { log.replay_parallel(wal::position::first(), 4, order, raise); });
    expect([&] { wal::verify(path, wal::detail::nothing(), raise); });
    // Several threads may be in the callback; the first exception is the one that goes on.
    bool has_thrown = false;
    const auto raise_from_many = [](const wal::record_view&) { throw std::logic_error("one"); };
    try {
        log.replay_parallel(wal::position::first(), 4, wal::order::of_segments, raise_from_many);
    } catch (const std::logic_error&) {
        has_thrown = true;
    }
    CHECK(has_thrown && log.append("after") == 1001);
}

static void subscriptions() {
    const wal::log log = wal::log::open(test_directory / "durable");
    counter durable;
    {
        const wal::subscription told =
            log.on_durable([&](wal::lsn lsn) { durable.reach(lsn); });
        for (int i = 0; i < 100; i++) log.submit("record");
        durable.await(100);
    }
    // What it held is gone with it, once no call is running.
    auto held = std::make_shared<int>(0);
    const std::weak_ptr<int> watch = held;
    std::error_code ec;
    std::optional<wal::subscription> second =
        log.on_durable([held = std::move(held)](wal::lsn) {}, {}, ec);
    CHECK(!ec && !watch.expired());
    log.append("x");
    second.reset();
    while (!watch.expired()) usleep(1000);
    THROWS(invalid, log.on_durable({}));
    log.close();
    auto refused = std::make_shared<int>(0);
    const std::weak_ptr<int> watch_refused = refused;
    TELLS(closed, log.on_durable([r = std::move(refused)](wal::lsn) {}, {}, told));
    CHECK(watch_refused.expired());
}

static void a_poisoned_log_is_told() {
    const auto path = test_directory / "poisoned";
    wal::options how;
    how.segment_bytes = 64 * 1024;
    const wal::log log = wal::log::open(path, how);
    counter failed;
    const wal::subscription told = log.on_durable([](wal::lsn) {}, [&](const wal::error& why) {
        CHECK(why.kind() == wal::errc::io || why.kind() == wal::errc::poisoned ||
              why.kind() == wal::errc::not_found);
        failed.reach(1);
    });
    std::filesystem::remove_all(path);
    std::error_code ec;
    for (int i = 0; i < 200 && !ec; i++) log.append(std::string(8000, 'x'), ec);
    CHECK(ec);
    failed.await(1);
}

// Destroying the log inside its callback: nothing waits for the thread it runs on.
static void a_log_is_destroyed_inside_its_callback() {
    const auto path = test_directory / "inside";
    counter done;
    auto log = std::make_unique<wal::log>(wal::log::open(path));
    std::future<wal::lsn> first = log->append_async("first");
    CHECK(first.get() == 1);
    std::mutex mutex;
    std::unique_lock<std::mutex> lock(mutex);
    const wal::subscription told = log->on_durable([&](wal::lsn lsn) {
        const std::lock_guard<std::mutex> inner(mutex);
        log.reset();
        done.reach(lsn);
    });
    std::future<wal::lsn> second = log->append_async("second");
    lock.unlock();
    CHECK(second.get() == 2);
    done.await(2);
    // The close follows the callback: the lock is free soon.
    wal::options how;
    how.lock_wait = std::chrono::seconds(10);
    CHECK(wal::log::open(path, how).last_lsn() == 2U);
}

static void events_of_the_library() {
    static std::mutex mutex;
    static std::string heard;
    wal::listen_to_events(wal::verbosity::debug, [](wal::verbosity level, std::string_view target,
                                                    std::string_view message) {
        const std::lock_guard<std::mutex> lock(mutex);
        CHECK(level >= wal::verbosity::error && level <= wal::verbosity::debug);
        heard.append(target).append(": ").append(message).append("\n");
    });
    wal::log::open(test_directory / "events").close();
    wal::listen_to_events(wal::verbosity::off, {});
    const std::lock_guard<std::mutex> lock(mutex);
    CHECK(heard.find("wal") != std::string::npos);
    THROWS(invalid, (wal::listen_to_events(static_cast<wal::verbosity>(99),
                                           [](auto, auto, auto) {}), 0));
}

void test() {
    exceptions_go_on_from_the_call();
    subscriptions();
    a_poisoned_log_is_told();
    a_log_is_destroyed_inside_its_callback();
    events_of_the_library();
}
