// Lines of the transcript.
#include <algorithm>
#include <cctype>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "content.hpp"
#include "runner.hpp"

void say(const char* format, ...) {
    std::va_list arguments;
    va_start(arguments, format);
    std::vprintf(format, arguments);
    va_end(arguments);
    std::putchar('\n');
}

std::string kind_name(std::int32_t code) {
    std::string name = wal_code_name(code) + std::strlen("WAL_ERR_");
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return name;
}

void refuse(const wal::error& why) {
    std::string text = "error " + kind_name(why.code().value());
    if (why.lsn()) text += " lsn=" + std::to_string(*why.lsn());
    if (why.segment()) {
        text += " segment=" + std::to_string(*why.segment());
        text += " offset=" + std::to_string(why.offset());
    }
    say("%s", text.c_str());
}

std::string bytes_text(wal::bytes_view bytes) {
    char part[32];
    if (bytes.size() > 32) {
        std::snprintf(part, sizeof part, "%zu:%08x", bytes.size(), crc32_of(0, bytes));
        return part;
    }
    std::string text = "hex:";
    for (const std::byte byte : bytes) {
        std::snprintf(part, sizeof part, "%02x", std::to_integer<unsigned>(byte));
        text += part;
    }
    return text;
}

std::string or_dash(std::optional<wal::lsn> lsn) { return lsn ? std::to_string(*lsn) : "-"; }

std::string or_dash(wal::lsn lsn) { return lsn == 0 ? "-" : std::to_string(lsn); }

std::string case_name(std::int32_t recovery_case) {
    switch (recovery_case) {
        case WAL_RECOVERY_CREATED: return "created";
        case WAL_RECOVERY_CLEAN: return "clean";
        case WAL_RECOVERY_WHOLE: return "whole";
        case WAL_RECOVERY_TORN_TAIL: return "torn-tail";
        default: return "other";
    }
}

std::string record_text(wal::lsn lsn, bool more, wal::bytes_view bytes) {
    return "lsn=" + std::to_string(lsn) + " more=" + (more ? "1" : "0") +
           " bytes=" + bytes_text(bytes);
}
