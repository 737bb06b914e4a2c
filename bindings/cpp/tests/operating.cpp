// Options, errors, values, trimming, stats, copies, checks and repair.
#include "testing.hpp"

#include <sys/resource.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <map>
#include <vector>
#if __cplusplus >= 202002L
#include <ranges>
#include <span>

static_assert(std::input_iterator<wal::cursor::iterator>);
static_assert(std::ranges::input_range<wal::cursor>);
static_assert(std::ranges::input_range<wal::packed_view>);
static_assert(std::ranges::contiguous_range<wal::bytes_view>);
#endif

using namespace std::string_view_literals;

static void views() {
    const wal::bytes_view none;
    CHECK(none.empty() && none.size() == 0 && none == wal::bytes_view("") && none.text().empty());
    CHECK(none.begin() == none.end() && none.data() == nullptr);
    const std::string text("a\0b", 3);
    const wal::bytes_view view = text;
    CHECK(view.size() == 3 && view[1] == std::byte{0} && view.text() == "a\0b"sv);
    CHECK(view.to_vector().size() == 3 && view.to_string() == text && view != none);
    CHECK(wal::bytes_view("a\0b") == wal::bytes_view("a"));
    std::size_t count = 0;
    for (const std::byte byte : view) count += static_cast<std::size_t>(byte != std::byte{0});
    CHECK(count == 2);
#if __cplusplus >= 202002L
    const std::span<const std::byte> span = view;
    CHECK(span.size() == 3 && span.data() == view.data() && view.span().size() == 3);
    CHECK(wal::bytes_view(span) == view);
#endif
}

static void unset_options_are_the_defaults_of_the_library() {
    wal_options defaults{};
    CHECK(wal_options_init(&defaults, sizeof defaults) == WAL_OK);
    const wal_options unset = wal::detail::of(wal::options{});
    CHECK(std::memcmp(&unset, &defaults, sizeof unset) == 0);
    wal::options all;
    all.level = wal::level::os;
    all.sync_every = std::chrono::seconds(1);
    all.sync_bytes = 2;
    all.segment_bytes = 3;
    all.record_bytes_max = 4;
    all.batch_bytes_max = 5;
    all.ring_bytes = 6;
    all.max_batch_delay = std::chrono::milliseconds(7);
    all.max_batch_bytes = 8;
    all.max_bytes = 9;
    all.at_capacity = wal::at_capacity::trim_oldest;
    all.io = wal::io::direct;
    all.retention_bytes = 10;
    all.retention_age = std::chrono::minutes(1);
    all.retention_records = 11;
    all.lock_wait = std::chrono::milliseconds(12);
    all.first_lsn = 13;
    all.create = false;
    all.read_mode = wal::read_mode::pread;
    all.pad_to_block = true;
    const wal_options set = wal::detail::of(all);
    CHECK(set.level == WAL_LEVEL_OS && set.sync_every_ms == 1000 && set.sync_bytes == 2);
    CHECK(set.segment_bytes == 3 && set.record_bytes_max == 4 && set.batch_bytes_max == 5);
    CHECK(set.ring_bytes == 6 && set.max_batch_delay_us == 7000 && set.max_batch_bytes == 8);
    CHECK(set.max_bytes == 9 && set.at_capacity == WAL_AT_CAPACITY_TRIM_OLDEST);
    CHECK(set.io == WAL_IO_DIRECT && set.retention_bytes == 10 && set.retention_age_ms == 60000);
    CHECK(set.retention_records == 11 && set.lock_wait_ms == 12 && set.first_lsn == 13);
    CHECK(set.create == 0 && set.read_mode == WAL_READ_MODE_PREAD && set.pad_to_block == 1);
    const wal_append_options batch = wal::detail::of(wal::append_options{});
    wal_append_options batch_defaults{};
    CHECK(wal_append_options_init(&batch_defaults, sizeof batch_defaults) == WAL_OK);
    CHECK(batch.level == batch_defaults.level && batch.time_ns == batch_defaults.time_ns);
    CHECK((batch.wait_ms < 0) == (batch_defaults.wait_ms < 0));
}

