#ifndef CONFORMANCE_LINE_HPP
#define CONFORMANCE_LINE_HPP

// A line of a scenario: an operation and its words, which are taken out by name.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <wal.hpp>

/// A line that cannot be understood: ends the program with exit code 2.
class misread : public std::runtime_error {
public:
    misread(std::string_view why, std::string_view what)
        : std::runtime_error(std::string(why) + ": " + std::string(what)) {}
};

class line {
public:
    explicit line(const std::string& text);

    [[nodiscard]] const std::string& name() const { return name_; }

    std::optional<std::string> optional(std::string_view key);
    std::string word(std::string_view key);
    std::string word_or(std::string_view key, std::string_view otherwise);
    std::uint64_t number(std::string_view key);
    std::optional<std::uint64_t> number_if_any(std::string_view key);
    std::optional<bool> yes(std::string_view key);
    std::string bytes(std::string_view key);
    std::vector<std::string> bytes_list(std::string_view key);
    std::vector<std::string> items(std::string_view key);
    wal::position position(std::string_view key);
    std::optional<wal::level> level();

    /// One of several names, each with its value.
    template <typename T>
    std::optional<T> choice(std::string_view key,
                            std::initializer_list<std::pair<std::string_view, T>> values) {
        const std::optional<std::string> found = optional(key);
        if (!found) return std::nullopt;
        for (const auto& [name, value] : values) {
            if (name == *found) return value;
        }
        throw misread("no such value", *found);
    }

    /// Sees that every word was taken.
    void end() const;

private:
    struct word_of {
        std::string key;
        std::string value;
        bool is_taken;
    };
    std::string name_;
    std::vector<word_of> words_;
};

/// Bytes as a scenario writes them.
std::string literal(const std::string& text);
std::uint64_t whole_number(const std::string& text);
wal::timestamp time_of(std::uint64_t nanoseconds);

#endif
