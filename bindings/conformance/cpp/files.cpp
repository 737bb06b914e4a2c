// What is done to files without the library.
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "runner.hpp"

namespace fs = std::filesystem;

static void must(bool done, const fs::path& what) {
    if (!done) throw misread("a file", what.string());
}

static void unpack(session& kept, line& of) {
    const fs::path directory = kept.path(of);
    const fs::path name = kept.golden / (of.word("name") + ".golden");
    std::ifstream text(name);
    must(text.is_open() && fs::create_directory(directory), name);
    fs::path file;
    for (std::string row; std::getline(text, row);) {
        if (row.empty() || row.front() == '#') continue;
        std::istringstream words(row);
        std::string first;
        std::string second;
        words >> first >> second;
        if (first == "file") {
            std::uintmax_t len = 0;
            words >> len;
            file = directory / second;
            must(std::ofstream(file).good(), file);
            fs::resize_file(file, len);
            continue;
        }
        std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
        bytes.seekp(static_cast<std::streamoff>(whole_number(first)));
        bytes << literal("hex:" + second);
        must(bytes.good(), file);
    }
    say("ok");
}

static void snapshot(session& kept, line& of) {
    const fs::path target = kept.path(of, "to");
    fs::create_directory(target);
    for (const fs::directory_entry& entry : fs::directory_iterator(kept.path(of))) {
        std::error_code gone;
        fs::copy_file(entry.path(), target / entry.path().filename(), gone);
        must(!gone || gone == std::errc::no_such_file_or_directory, entry.path());
    }
    say("ok");
}

static void damage(session& kept, line& of) {
    const fs::path path = kept.path(of) / of.word("file");
    const auto offset = static_cast<std::streamoff>(of.number("offset"));
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(offset);
    const int byte = file.get();
    file.seekp(offset);
    file.put(static_cast<char>(byte ^ static_cast<int>(of.number("xor"))));
    must(file.good(), path);
    say("ok");
}

static void cut_file(session& kept, line& of) {
    fs::resize_file(kept.path(of) / of.word("file"), of.number("length"));
    say("ok");
}

static void remove_file(session& kept, line& of) {
    must(fs::remove(kept.path(of) / of.word("file")), "remove_file");
    say("ok");
}

static void remove_dir(session& kept, line& of) {
    // A log that is open may make a file meanwhile.
    std::error_code ec;
    for (int tries = 0; tries < 100; tries++) {
        fs::remove_all(kept.path(of), ec);
        if (!ec) break;
    }
    must(!ec, "remove_dir");
    say("ok");
}

static void make_file(session& kept, line& of) {
    must(std::ofstream(kept.path(of)).good(), "make_file");
    say("ok");
}

static void exists(session& kept, line& of) {
    say("ok exists=%d", fs::exists(kept.path(of)) ? 1 : 0);
}

static void sleep(session& /*kept*/, line& of) {
    std::this_thread::sleep_for(
        std::chrono::milliseconds(static_cast<std::int64_t>(of.number("ms"))));
    say("ok");
}

bool files(session& kept, line& of) {
    return take(kept, of, {{"golden", unpack},
                           {"snapshot", snapshot},
                           {"damage", damage},
                           {"cut_file", cut_file},
                           {"remove_file", remove_file},
                           {"remove_dir", remove_dir},
                           {"make_file", make_file},
                           {"exists", exists},
                           {"sleep", sleep}});
}
