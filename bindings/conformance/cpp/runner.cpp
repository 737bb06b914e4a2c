// The conformance runner in C++: run SCENARIO SCRATCH, write DIR COUNT SEED, read DIR.
#include "runner.hpp"

#include <cstdio>
#include <fstream>

template <typename T>
static T& kept_as(std::map<std::string, T>& kept, line& of, std::string_view kind) {
    const auto found = kept.find(of.word_or(kind, kind));
    if (found == kept.end()) throw misread("nothing of this name", kind);
    return found->second;
}

wal::log& session::log(line& of) { return kept_as(logs, of, "log"); }
wal::cursor& session::cursor(line& of) { return kept_as(cursors, of, "cursor"); }
wal::follower& session::follower(line& of) { return kept_as(followers, of, "follower"); }

std::filesystem::path session::path(line& of, std::string_view key) const {
    return scratch / (key == "dir" ? of.word_or(key, "log") : of.word(key));
}

static void take_line(session& kept, const std::string& text) {
    line of(text);
    say("> %s", text.c_str());
    try {
        bool is_taken = false;
        for (const auto part : {opening, appending, telling, reading, following, changing, looking,
                                files}) {
            is_taken = is_taken || part(kept, of);
        }
        if (!is_taken) throw misread("no such operation", text);
    } catch (const wal::error& why) {
        refuse(why);
    }
    of.end();
}

static int run(const std::filesystem::path& scenario, const std::filesystem::path& scratch) {
    std::ifstream file(scenario);
    if (!file) throw misread("cannot be opened", scenario.string());
    session kept;
    kept.scratch = scratch;
    kept.golden = scenario.parent_path() / ".." / "golden";
    for (std::string text; std::getline(file, text);) {
        if (!text.empty() && text.front() != '#') take_line(kept, text);
    }
    return 0;
}

int main(int count, char** words) {
    const std::vector<std::string> given(words + 1, words + count);
    try {
        if (given.size() == 3 && given[0] == "run") return run(given[1], given[2]);
        if (given.size() == 4 && given[0] == "write") {
            return write_until_killed(given[1], whole_number(given[2]), whole_number(given[3]));
        }
        if (given.size() == 2 && given[0] == "read") return read_back(given[1]);
        std::fprintf(stderr,
                     "usage: runner run SCENARIO SCRATCH | write DIR COUNT SEED | read DIR\n");
        return 2;
    } catch (const misread& why) {
        std::fprintf(stderr, "runner: %s\n", why.what());
        return 2;
    } catch (const std::exception& why) {
        std::fprintf(stderr, "runner: %s\n", why.what());
        return 1;
    }
}
