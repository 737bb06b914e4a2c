// Moves, closing twice, every order of destruction, closing while others append, fork.
#include "testing.hpp"

#include <atomic>
#include <csignal>
#include <memory>
#include <sys/wait.h>
#include <thread>
#include <type_traits>
#include <unistd.h>
#include <vector>

static_assert(!std::is_copy_constructible_v<wal::log> && !std::is_copy_assignable_v<wal::log>);
static_assert(std::is_nothrow_move_constructible_v<wal::log>);
static_assert(std::is_nothrow_move_assignable_v<wal::log>);
static_assert(std::is_nothrow_move_constructible_v<wal::record>);
static_assert(std::is_nothrow_move_constructible_v<wal::cursor>);
static_assert(std::is_nothrow_move_constructible_v<wal::follower>);
static_assert(std::is_nothrow_move_constructible_v<wal::notifier>);
static_assert(std::is_nothrow_move_constructible_v<wal::completions>);
static_assert(std::is_nothrow_move_constructible_v<wal::subscription>);
static_assert(!std::is_copy_constructible_v<wal::record>);
static_assert(std::is_nothrow_destructible_v<wal::log>);

static void moves() {
    wal::log one = wal::log::open(test_directory / "moves");
    one.append("first");
    std::future<wal::lsn> flying = one.append_async("second");
    wal::log two = std::move(one);
    CHECK(two && !one);  // NOLINT(bugprone-use-after-move)
    CHECK(flying.get() == 2 && two.append_async("third").get() == 3);
    // Every call on what was moved from is refused, none is undefined.
    THROWS(invalid, one.append("x"));
    TELLS(invalid, one.append("x", told));
    THROWS(invalid, one.read(1));
    THROWS(invalid, one.open_cursor());
    THROWS(invalid, one.open_follower());
    THROWS(invalid, one.open_notifier());
    THROWS(invalid, one.on_durable([](wal::lsn) {}));
    THROWS(invalid, one.values().read("key"));
    THROWS(invalid, one.stats());
    THROWS(invalid, one.segments());
    THROWS(invalid, one.path());
    THROWS(invalid, one.uuid());
    THROWS(invalid, one.sync());
    THROWS(invalid, one.trim(1));
    THROWS(invalid, (one.close(), 0));
    CHECK(!one.last_lsn() && one.next_lsn() == 0 && one.raw() == nullptr);
    CHECK(one.recovery().recovery_case == 0);
    // Assigning closes what was there.
    two = wal::log::open(test_directory / "other");
    CHECK(wal::log::open(test_directory / "moves").last_lsn() == 3U);
    one = std::move(two);
    CHECK(one.append("again usable") == 1);
    wal::log& same = one;
    one = std::move(same);
    CHECK(one.append("after moving to itself") == 2);
}

static void closed_logs_say_so() {
    const wal::log log = wal::log::open(test_directory / "closed");
    log.append("one");
    wal::cursor cursor = log.open_cursor();
    log.close();
    log.close();
    std::error_code ec = wal::errc::internal;
    log.close(ec);
    CHECK(!ec);
    THROWS(closed, log.append("x"));
    TELLS(closed, log.append("x", told));
    THROWS(closed, log.submit("x"));
    THROWS(closed, log.append_batch({"x"}));
    THROWS(closed, log.sync());
    TELLS(closed, log.sync(told));
    THROWS(closed, log.wait_durable(9));
    THROWS(closed, log.trim(1));
    THROWS(closed, (log.truncate(1), 0));
    THROWS(closed, (log.reset_to(9), 0));
    THROWS(closed, (log.values().set("k", "v"), 0));
    THROWS(closed, log.open_cursor());
    THROWS(closed, log.open_notifier());
}

template <typename T>
static std::unique_ptr<T> held(T&& object) {
    return std::make_unique<T>(std::forward<T>(object));
}

/// Six objects, destroyed in the order the digits say.
static void every_order_of_destruction_is_safe() {
    for (const char* order : {"012345", "543210", "105243", "204531", "350142", "421053"}) {
        const auto path = test_directory / (std::string("order") + order);
        auto log = held(wal::log::open(path));
        log->append_batch({"one", "two"});
        auto cursor = held(log->open_cursor());
        auto follower = held(log->open_follower());
        auto record = held(log->read(1));
        auto notifier = held(log->open_notifier());
        auto completions = held(log->open_completions());
        completions->submit("three", 1);
        for (const char* step = order; *step != 0; step++) {
            switch (*step) {
                case '0': log.reset(); break;
                case '1': cursor.reset(); break;
                case '2': follower.reset(); break;
                case '3':
                    CHECK(record->text() == "one");
                    record.reset();
                    break;
                case '4': notifier.reset(); break;
                default: completions.reset();
            }
        }
        CHECK(wal::log::open(path).last_lsn() == 3U);
    }
}

static void closing_ends_the_work_of_other_threads() {
    const auto path = test_directory / "threads";
    std::atomic<wal::lsn> appended{0};
    {
        const wal::log log = wal::log::open(path);
        std::vector<std::thread> threads;
        threads.emplace_back([&] { THROWS(closed, log.wait_durable(1ULL << 60)); });
        for (int id = 0; id < 4; id++) {
            threads.emplace_back([&] {
                for (;;) {
                    std::error_code ec;
                    log.append("from a thread", ec);
                    if (ec == wal::errc::closed) return;
                    CHECK(!ec);
                    appended++;
                }
            });
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        log.close();
        for (auto& thread : threads) thread.join();
    }
    CHECK(wal::log::open(path).last_lsn() >= appended.load());
}

#if !defined(SANITIZED)
static void a_child_process_gets_forked_and_destroys_in_peace() {
    auto log = std::make_unique<wal::log>(wal::log::open(test_directory / "fork"));
    std::future<wal::lsn> before = log->append_async("parent");
    CHECK(before.get() == 1);
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        THROWS(forked, log->append("child"));
        THROWS(forked, log->append_async("child"));
        log.reset();
        const wal::log own = wal::log::open(test_directory / "fork-child");
        CHECK(own.append_async("child").get() == 1);
        own.close();
        // The threads of the parent are gone and what they held is lost, by the nature of fork: the
        // child ends without being searched for leaks.
        kill(getpid(), SIGKILL);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    CHECK(log->append_async("still the parent").get() == 2);
    log.reset();
    CHECK(wal::log::open(test_directory / "fork").last_lsn() == 2U);
    CHECK(wal::log::open(test_directory / "fork-child").last_lsn() == 1U);
}
#endif

void test() {
    moves();
    closed_logs_say_so();
    every_order_of_destruction_is_safe();
    closing_ends_the_work_of_other_threads();
#if !defined(SANITIZED)
    // The child starts threads and allocates, which POSIX leaves open for a process with threads:
    // the C library keeps that usable, the sanitizers' run time may be left locked.
    a_child_process_gets_forked_and_destroys_in_peace();
#endif
}
