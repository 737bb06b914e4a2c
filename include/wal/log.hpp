#ifndef WAL_LOG_HPP
#define WAL_LOG_HPP

// The log itself. Included by wal.hpp.

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <future>
#include <initializer_list>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "../wal.h"

#include "calls.hpp"
#include "cursor.hpp"
#include "error.hpp"
#include "handle.hpp"
#include "options.hpp"
#include "telling.hpp"
#include "values.hpp"

namespace wal {

/// An open log. Move only. Destroying it closes it as well as it can; call `close` to learn whether
/// that worked.
///
/// Every const member may be called from any thread at once, also `close`; moving and destroying
/// may not. Cursors, records, notifiers and subscriptions keep what they need alive, in any order
/// of destruction. Calls on a log that was moved from are `errc::invalid`, on a closed one
/// `errc::closed`, on one that was inherited through fork `errc::forked`. Bytes handed in are
/// copied before the call returns.
///
/// Every call throws `wal::error`, or has a last argument that gets the `std::error_code` instead.
class log {
public:
    log() noexcept = default;

    /// Opens the log in the directory `path` for writing, and creates it if it is missing.
    ///
    /// When this returns, everything the log serves survives power loss, whatever happened before.
    /// Reads and syncs what an unclean stop left. Errors: `invalid`, `not_found`, `locked`,
    /// `corrupt`, `unsupported`, `full`, `io`.
    [[nodiscard]] static log open(const std::filesystem::path& path, const options& how = {}) {
        return opened(wal_open, path, how, detail::raise{});
    }
    [[nodiscard]] static log open(const std::filesystem::path& path, const options& how,
                                  std::error_code& ec) {
        return opened(wal_open, path, how, detail::tell{ec});
    }

    /// Opens the log for reading only, beside a live writer or after a crash. Nothing on disk is
    /// changed; appending and trimming are `invalid`. Errors: `invalid`, `not_found`, `corrupt`,
    /// `unsupported`, `io`.
    [[nodiscard]] static log open_read_only(const std::filesystem::path& path,
                                            const options& how = {}) {
        return opened(wal_open_read_only, path, how, detail::raise{});
    }
    [[nodiscard]] static log open_read_only(const std::filesystem::path& path, const options& how,
                                            std::error_code& ec) {
        return opened(wal_open_read_only, path, how, detail::tell{ec});
    }

    /// Whether there is a log: not after it was moved from, nor when opening failed.
    explicit operator bool() const noexcept { return state_ != nullptr; }

    /// Closes the log: syncs everything at whatever level, lets the lock go, ends all waits.
    /// Closing a closed log does nothing.
    ///
    /// When this returns, every record that was ever appended survives power loss. Inside a
    /// callback of the library it is deferred. Errors: `invalid`, `io`, `poisoned`, `forked`: what
    /// could not be made durable is unknown until the log is opened again; it is closed all the
    /// same.
    void close() const { call(detail::raise{}, wal_close); }
    void close(std::error_code& ec) const noexcept { call(detail::tell{ec}, wal_close); }

    /// What opening found and did, as wal.h describes it; zeros for a log that was moved from.
    [[nodiscard]] const ::wal_recovery_report& recovery() const noexcept {
        static const auto none = detail::sized<::wal_recovery_report>();
        return state_ ? state_->recovery : none;
    }

    /// Appends one record and waits until it is at its level.
    ///
    /// When this returns, the record is where `at` says: `disk`: it survives power loss; `os`: the
    /// death of the process; `buffered`: it is in memory. Waiting appends of many threads share
    /// one sync. Errors: `invalid`, `full` (surely not written), `poisoned`, `io` (the outcome is
    /// unknown until the log is reopened), `closed` (unknown too, if it was closed meanwhile),
    /// `forked`.
    lsn append(bytes_view record, level at = level::log_default) const {
        return detail::append(raw(), record, at, detail::raise{});
    }
    lsn append(bytes_view record, std::error_code& ec) const noexcept {
        return detail::append(raw(), record, level::log_default, detail::tell{ec});
    }
    lsn append(bytes_view record, level at, std::error_code& ec) const noexcept {
        return detail::append(raw(), record, at, detail::tell{ec});
    }

