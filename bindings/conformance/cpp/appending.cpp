// Appending, and waiting for it.
#include <cinttypes>

#include "runner.hpp"

using std::chrono::milliseconds;

/// As signed as the numbers of a duration are; the largest is for ever.
static milliseconds span_of(std::uint64_t number) {
    return milliseconds(static_cast<std::int64_t>(number));
}

static wal::append_options options_of(line& of) {
    wal::append_options how;
    how.level = of.level().value_or(wal::level::log_default);
    const std::string wait = of.word_or("wait", "block");
    if (wait == "try") how.wait = milliseconds(0);
    else if (wait != "block") how.wait = span_of(whole_number(wait));
    if (const auto time = of.number_if_any("time")) how.time = time_of(*time);
    return how;
}

static void told_range(wal::lsn_range lsns) {
    say("ok first=%" PRIu64 " last=%" PRIu64, lsns.first, lsns.last);
}

static void append(session& kept, line& of) {
    const bool is_plain = !of.optional("wait") && !of.optional("time");
    const std::string record = of.bytes("record");
    const wal::append_options how = options_of(of);
    const wal::log& log = kept.log(of);
    const wal::lsn lsn = is_plain ? log.append(record, how.level)
                                  : log.append_batch(std::vector{record}, how).first;
    say("ok lsn=%" PRIu64, lsn);
}

static void append_batch(session& kept, line& of) {
    told_range(kept.log(of).append_batch(of.bytes_list("records"), options_of(of)));
}

static void append_packed(session& kept, line& of) {
    wal::packed_batch packed;
    for (const std::string& record : of.bytes_list("records")) packed.add(record);
    told_range(kept.log(of).append_packed(packed.bytes()));
}

static void append_vectored(session& kept, line& of) {
    say("ok lsn=%" PRIu64, kept.log(of).append_pieces(of.bytes_list("pieces")));
}

static void append_at(session& kept, line& of) {
    const wal::lsn lsn = of.number("lsn");
    const std::string record = of.bytes("record");
    kept.log(of).append_at(lsn, record);
    say("ok lsn=%" PRIu64, lsn);
}

static void submit(session& kept, line& of) {
    session::in_flight taken;
    const wal::log& log = kept.log(of);
    taken.log = of.word_or("log", "log");
    const wal::append_options how = options_of(of);
    try {
        if (of.name() == "submit") {
            taken.lsns.first = log.submit(of.bytes("record"), how.level);
            taken.lsns.last = taken.lsns.first;
        } else {
            taken.lsns = log.submit_batch(of.bytes_list("records"), how);
        }
    } catch (const wal::error&) {
        taken.refusal = std::current_exception();
    }
    kept.tickets.insert_or_assign(of.word_or("ticket", "ticket"), taken);
    say("ok");
}

static void wait(session& kept, line& of) {
    const std::string name = of.word_or("ticket", "ticket");
    const auto found = kept.tickets.find(name);
    if (found == kept.tickets.end()) throw misread("nothing of this name", name);
    const milliseconds timeout = span_of(of.number_if_any("timeout_ms").value_or(UINT64_MAX));
    const session::in_flight ended = found->second;
    kept.tickets.erase(found);
    if (ended.refusal) std::rethrow_exception(ended.refusal);
    if (kept.logs.at(ended.log).wait_durable(ended.lsns.last, timeout)) {
        told_range(ended.lsns);
        return;
    }
    // The time was up: it can be waited for again.
    kept.tickets.emplace(name, ended);
    say("error timeout");
}

static void append_async(session& kept, line& of) {
    const wal::log& log = kept.log(of);
    std::vector<std::future<wal::lsn>> futures;
    for (const std::string& record : of.bytes_list("records")) {
        futures.push_back(log.append_async(record));
    }
    std::string lsns;
    for (auto& future : futures) lsns += (lsns.empty() ? "" : ",") + std::to_string(future.get());
    say("ok lsns=%s", lsns.c_str());
}

static void wait_durable(session& kept, line& of) {
    const milliseconds timeout = span_of(of.number_if_any("timeout_ms").value_or(UINT64_MAX));
    const bool is_there = kept.log(of).wait_durable(of.number("lsn"), timeout).has_value();
    say(is_there ? "ok" : "error timeout");
}

static void sync(session& kept, line& of) {
    say("ok durable=%s", or_dash(kept.log(of).sync()).c_str());
}

static void lsns(session& kept, line& of) {
    const wal::log& log = kept.log(of);
    say("ok first=%s last=%s durable=%s written=%s submitted=%s next=%" PRIu64,
        or_dash(log.first_lsn()).c_str(), or_dash(log.last_lsn()).c_str(),
        or_dash(log.durable_lsn()).c_str(), or_dash(log.written_lsn()).c_str(),
        or_dash(log.submitted_lsn()).c_str(), log.next_lsn());
}

bool appending(session& kept, line& of) {
    return take(kept, of, {{"append", append},
                           {"append_batch", append_batch},
                           {"append_packed", append_packed},
                           {"append_vectored", append_vectored},
                           {"append_at", append_at},
                           {"submit", submit},
                           {"submit_batch", submit},
                           {"wait", wait},
                           {"append_async", append_async},
                           {"wait_durable", wait_durable},
                           {"sync", sync},
                           {"lsns", lsns}});
}