static void opening() {
    const auto path = test_directory / "opening";
    wal::options how;
    how.create = false;
    THROWS(not_found, wal::log::open(path, how));
    std::error_code ec;
    CHECK(!wal::log::open(path, how, ec) && ec == wal::errc::not_found);
    CHECK(ec == std::errc::no_such_file_or_directory);
    how = {};
    how.first_lsn = 100;
    const wal::log log = wal::log::open(path, how);
    CHECK(log.recovery().recovery_case == WAL_RECOVERY_CREATED && log.recovery().created == 1);
    CHECK(log.next_lsn() == 100 && log.path() == path && log.path(ec) == path);
    THROWS(locked, wal::log::open(path));
    log.append("read by others");
    const wal::log reader = wal::log::open_read_only(path);
    CHECK(reader.read(100).text() == "read by others");
    CHECK(wal::log::open_read_only(path, {}, ec).last_lsn() == 100U && !ec);
    THROWS(invalid, reader.append("x"));
    CHECK(reader.uuid() == log.uuid() && reader.uuid(ec) == log.uuid());
    how.segment_bytes = 17;
    THROWS(invalid, wal::log::open(test_directory / "wrong", how));
    THROWS(invalid, wal::log::open(""));
    // A path of any length, which the first buffer does not hold.
    const auto deep = test_directory / std::string(200, 'd') / std::string(200, 'e');
    std::filesystem::create_directories(deep.parent_path());
    CHECK(wal::log::open(deep).path() == deep);
    wal::destroy(deep);
    THROWS(not_found, (wal::destroy(deep), 0));
    TELLS(not_found, (wal::destroy(deep, told), 0));
}

static void errors() {
    // Every code has a name, a text, and is its own kind.
    const std::map<wal::errc, std::errc> standard = {
        {wal::errc::invalid, std::errc::invalid_argument},
        {wal::errc::not_found, std::errc::no_such_file_or_directory},
        {wal::errc::locked, std::errc::device_or_resource_busy},
        {wal::errc::full, std::errc::no_space_on_device},
        {wal::errc::timeout, std::errc::timed_out},
        {wal::errc::would_block, std::errc::operation_would_block},
        {wal::errc::io, std::errc::io_error},
        {wal::errc::unsupported, std::errc::not_supported}};
    for (int number = -1; std::strcmp(wal_code_name(number), "WAL_ERR_UNKNOWN") != 0; number--) {
        const auto kind = static_cast<wal::errc>(number);
        const std::error_code ec = kind;
        CHECK(ec && ec.category() == wal::wal_category() && ec == kind);
        CHECK(std::string(ec.category().name()) == "wal" && ec.message() == wal_code_text(number));
        for (const auto& [ours, theirs] : standard) CHECK((ec == theirs) == (kind == ours));
        const wal::error thrown(kind, 5, "doing");
        CHECK(thrown.kind() == kind && thrown.os_errno() == 5 && !thrown.lsn());
        CHECK(number >= WAL_ERR_PANIC);
    }
    const std::error_code none;
    CHECK(none != wal::errc::invalid);
    CHECK(wal::version() == WAL_VERSION);
}

static void values() {
    const wal::log log = wal::log::open(test_directory / "values");
    const wal::values values = log.values();
    std::error_code ec;
    CHECK(!values.read("key") && !values.read("key", ec) && !ec);
    values.set("key", "a\0b"sv);
    values.set("empty", "", ec);
    CHECK(!ec && values.read("key") == std::string("a\0b"sv) && values.read("empty") == "");
    values.update({{"one", "1"}, {"empty", std::nullopt}});
    values.update(std::vector<wal::value_change>{{"two", "2"}}, ec);
    values.update({{"three", "3"}}, ec);
    CHECK(!ec && !values.read("empty"));
    CHECK(values.erase("three") && !values.erase("three", ec) && !ec);
    std::string all;
    values.for_each([&](wal::bytes_view key, wal::bytes_view value) {
        all.append(key.text()).append("=").append(value.text()).append(";");
    });
    CHECK(all == "key=a\0b;one=1;two=2;"sv);
    int calls = 0;
    values.for_each([&](wal::bytes_view, wal::bytes_view) { return ++calls < 2; }, ec);
    CHECK(calls == 2 && !ec);
    THROWS(invalid, (values.set(std::string(256, 'k'), "v"), 0));
    TELLS(invalid, (values.set("k", std::string(4097, 'v'), told), 0));
}