    /// Appends one record if it gets the LSN `expected`, else `conflict` with the next LSN in the
    /// error. It finds out what became of an append whose outcome was unknown. When this returns,
    /// the record is where `at` says.
    void append_at(lsn expected, bytes_view record, level at = level::log_default) const {
        detail::append_at(raw(), expected, record, at, detail::raise{});
    }
    void append_at(lsn expected, bytes_view record, level at, std::error_code& ec) const noexcept {
        detail::append_at(raw(), expected, record, at, detail::tell{ec});
    }

    /// Appends one record made of pieces, any range of bytes, as `append` does.
    template <typename Pieces = std::initializer_list<bytes_view>>
    lsn append_pieces(const Pieces& pieces, level at = level::log_default) const {
        return detail::append_pieces(raw(), pieces, at, detail::raise{});
    }
    template <typename Pieces = std::initializer_list<bytes_view>>
    lsn append_pieces(const Pieces& pieces, level at, std::error_code& ec) const {
        return detail::append_pieces(raw(), pieces, at, detail::tell{ec});
    }

    /// Appends records, any range of bytes, as one batch and waits until it is at its level.
    ///
    /// When this returns, all of them are; after a crash before that, either all are there or none.
    /// No other record comes in between. Errors: those of `append`, `would_block` and `timeout` as
    /// the options say.
    template <typename Records = std::initializer_list<bytes_view>>
    lsn_range append_batch(const Records& records, const append_options& how = {}) const {
        return detail::batch(raw(), wal_append_batch, records, how, detail::raise{});
    }
    template <typename Records = std::initializer_list<bytes_view>>
    lsn_range append_batch(const Records& records, const append_options& how,
                           std::error_code& ec) const {
        return detail::batch(raw(), wal_append_batch, records, how, detail::tell{ec});
    }

    /// Appends a packed batch as `append_batch` does; `invalid` when the bytes are none.
    lsn_range append_packed(bytes_view packed, level at = level::log_default) const {
        return detail::packed(raw(), wal_append_packed, packed, at, detail::raise{});
    }
    lsn_range append_packed(bytes_view packed, level at, std::error_code& ec) const noexcept {
        return detail::packed(raw(), wal_append_packed, packed, at, detail::tell{ec});
    }

    /// Appends one record without waiting for it; the future waits. Any number may be in flight:
    /// one thread for the log, started here first, settles them, woken once for each commit.
    ///
    /// When the future is ready, the record is where `how.level` says. It throws `wal::error`:
    /// `full` when the record was surely not written, else its outcome is unknown until the log is
    /// reopened. Closing and destroying the log first settle what is in flight. Blocks for room, as
    /// the options say. Errors at once: those of `submit`; the future is then not valid.
    std::future<lsn> append_async(bytes_view record, const append_options& how = {}) const {
        return async<lsn>({detail::slice(record)}, how, detail::raise{});
    }
    std::future<lsn> append_async(bytes_view record, const append_options& how,
                                  std::error_code& ec) const {
        return async<lsn>({detail::slice(record)}, how, detail::tell{ec});
    }

    /// The same with a batch: when the future is ready, all records are at their level.
    template <typename Records = std::initializer_list<bytes_view>>
    std::future<lsn_range> append_batch_async(const Records& records,
                                              const append_options& how = {}) const {
        return async<lsn_range>(detail::slices(records), how, detail::raise{});
    }
    template <typename Records = std::initializer_list<bytes_view>>
    std::future<lsn_range> append_batch_async(const Records& records, const append_options& how,
                                              std::error_code& ec) const {
        return async<lsn_range>(detail::slices(records), how, detail::tell{ec});
    }

    /// Hands one record to the engine and waits for nothing but room.
    ///
    /// When this returns, the record is in the engine's memory and will be written; wait with
    /// `wait_durable`. A write that fails later is told by whoever waits. Errors: `invalid`,
    /// `closed`, `full`, `poisoned`, `forked`.
    lsn submit(bytes_view record, level at = level::log_default) const {
        return detail::submit(raw(), record, at, detail::raise{});
    }
    lsn submit(bytes_view record, level at, std::error_code& ec) const noexcept {
        return detail::submit(raw(), record, at, detail::tell{ec});
    }

