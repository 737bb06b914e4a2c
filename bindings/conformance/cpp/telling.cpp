// Being told when records are durable.
#include <cinttypes>
#include <condition_variable>
#include <mutex>

#include <poll.h>

#include "runner.hpp"

static constexpr std::chrono::seconds patience{10};

static wal::lsn submit_each(const wal::log& log, const std::vector<std::string>& records) {
    wal::lsn last = 0;
    if (records.empty()) throw misread("has no records", "records");
    for (const std::string& record : records) last = log.submit(record);
    return last;
}

static void on_durable(session& kept, line& of) {
    std::mutex mutex;
    std::condition_variable changed;
    wal::lsn durable = 0;
    const wal::log& log = kept.log(of);
    const std::vector<std::string> records = of.bytes_list("records");
    wal::lsn last = 0;
    {
        const wal::subscription told = log.on_durable([&](wal::lsn lsn) {
            const std::lock_guard<std::mutex> lock(mutex);
            durable = lsn;
            changed.notify_one();
        });
        last = submit_each(log, records);
        std::unique_lock<std::mutex> lock(mutex);
        changed.wait_for(lock, patience, [&] { return durable >= last; });
    }
    // A call that was running has ended with the subscription.
    if (durable < last) throw misread("was told of nothing", "on_durable");
    say("ok durable=%" PRIu64, durable);
}

static void notifier(session& kept, line& of) {
    const wal::log& log = kept.log(of);
    const std::vector<std::string> records = of.bytes_list("records");
    const wal::notifier bell = log.open_notifier();
    const wal::lsn last = submit_each(log, records);
    wal::lsn durable = 0;
    while (durable < last) {
        pollfd descriptor{bell.fd(), POLLIN, 0};
        const auto timeout = static_cast<int>(std::chrono::milliseconds(patience).count());
        if (poll(&descriptor, 1, timeout) != 1) throw misread("is silent", "notifier");
        durable = bell.acknowledge().value_or(0);
    }
    say("ok durable=%" PRIu64, durable);
}

bool telling(session& kept, line& of) {
    return take(kept, of, {{"on_durable", on_durable}, {"notifier", notifier}});
}