// The limit on the size of files refuses the writes that a full disk refuses.
static void a_full_disk_takes_nothing_and_may_have_room_again() {
    CHECK(std::signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    rlimit limit{};
    CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    // Behind the file of the state, whose offsets it is about too.
    const rlimit full{384 << 10, limit.rlim_max};
    wal::options small;
    small.segment_bytes = 1 << 20;
    wal::log log = wal::log::open(test_directory / "full", small);
    const std::string record(8000, 'r');
    // Or the file of the first segment could not be made.
    wal::lsn count = log.append(record);
    CHECK(setrlimit(RLIMIT_FSIZE, &full) == 0);
    std::error_code ec;
    while (log.append(record, ec) != 0 && !ec) ++count;
    CHECK(ec == wal::errc::full && count > 10);
    CHECK(log.append(record) == ++count);  // in the next segment
    // A future says the same of the record that meets the limit, and of it alone.
    std::uint64_t refused = 0;
    for (int n = 0; n < 64; n++) {
        std::future<wal::lsn> later = log.append_async(record);
        try {
            CHECK(later.get() == count + 1);
            ++count;
        } catch (const wal::error& why) {
            CHECK(why.kind() == wal::errc::full && why.os_errno() == EFBIG);
            ++refused;
        }
    }
    CHECK(refused > 0);
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    CHECK(log.append(record) == count + 1);
    log.close();
}

static void dropping() {
    wal::options how;
    how.segment_bytes = 64 * 1024;
    const wal::log log = wal::log::open(test_directory / "dropping", how);
    for (int i = 0; i < 50; i++) log.append(std::string(4000, 'x'), wal::level::buffered);
    log.sync();
    std::error_code ec;
    CHECK(log.trim(20) == 20U && log.trim(21, ec) == 21U && !ec);
    log.truncate(40);
    log.truncate(39, ec);
    CHECK(!ec && log.last_lsn() == 39U && log.first_lsn() == 21U);
    try {
        static_cast<void>(log.read(5));
        CHECK(false);
    } catch (const wal::error& why) {
        CHECK(why.kind() == wal::errc::trimmed && why.lsn() == 21U);
    }
    THROWS(invalid, log.trim(1000));
    TELLS(invalid, log.trim(1000, told));
    THROWS(trimmed, (log.truncate(3), 0));
    const std::vector<::wal_segment> segments = log.segments();
    CHECK(!segments.empty() && segments.size() == log.segments(ec).size() && !ec);
    CHECK(segments.back().sealed == 0 && segments.front().first_lsn <= 21);
    const ::wal_stats stats = log.stats();
    CHECK(stats.records == 50 && stats.first_lsn == 21 && stats.level == WAL_LEVEL_DISK);
    CHECK(log.stats(ec).last_lsn == 39 && !ec);
    log.check_poisoned();
    const ::wal_copy_report copied = log.copy_to(test_directory / "copy");
    CHECK(copied.records == 19 && copied.first_lsn == 21 && copied.last_lsn == 39);
    TELLS(invalid, log.copy_to(test_directory / "copy", told));
    log.reset_to(500);
    log.reset_to(600, ec);
    CHECK(!ec && !log.last_lsn() && log.next_lsn() == 600);
}

static void checks_and_repair() {
    const auto path = test_directory / "damaged";
    {
        const wal::log log = wal::log::open(path);
        for (int i = 0; i < 100; i++) log.append("a record that is not short");
        const wal::log_info alive = wal::info(path);
        CHECK(alive.info.writer_alive == 1 && alive.info.last_lsn == 100);
        THROWS(locked, wal::repair(path, wal::repair_mode::change_files));
        TELLS(locked, wal::repair(path, wal::repair_mode::change_files, told));
    }
    std::uint64_t calls = 0;
    int findings = 0;
    const auto found = [&findings](const ::wal_finding& finding) {
        CHECK(finding.code == WAL_ERR_CORRUPT && *finding.message != 0);
        findings++;
    };
    const auto progress = [&calls](std::uint64_t done, std::uint64_t total) {
        CHECK(done <= total);
        calls++;
    };
    std::error_code ec;
    CHECK(wal::verify(path).findings == 0 && wal::verify(path, ec).records == 100 && !ec);
    CHECK(wal::verify(path, found, progress, ec).findings == 0 && findings == 0 && calls > 0);
    for (const auto& file : std::filesystem::directory_iterator(path)) {
        if (file.path().extension() != ".wal" || file.file_size() < 8192) continue;
        std::fstream bytes(file.path(), std::ios::in | std::ios::out | std::ios::binary);
        bytes.seekp(8300);  // in the first record
        bytes.put('!');
    }
    CHECK(wal::verify(path, found).findings > 0 && findings > 0);
    bool tells_loss = false;
    std::string backup;
    const auto line = [&](const wal::repair_line& told) {
        if (told.kind == wal::repair_line::kind::lost) tells_loss = told.lost.first > 0;
        if (told.kind == wal::repair_line::kind::backup) backup = told.text;
    };
    CHECK(wal::repair(path, wal::repair_mode::dry_run, line).changed == 0 && tells_loss);
    const ::wal_repair_report repaired =
        wal::repair(path, wal::repair_mode::change_files, line, ec);
    CHECK(!ec && repaired.changed == 1 && repaired.lost_records > 0);
    CHECK(std::filesystem::exists(backup) && wal::verify(path).findings == 0);
    THROWS(not_found, wal::info(test_directory / "nowhere"));
    TELLS(not_found, wal::info(test_directory / "nowhere", told));
    THROWS(not_found, wal::verify(test_directory / "nowhere"));
    THROWS(not_found, wal::repair(test_directory / "nowhere", wal::repair_mode::dry_run));
}

void test() {
    views();
    unset_options_are_the_defaults_of_the_library();
    opening();
    errors();
    values();
    a_full_disk_takes_nothing_and_may_have_room_again();
    dropping();
    checks_and_repair();
}