    /// The same with a batch: when this returns, it will be written as a whole. Errors also:
    /// `would_block` and `timeout` as the options say.
    template <typename Records = std::initializer_list<bytes_view>>
    lsn_range submit_batch(const Records& records, const append_options& how = {}) const {
        return detail::batch(raw(), wal_submit_batch, records, how, detail::raise{});
    }
    template <typename Records = std::initializer_list<bytes_view>>
    lsn_range submit_batch(const Records& records, const append_options& how,
                           std::error_code& ec) const {
        return detail::batch(raw(), wal_submit_batch, records, how, detail::tell{ec});
    }

    /// The same with a packed batch; `invalid` when the bytes are none.
    lsn_range submit_packed(bytes_view packed, level at = level::log_default) const {
        return detail::packed(raw(), wal_submit_packed, packed, at, detail::raise{});
    }
    lsn_range submit_packed(bytes_view packed, level at, std::error_code& ec) const noexcept {
        return detail::packed(raw(), wal_submit_packed, packed, at, detail::tell{ec});
    }

    /// Waits until everything up to `record`, which need not be appended yet, is on stable storage;
    /// returns the durable LSN, or nothing when the time was up.
    ///
    /// When this returns an LSN, the records up to it survive power loss. Errors: `invalid`,
    /// `closed`, `poisoned`, `io`, `forked`; `full` when the record that had this LSN was refused
    /// for want of room, until the LSN is issued again.
    std::optional<lsn> wait_durable(lsn record, std::chrono::milliseconds timeout = forever) const {
        return detail::wait_durable(raw(), record, timeout, detail::raise{});
    }
    std::optional<lsn> wait_durable(lsn record, std::chrono::milliseconds timeout,
                                    std::error_code& ec) const noexcept {
        return detail::wait_durable(raw(), record, timeout, detail::tell{ec});
    }

    /// Syncs the log, whatever the levels of its records. When this returns, everything appended
    /// before the call survives power loss; the durable LSN, if there is a record. Errors: those of
    /// `wait_durable`.
    std::optional<lsn> sync() const { return detail::sync(raw(), detail::raise{}); }
    std::optional<lsn> sync(std::error_code& ec) const noexcept {
        return detail::sync(raw(), detail::tell{ec});
    }

    /// The first and last record readers see, the last one on stable storage, in the kernel, and
    /// handed to the engine; nothing if there is none. Never block, never fail.
    [[nodiscard]] std::optional<lsn> first_lsn() const noexcept {
        return detail::if_any(wal_first_lsn(raw()));
    }
    [[nodiscard]] std::optional<lsn> last_lsn() const noexcept {
        return detail::if_any(wal_last_lsn(raw()));
    }
    [[nodiscard]] std::optional<lsn> durable_lsn() const noexcept {
        return detail::if_any(wal_durable_lsn(raw()));
    }
    [[nodiscard]] std::optional<lsn> written_lsn() const noexcept {
        return detail::if_any(wal_written_lsn(raw()));
    }
    [[nodiscard]] std::optional<lsn> submitted_lsn() const noexcept {
        return detail::if_any(wal_submitted_lsn(raw()));
    }
    /// The LSN the next record gets, unless another thread takes it; 0 for a log moved from.
    [[nodiscard]] lsn next_lsn() const noexcept { return wal_next_lsn(raw()); }

    /// The record, without a copy. Errors: `invalid`, `not_found`, `trimmed`, `truncated`,
    /// `corrupt`, `io`, `closed`, `forked`. May read from the disk, as all that reads.
    [[nodiscard]] record read(lsn at) const { return detail::read(raw(), at, detail::raise{}); }
    [[nodiscard]] record read(lsn at, std::error_code& ec) const noexcept {
        return detail::read(raw(), at, detail::tell{ec});
    }

    /// Copies the record to `capacity` bytes at `buffer` and returns its length. Where that is more
    /// than `capacity`, nothing was copied. Errors: those of `read`.
    std::size_t read_into(lsn at, void* buffer, std::size_t capacity) const {
        return detail::read_into(raw(), at, buffer, capacity, detail::raise{});
    }
    std::size_t read_into(lsn at, void* buffer, std::size_t capacity,
                          std::error_code& ec) const noexcept {
        return detail::read_into(raw(), at, buffer, capacity, detail::tell{ec});
    }

    /// When the record was committed. Errors: those of `read`.
    [[nodiscard]] timestamp time_of(lsn at) const {
        return detail::time_of(raw(), at, detail::raise{});
    }
    [[nodiscard]] timestamp time_of(lsn at, std::error_code& ec) const noexcept {
        return detail::time_of(raw(), at, detail::tell{ec});
    }

