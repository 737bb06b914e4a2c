#ifndef CONFORMANCE_RUNNER_HPP
#define CONFORMANCE_RUNNER_HPP

// What the parts of the runner share: what is kept between lines, and what is printed.

#include <filesystem>
#include <map>
#include <string>
#include <exception>

#include <wal.hpp>

#include "line.hpp"


/// What is kept between the lines of a scenario, by name.
struct session {
    std::filesystem::path scratch;
    std::filesystem::path golden;
    std::map<std::string, wal::log> logs;
    std::map<std::string, wal::cursor> cursors;
    std::map<std::string, wal::follower> followers;
    struct in_flight {
        std::string log;
        wal::lsn_range lsns;
        std::exception_ptr refusal;
    };
    std::map<std::string, in_flight> tickets;

    wal::log& log(line& of);
    wal::cursor& cursor(line& of);
    wal::follower& follower(line& of);
    [[nodiscard]] std::filesystem::path path(line& of, std::string_view key = "dir") const;
};

// The operations: each returns false when the line is none of its own.
bool opening(session& kept, line& of);
bool appending(session& kept, line& of);
bool telling(session& kept, line& of);
bool reading(session& kept, line& of);
bool following(session& kept, line& of);
bool changing(session& kept, line& of);
bool looking(session& kept, line& of);
bool files(session& kept, line& of);

// kills.cpp
int write_until_killed(const std::filesystem::path& path, std::uint64_t count, std::uint64_t seed);
int read_back(const std::filesystem::path& path);

// answer.cpp
void say(const char* format, ...) __attribute__((format(printf, 1, 2)));
void refuse(const wal::error& why);
std::string kind_name(std::int32_t code);
std::string bytes_text(wal::bytes_view bytes);
std::string or_dash(std::optional<wal::lsn> lsn);
std::string or_dash(wal::lsn lsn);
std::string case_name(std::int32_t recovery_case);
std::string record_text(wal::lsn lsn, bool more, wal::bytes_view bytes);

/// Finds the operation of a line among those of a part.
using operation = void (*)(session&, line&);
inline bool take(session& kept, line& of,
                 std::initializer_list<std::pair<std::string_view, operation>> operations) {
    for (const auto& [name, call] : operations) {
        if (name != of.name()) continue;
        call(kept, of);
        return true;
    }
    return false;
}

#endif
