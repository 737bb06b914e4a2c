// A line of a scenario, understood.
#include "line.hpp"

#include <algorithm>

#include "content.hpp"

static std::vector<std::string> split(const std::string& text, char at) {
    std::vector<std::string> parts;
    std::size_t begin = 0;
    for (std::size_t end = 0; end != std::string::npos; begin = end + 1) {
        end = text.find(at, begin);
        parts.push_back(text.substr(begin, end - begin));
    }
    return parts;
}

line::line(const std::string& text) {
    std::vector<std::string> parts = split(text, ' ');
    name_ = parts.front();
    for (std::size_t at = 1; at < parts.size(); at++) {
        const std::size_t equals = parts[at].find('=');
        if (equals == std::string::npos) throw misread("no operation", text);
        words_.push_back({parts[at].substr(0, equals), parts[at].substr(equals + 1), false});
    }
}

void line::end() const {
    for (const word_of& word : words_) {
        if (!word.is_taken) throw misread("a word nobody knows", word.key);
    }
}

std::optional<std::string> line::optional(std::string_view key) {
    for (word_of& word : words_) {
        if (word.key != key) continue;
        word.is_taken = true;
        return word.value;
    }
    return std::nullopt;
}

std::string line::word(std::string_view key) {
    std::optional<std::string> found = optional(key);
    if (!found) throw misread("lacks a word", key);
    return *found;
}

std::string line::word_or(std::string_view key, std::string_view otherwise) {
    return optional(key).value_or(std::string(otherwise));
}

std::uint64_t whole_number(const std::string& text) {
    std::uint64_t value = 0;
    if (text.empty()) throw misread("no number", text);
    for (const char digit : text) {
        if (digit < '0' || digit > '9') throw misread("no number", text);
        value = value * 10 + static_cast<std::uint64_t>(digit - '0');
    }
    return value;
}

std::uint64_t line::number(std::string_view key) { return whole_number(word(key)); }

std::optional<std::uint64_t> line::number_if_any(std::string_view key) {
    const std::optional<std::string> found = optional(key);
    return found ? std::make_optional(whole_number(*found)) : std::nullopt;
}

std::optional<bool> line::yes(std::string_view key) {
    return choice<bool>(key, {{"0", false}, {"1", true}});
}

std::optional<wal::level> line::level() {
    return choice<wal::level>("level", {{"buffered", wal::level::buffered},
                                        {"os", wal::level::os},
                                        {"disk", wal::level::disk}});
}

static int digit(char text) {
    if (text >= '0' && text <= '9') return text - '0';
    if (text >= 'a' && text <= 'f') return text - 'a' + 10;
    throw misread("no hexadecimal digit", std::string(1, text));
}

std::string literal(const std::string& text) {
    const std::size_t colon = text.find(':');
    const std::string kind = text.substr(0, colon);
    const std::string rest = colon == std::string::npos ? "" : text.substr(colon + 1);
    if (kind == "text") return rest;
    if (kind == "zeros") return std::string(whole_number(rest), '\0');
    if (kind == "hex") {
        std::string bytes;
        for (std::size_t at = 0; at + 1 < rest.size(); at += 2) {
            bytes.push_back(static_cast<char>(digit(rest[at]) << 4 | digit(rest[at + 1])));
        }
        return bytes;
    }
    const std::vector<std::string> parts = split(rest, ':');
    if (kind != "pattern" || parts.size() != 2) throw misread("no literal", text);
    return pattern(whole_number(parts[0]), whole_number(parts[1]));
}

std::string line::bytes(std::string_view key) { return literal(word(key)); }

std::vector<std::string> line::items(std::string_view key) {
    const std::string list = word(key);
    return list.empty() ? std::vector<std::string>{} : split(list, ',');
}

std::vector<std::string> line::bytes_list(std::string_view key) {
    std::vector<std::string> list = items(key);
    std::transform(list.begin(), list.end(), list.begin(), literal);
    return list;
}

wal::timestamp time_of(std::uint64_t nanoseconds) {
    return wal::timestamp(std::chrono::nanoseconds(static_cast<std::int64_t>(nanoseconds)));
}

wal::position line::position(std::string_view key) {
    const std::string value = word(key);
    if (value == "first") return wal::position::first();
    if (value == "end") return wal::position::end();
    if (value.rfind("time:", 0) == 0) {
        return wal::position::at_time(time_of(whole_number(value.substr(5))));
    }
    return wal::position::at(whole_number(value));
}
