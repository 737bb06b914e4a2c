#ifndef WAL_HPP
#define WAL_HPP

// libwal for C++17 and later: an embeddable, crash-safe write-ahead log. Header only, over wal.h.
//
//     wal::log log = wal::log::open("orders");
//     wal::lsn lsn = log.append("order 1");             // survives power loss when it returns
//     for (const wal::record& record : log.open_cursor()) use(record.lsn(), record.text());
//     log.close();
//
// Durability, threads, callbacks and fork are as wal.h says at its top. What C++ adds:
//
// Ownership. Objects are move only and release what they hold; any order of destruction is safe.
// Views (`bytes_view`, `record_view`, `packed_view`) own nothing: they are good as long as the
// record, the buffer or the call they come from.
//
// Errors. A call throws `wal::error`, a `std::system_error` whose `kind()` says what to do next, or
// is given a `std::error_code` as its last argument, which it sets or clears. What a call returns
// with an error set is empty or 0. Codes compare with `wal::errc`, and with `std::errc` where the
// standard has the word.
//
// Absence is `std::nullopt`: no record, no LSN, no value, and a wait whose time was up.
//
// Callbacks that run on the calling thread may throw: the call ends, and the exception goes on from
// it. On a thread of the library they must not.

#include "wal/bytes.hpp"
#include "wal/check.hpp"
#include "wal/cursor.hpp"
#include "wal/error.hpp"
#include "wal/log.hpp"
#include "wal/options.hpp"
#include "wal/telling.hpp"
#include "wal/values.hpp"

#endif