    /// A cursor: `for (const wal::record& r : log.open_cursor())`. Errors: those of `read`.
    [[nodiscard]] cursor open_cursor(position from = position::first()) const {
        return detail::open_at<cursor>(raw(), wal_cursor_open, from, detail::raise{});
    }
    [[nodiscard]] cursor open_cursor(position from, std::error_code& ec) const noexcept {
        return detail::open_at<cursor>(raw(), wal_cursor_open, from, detail::tell{ec});
    }

    /// A follower, which waits for what is appended later. Errors: those of `read`.
    [[nodiscard]] follower open_follower(position from = position::first()) const {
        return detail::open_at<follower>(raw(), wal_follower_open, from, detail::raise{});
    }
    [[nodiscard]] follower open_follower(position from, std::error_code& ec) const noexcept {
        return detail::open_at<follower>(raw(), wal_follower_open, from, detail::tell{ec});
    }

    /// Calls `f(const record_view&)` for every record from `from` to the end, in the order of LSNs;
    /// if it returns a bool, false stops. Returns the last record delivered, if there was one. What
    /// it throws goes on from here. Errors: those of `read`; the records before were delivered.
    template <typename F>
    std::optional<lsn> replay(position from, F&& f) const {
        return detail::replay(raw(), from, f, detail::raise{});
    }
    template <typename F>
    std::optional<lsn> replay(position from, F&& f, std::error_code& ec) const {
        return detail::replay(raw(), from, f, detail::tell{ec});
    }

    /// The same on `threads` threads (0 for one per core): with `order::of_log` one call at a time,
    /// in the order of LSNs; with `order::of_segments` several calls at once, in order within a
    /// segment. Returns how many records were delivered.
    template <typename F>
    std::uint64_t replay_parallel(position from, std::uint32_t threads, order kept, F&& f) const {
        return detail::replay_parallel(raw(), from, threads, kept, f, detail::raise{});
    }
    template <typename F>
    std::uint64_t replay_parallel(position from, std::uint32_t threads, order kept, F&& f,
                                  std::error_code& ec) const {
        return detail::replay_parallel(raw(), from, threads, kept, f, detail::tell{ec});
    }

    /// Drops every record before `before`; returns the first one still there, if any. When this
    /// returns, they are gone for every reader, also after power loss. LSNs go on counting; cursors
    /// before get `trimmed`. Errors of all that change: `invalid` (beyond the next LSN), `closed`,
    /// `poisoned`, `io`, `forked`. One sync.
    std::optional<lsn> trim(lsn before) const {
        return detail::trim(raw(), before, detail::raise{});
    }
    std::optional<lsn> trim(lsn before, std::error_code& ec) const noexcept {
        return detail::trim(raw(), before, detail::tell{ec});
    }

    /// Drops every record after `after`, also inside a batch. When this returns, they are gone,
    /// also after power loss, and never come back. Cursors beyond get `truncated`. Errors also:
    /// `trimmed`.
    void truncate(lsn after) const { call(detail::raise{}, wal_truncate, after); }
    void truncate(lsn after, std::error_code& ec) const noexcept {
        call(detail::tell{ec}, wal_truncate, after);
    }

    /// Empties the log; the next record gets the LSN `next`. When this returns, it is empty, also
    /// after power loss.
    void reset_to(lsn next) const { call(detail::raise{}, wal_reset_to, next); }
    void reset_to(lsn next, std::error_code& ec) const noexcept {
        call(detail::tell{ec}, wal_reset_to, next);
    }

    /// The key-value state beside the records.
    [[nodiscard]] wal::values values() const noexcept { return wal::values(raw()); }

    /// Copies the log, while it is in use, to a new log with an identity of its own. When this
    /// returns, the copy survives power loss. Errors: `invalid` when there is something at `path`,
    /// `full`, and those of `read`.
    ::wal_copy_report copy_to(const std::filesystem::path& path) const {
        return detail::copy_to(raw(), path, detail::raise{});
    }
    ::wal_copy_report copy_to(const std::filesystem::path& path,
                              std::error_code& ec) const noexcept {
        return detail::copy_to(raw(), path, detail::tell{ec});
    }

