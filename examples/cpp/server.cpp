// The core of a server: threads take requests, append each to the log, and go on to the next one
// while it is on its way to the disk; another thread answers when it is there. The commits are
// shared by all that is in flight. Stopping answers everything that was taken.
//
//     ./server DIRECTORY
//
// A request is a line of text here, and its answer the LSN of its record.

#include <condition_variable>
#include <cstdio>
#include <deque>
#include <exception>
#include <future>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <wal.hpp>

/// Hands things from thread to thread, until it is closed and empty.
template <typename T>
class channel {
public:
    void put(T item) {
        const std::lock_guard<std::mutex> lock(mutex_);
        items_.push_back(std::move(item));
        changed_.notify_one();
    }

    std::optional<T> take() {
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait(lock, [this] { return is_closed_ || !items_.empty(); });
        if (items_.empty()) return std::nullopt;
        T item = std::move(items_.front());
        items_.pop_front();
        return item;
    }

    void close() {
        const std::lock_guard<std::mutex> lock(mutex_);
        is_closed_ = true;
        changed_.notify_all();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<T> items_;
    bool is_closed_ = false;
};

struct request {
    std::string text;
    std::promise<wal::lsn> answer;
};

/// Takes requests until it is stopped.
class server {
public:
    server(const char* directory, std::size_t threads) : log_(wal::log::open(directory)) {
        for (std::size_t i = 0; i < threads; i++) workers_.emplace_back([this] { work(); });
        responder_ = std::thread([this] { respond(); });
    }
    ~server() { stop(); }
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    /// The answer comes when the request is on disk.
    std::future<wal::lsn> handle(std::string text) {
        request one{std::move(text), {}};
        std::future<wal::lsn> answer = one.answer.get_future();
        requests_.put(std::move(one));
        return answer;
    }

    /// Answers everything that was taken, in the order in which it can: first the threads that
    /// append, then the one that answers, then the log.
    void stop() {
        requests_.close();
        for (std::thread& worker : workers_) worker.join();
        workers_.clear();
        in_flight_.close();
        if (responder_.joinable()) responder_.join();
        std::error_code ec;
        log_.close(ec);
        if (ec) std::fprintf(stderr, "close: %s\n", ec.message().c_str());
    }

private:
    struct reply {
        std::promise<wal::lsn> answer;
        std::future<wal::lsn> appended;
    };

    void work() {
        while (std::optional<request> one = requests_.take()) {
            try {
                in_flight_.put({std::move(one->answer), log_.append_async(one->text)});
            } catch (const wal::error&) {
                one->answer.set_exception(std::current_exception());
            }
        }
    }

    void respond() {
        while (std::optional<reply> one = in_flight_.take()) {
            try {
                one->answer.set_value(one->appended.get());
            } catch (const wal::error&) {
                one->answer.set_exception(std::current_exception());
            }
        }
    }

    wal::log log_;
    channel<request> requests_;
    channel<reply> in_flight_;
    std::vector<std::thread> workers_;
    std::thread responder_;
};

static int serve(const char* directory) {
    constexpr int clients = 8;
    constexpr int requests_each = 100;
    server core(directory, 4);
    std::vector<std::future<std::vector<wal::lsn>>> answers;
    for (int id = 0; id < clients; id++) {
        answers.push_back(std::async(std::launch::async, [&core, id] {
            std::vector<std::future<wal::lsn>> waiting;
            for (int i = 0; i < requests_each; i++) {
                waiting.push_back(core.handle("client " + std::to_string(id)));
            }
            std::vector<wal::lsn> answered;
            for (auto& answer : waiting) answered.push_back(answer.get());
            return answered;
        }));
    }
    std::vector<std::vector<wal::lsn>> answered;
    for (auto& answer : answers) answered.push_back(answer.get());
    core.stop();
    const wal::log log = wal::log::open(directory);
    std::size_t count = 0;
    std::size_t lost = 0;
    for (std::size_t id = 0; id < answered.size(); id++) {
        for (const wal::lsn lsn : answered[id]) {
            count++;
            if (log.read(lsn).text() != "client " + std::to_string(id)) lost++;
        }
    }
    std::printf("%zu requests answered, %zu lost\n", count, lost);
    return lost == 0 ? 0 : 1;
}

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    try {
        return serve(argv[1]);
    } catch (const std::exception& why) {
        std::fprintf(stderr, "%s\n", why.what());
        return 1;
    }
}
