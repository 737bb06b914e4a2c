// Kills examples/c/collector in the middle of its work, again and again, and sees that every message
// it has acknowledged is in its log, as the record it said.
//
//     collector_is_killed DIRECTORY COMMAND...    the collector, behind valgrind for example

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <wal.hpp>

namespace {

void require(bool good, const char* what) {
    if (good) return;
    std::fprintf(stderr, "collector_is_killed: %s\n", what);
    std::exit(1);
}

sockaddr_un address_of(const std::filesystem::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    require(path.native().size() < sizeof address.sun_path, "the path of the socket is too long");
    std::memcpy(address.sun_path, path.c_str(), path.native().size());
    return address;
}

/// A socket that sends messages and hears the acknowledgements.
class sender {
public:
    explicit sender(const std::filesystem::path& own) : fd_(socket(AF_UNIX, SOCK_DGRAM, 0)) {
        const sockaddr_un address = address_of(own);
        require(bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "bind");
    }
    ~sender() { close(fd_); }
    sender(const sender&) = delete;
    sender& operator=(const sender&) = delete;

    bool send(const sockaddr_un& to, const std::string& message) const {
        return sendto(fd_, message.data(), message.size(), MSG_DONTWAIT,
                      reinterpret_cast<const sockaddr*>(&to), sizeof to) >= 0;
    }

    /// What has been acknowledged, waited for shortly: word and LSN.
    void hear(std::map<std::string, wal::lsn>& acknowledged, int timeout_ms) const {
        pollfd descriptor{fd_, POLLIN, 0};
        char text[128];
        while (poll(&descriptor, 1, timeout_ms) == 1) {
            const ssize_t len = recv(fd_, text, sizeof text, 0);
            require(len > 0, "recv");
            const std::string told(text, static_cast<std::size_t>(len));
            acknowledged[told.substr(0, told.find(' '))] = std::stoull(told.substr(told.find(' ')));
            timeout_ms = 0;
        }
    }

private:
    int fd_;
};

pid_t start(std::vector<std::string> command) {
    const pid_t child = fork();
    require(child >= 0, "fork");
    if (child > 0) return child;
    std::vector<char*> words;
    for (std::string& word : command) words.push_back(word.data());
    words.push_back(nullptr);
    execvp(words[0], words.data());
    std::perror(words[0]);
    _exit(127);
}

}  // namespace

int main(int argc, char** argv) {
    require(argc >= 3, "usage: collector_is_killed DIRECTORY COMMAND...");
    const std::filesystem::path directory = argv[1];
    const auto log_path = directory / "log";
    std::vector<std::string> command(argv + 2, argv + argc);
    command.push_back(log_path);
    command.push_back(directory / "socket");
    const sockaddr_un collector = address_of(directory / "socket");
    const sender own(directory / "sender");
    constexpr int rounds = 4;
    constexpr std::size_t each = 300;
    std::map<std::string, wal::lsn> acknowledged;
    std::size_t number = 0;
    for (int round = 0; round < rounds; round++) {
        const pid_t child = start(command);
        const std::size_t wanted = acknowledged.size() + each;
        int patience = 6000;
        while (acknowledged.size() < wanted && patience > 0) {
            const std::string message = "m" + std::to_string(number) + " <13>unit started";
            // Nobody listens yet, or there are enough in flight: again, a little later.
            if (own.send(collector, message)) number++;
            else patience--;
            own.hear(acknowledged, number % 50 == 0 || patience < 6000 ? 10 : 0);
        }
        require(acknowledged.size() >= wanted, "the collector acknowledges nothing");
        const bool is_last = round + 1 == rounds;
        kill(child, is_last ? SIGTERM : SIGKILL);
        int status = 0;
        require(waitpid(child, &status, 0) == child, "waitpid");
        if (is_last) require(WIFEXITED(status) && WEXITSTATUS(status) == 0, "an orderly end");
        else require(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "an end by SIGKILL");
        // What was said before the end counts too.
        own.hear(acknowledged, 0);
        const wal::log log = wal::log::open(log_path);
        for (const auto& [word, lsn] : acknowledged) {
            const std::string text = log.read(lsn).bytes().to_string();
            require(text.substr(0, text.find(' ')) == word, "an acknowledged message is lost");
        }
    }
    std::printf("%zu messages acknowledged, %d kills, 0 lost\n", acknowledged.size(), rounds - 1);
    return 0;
}