    /// A descriptor of the durable LSN. Errors: `invalid`, `io`, `closed`, `forked`.
    [[nodiscard]] notifier open_notifier() const {
        return detail::open<notifier>(raw(), wal_notifier_open, detail::raise{});
    }
    [[nodiscard]] notifier open_notifier(std::error_code& ec) const noexcept {
        return detail::open<notifier>(raw(), wal_notifier_open, detail::tell{ec});
    }

    /// Appends in flight for an event loop. Errors: `invalid`, `io`, `closed`, `forked`.
    [[nodiscard]] completions open_completions() const {
        return detail::open<completions>(raw(), wal_completions_open, detail::raise{});
    }
    [[nodiscard]] completions open_completions(std::error_code& ec) const noexcept {
        return detail::open<completions>(raw(), wal_completions_open, detail::tell{ec});
    }

    /// Has `durable(lsn)` called on a thread of the library after each advance of the durable LSN,
    /// often once for many records, and `failed(error)`, which may be empty, once when the log is
    /// poisoned, as long as the subscription lives. One call at a time; inside, everything may be
    /// called, and closing is deferred. They must not throw: that is `std::terminate`. Errors:
    /// `invalid`, `closed`, `forked`.
    [[nodiscard]] subscription on_durable(std::function<void(lsn)> durable,
                                          std::function<void(const error&)> failed = {}) const {
        return detail::on_durable(raw(), std::move(durable), std::move(failed), detail::raise{});
    }
    [[nodiscard]] subscription on_durable(std::function<void(lsn)> durable,
                                          std::function<void(const error&)> failed,
                                          std::error_code& ec) const {
        return detail::on_durable(raw(), std::move(durable), std::move(failed), detail::tell{ec});
    }

    /// The log's state, as wal.h describes it. Errors: `invalid`, `closed`, `forked`.
    [[nodiscard]] ::wal_stats stats() const { return detail::stats(raw(), detail::raise{}); }
    [[nodiscard]] ::wal_stats stats(std::error_code& ec) const noexcept {
        return detail::stats(raw(), detail::tell{ec});
    }

    /// Its segments, oldest first; the last is the active one. Errors: those of `stats`.
    [[nodiscard]] std::vector<::wal_segment> segments() const {
        return detail::segments(raw(), detail::raise{});
    }
    [[nodiscard]] std::vector<::wal_segment> segments(std::error_code& ec) const {
        return detail::segments(raw(), detail::tell{ec});
    }

    /// Throws what keeps the log from appending, if anything: `poisoned`, with the first cause.
    void check_poisoned() const { call(detail::raise{}, wal_poisoned); }
    void check_poisoned(std::error_code& ec) const noexcept {
        call(detail::tell{ec}, wal_poisoned);
    }

    /// The directory the log is in. Errors: `invalid`.
    [[nodiscard]] std::filesystem::path path() const {
        return detail::path(raw(), detail::raise{});
    }
    [[nodiscard]] std::filesystem::path path(std::error_code& ec) const {
        return detail::path(raw(), detail::tell{ec});
    }

    /// The log's 128-bit identity. Errors: `invalid`.
    [[nodiscard]] std::array<std::byte, 16> uuid() const {
        return detail::uuid(raw(), detail::raise{});
    }
    [[nodiscard]] std::array<std::byte, 16> uuid(std::error_code& ec) const noexcept {
        return detail::uuid(raw(), detail::tell{ec});
    }

    /// The handle of the C ABI, which stays the log's; null if it was moved from.
    [[nodiscard]] const wal_log* raw() const noexcept {
        return state_ ? state_->handle.get() : nullptr;
    }

private:
    template <typename Fail, typename Function, typename... Arguments>
    void call(Fail fail, Function function, Arguments... arguments) const
        noexcept(Fail::is_silent) {
        detail::reason why;
        fail(function(raw(), arguments..., why.out()), why);
    }

    template <typename Fail>
    static log opened(detail::open_function how, const std::filesystem::path& path,
                      const options& given, Fail fail) {
        log found;
        found.state_ = detail::log_state::open(how, path, given, fail);
        return found;
    }

    template <typename T, typename Fail>
    std::future<T> async(const std::vector<wal_slice>& records, const append_options& how,
                         Fail fail) const {
        detail::promises* settling = detail::log_state::promises_of(state_.get(), fail);
        if (settling == nullptr) return {};
        return settling->submit<T>(records.data(), records.size(), how, fail);
    }

    std::unique_ptr<detail::log_state> state_;
};

}  // namespace wal

#endif
