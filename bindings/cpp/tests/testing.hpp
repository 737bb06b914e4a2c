#ifndef TESTING_HPP
#define TESTING_HPP

// What the test programs share: checks that say what they saw, and a directory for their logs.

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <wal.hpp>

// Whether a sanitizer watches the program: g++ and clang++ say so in two ways.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

// A failed check ends the program: what comes after it would only add noise.
#define CHECK(condition)                                                         \
    do {                                                                         \
        if (!(condition)) {                                                      \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            std::_Exit(1);                                                       \
        }                                                                        \
    } while (0)

// The expression has to throw a `wal::error` of this kind.
#define THROWS(errc_name, expression)                                                          \
    do {                                                                                       \
        bool threw_ = false;                                                                   \
        try {                                                                                  \
            static_cast<void>(expression);                                                     \
        } catch (const wal::error& why) {                                                      \
            threw_ = true;                                                                     \
            if (why.kind() != wal::errc::errc_name) {                                          \
                std::fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #expression,       \
                             why.what());                                                      \
                std::_Exit(1);                                                                 \
            }                                                                                  \
        }                                                                                      \
        if (!threw_) std::fprintf(stderr, "%s:%d: %s throws nothing\n", __FILE__, __LINE__,    \
                                  #expression);                                                \
        if (!threw_) std::_Exit(1);                                                            \
    } while (0)

// The same call with the error code `told`: it sets this one and throws nothing.
#define TELLS(errc_name, expression)                                                           \
    do {                                                                                       \
        std::error_code told;                                                                   \
        static_cast<void>(expression);                                                         \
        if (told != wal::errc::errc_name) {                                                      \
            std::fprintf(stderr, "%s:%d: %s tells %s\n", __FILE__, __LINE__, #expression,      \
                         told.message().c_str());                                                \
            std::_Exit(1);                                                                     \
        }                                                                                      \
    } while (0)

inline std::filesystem::path test_directory;

void test();

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    test_directory = argv[1];
    try {
        test();
    } catch (const std::exception& unexpected) {
        std::fprintf(stderr, "%s: %s\n", argv[0], unexpected.what());
        return 1;
    }
    return 0;
}

#endif
