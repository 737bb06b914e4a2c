//! Holds `docs/FORMAT.md` against the engine: its tables decode what the engine writes, and the
//! engine refuses what is changed at the places they name.
//!
//! A document of a format drifts from the code unless something reads both. The tables are parsed
//! here and used as a reader of one's own would use them; nothing of the engine's own decoding is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wal_core::limits;
use wal_core::vfs::MemVfs;
use wal_core::{Error, ErrorKind, Log, Lsn, Options, Position};

const DOCUMENT: &str = include_str!("../../docs/FORMAT.md");
const LIMITS: &str = include_str!("../src/limits.rs");

#[test]
fn every_limit_is_in_the_document_with_its_value() {
    let documented = values("## Limits");
    let mut names: Vec<&str> = LIMITS
        .lines()
        .filter_map(|line| line.strip_prefix("pub const ")?.split_once(':'))
        .map(|(name, _)| name)
        .collect();
    names.sort_unstable();
    assert_eq!(documented.keys().map(String::as_str).collect::<Vec<_>>(), names);
    for (name, value) in [
        ("BLOCK_BYTES", limits::BLOCK_BYTES),
        ("SEGMENT_BYTES_MIN", limits::SEGMENT_BYTES_MIN),
        ("SEGMENT_BYTES_MAX", limits::SEGMENT_BYTES_MAX),
        ("SEGMENT_BYTES_DEFAULT", limits::SEGMENT_BYTES_DEFAULT),
        ("SEGMENT_BYTES_INITIAL", limits::SEGMENT_BYTES_INITIAL),
        ("RECORD_BYTES_MAX_DEFAULT", limits::RECORD_BYTES_MAX_DEFAULT),
        ("RECORD_BYTES_MAX", limits::RECORD_BYTES_MAX),
        ("BATCH_BYTES_MAX_DEFAULT", limits::BATCH_BYTES_MAX_DEFAULT),
        ("BATCH_BYTES_MAX", limits::BATCH_BYTES_MAX),
        ("BATCH_RECORDS_MAX", limits::BATCH_RECORDS_MAX),
        ("RING_BYTES_DEFAULT", limits::RING_BYTES_DEFAULT),
        ("RING_BYTES_MIN", limits::RING_BYTES_MIN),
        ("RING_BYTES_MAX", limits::RING_BYTES_MAX),
        ("FLUSH_BYTES_MAX_DEFAULT", limits::FLUSH_BYTES_MAX_DEFAULT),
        ("OPENINGS_PER_SEGMENT_MAX", limits::OPENINGS_PER_SEGMENT_MAX as u64),
        ("CLEAN_SCAN_BYTES_MAX", limits::CLEAN_SCAN_BYTES_MAX),
        ("KEY_BYTES_MAX", limits::KEY_BYTES_MAX as u64),
        ("VALUE_BYTES_MAX", limits::VALUE_BYTES_MAX as u64),
        ("STATE_SLOT_BYTES", limits::STATE_SLOT_BYTES),
    ] {
        assert_eq!(documented[name], value, "{name}");
    }
}

#[test]
fn no_table_has_a_hole_or_an_overlap() {
    let sizes = values("## Sizes");
    for (column, bytes) in [
        ("field", limits::BLOCK_BYTES),
        ("trailer field", sizes["COMMIT_FRAME_BYTES"] - sizes["FRAME_HEADER_BYTES"]),
        ("opening field", sizes["OPENING_FRAME_BYTES"] - sizes["FRAME_HEADER_BYTES"]),
        ("footer field", sizes["FOOTER_FIXED_BYTES"]),
        ("entry field", sizes["FOOTER_OPENING_BYTES"]),
        ("slot field", sizes["SLOT_HEADER_BYTES"]),
    ] {
        let section = if column == "field" { "### Segment header" } else { "# The format" };
        assert_eq!(contiguous_bytes(section, column), bytes, "the table of the {column}s");
    }
    let frame = contiguous_bytes("### Frame header", "field");
    assert_eq!(frame, sizes["FRAME_HEADER_BYTES"]);
    assert_eq!(sizes["STATE_FILE_BYTES"], 2 * limits::STATE_SLOT_BYTES);
}

#[test]
fn the_example_frame_is_the_one_the_text_computes() {
    let line = |name: &str| {
        let lines = DOCUMENT.lines().filter_map(|line| line.strip_prefix("    "));
        let mut found = lines.filter_map(|line| line.strip_prefix(name)).map(str::trim);
        found.rfind(|text| !text.starts_with('=')).expect("the example").to_owned()
    };
    let bytes: Vec<u8> = line("frame")
        .split(' ')
        .map(|byte| u8::from_str_radix(byte, 16).expect("a byte in hexadecimal"))
        .collect();
    let uuid: [u8; 16] = std::array::from_fn(|at| at as u8);
    let seed = seed_of(&uuid, 3, 2, 0x1122_3344_5566_7788);
    assert_eq!(line("seed"), format!("{seed:#010x}"));
    assert_eq!(frame_at(&bytes, 0, 8192, seed).map(|frame| frame.payload), Some(&b"hello"[..]));
    assert_eq!(line("checksum"), format!("{:#010x}", number(&bytes, 0, 4)));
}

#[test]
fn a_reader_of_the_tables_finds_what_was_appended() {
    let written = write_log();
    let mut found = Vec::new();
    let mut chain = chain_of(&written);
    chain.reverse();
    assert!(chain.len() >= 3, "the log has segments to walk back through");
    for (at, bytes) in chain.iter().enumerate() {
        let limit = chain.get(at + 1).map(|later| header(later, "predecessor end"));
        found.extend(records_of(bytes, limit).0);
    }
    let slot = newest_slot(&written);
    let first_lsn = field(&slot, "## The state file", "slot field", "first lsn");
    assert_eq!(first_lsn, 3, "the log was trimmed");
    found.retain(|(lsn, _)| *lsn >= first_lsn);
    assert_eq!(found, written.records);
}

#[test]
fn the_fields_hold_what_the_document_says() {
    let written = write_log();
    let chain = chain_of(&written);
    let newest = &chain[0];
    assert_eq!(bytes_of(newest, "### Segment header", "field", "uuid"), written.uuid);
    assert_eq!(header(newest, "block size"), limits::BLOCK_BYTES);
    assert_eq!(header(newest, "version"), 1);
    let last = written.records.last().expect("records").0;
    assert_eq!(header(newest, "first lsn"), last, "truncation starts a segment");
    assert_eq!(header(newest, "predecessor next lsn"), last);
    assert_eq!(header(newest, "predecessor chain"), 0, "after a truncation it says nothing");
    for unused in ["reserved", "compatible", "incompatible", "codec", "key id"] {
        assert_eq!(header(newest, unused), 0, "{unused}");
    }
    let sealed = chain.last().expect("a first segment");
    let footer_at = header(&chain[chain.len() - 2], "predecessor footer");
    assert_eq!(footer_at, header(&chain[chain.len() - 2], "predecessor end"));
    check_footer(sealed, footer_at);
    let slot = newest_slot(&written);
    let state = |name| field(&slot, "## The state file", "slot field", name);
    assert_eq!(bytes_of(&slot, "## The state file", "slot field", "uuid"), written.uuid);
    assert_eq!((state("flags") & 1, state("values")), (1, 1), "closed in order, one value");
    assert_eq!(state("next lsn"), last + 1);
    assert_eq!(state("tail segment"), header(newest, "segment id"));
    let entries = values("## Sizes")["SLOT_HEADER_BYTES"] as usize;
    let value = &slot[entries..];
    let length = |name| field(value, "## The state file", "value field", name);
    assert_eq!((length("key length"), length("value length")), (4, 5));
    assert_eq!(&value[4..13], b"voteseven");
}

#[test]
fn what_a_later_version_writes_is_unsupported_and_what_rots_is_corrupt() {
    for (name, kind) in [
        ("version", ErrorKind::Unsupported),
        ("incompatible", ErrorKind::Unsupported),
        ("block size", ErrorKind::Unsupported),
        ("codec", ErrorKind::Unsupported),
        ("key id", ErrorKind::Unsupported),
        ("segment id", ErrorKind::Corrupt),
        ("uuid", ErrorKind::Corrupt),
        ("predecessor next lsn", ErrorKind::Corrupt),
    ] {
        let written = write_log();
        let (path, mut bytes) = written.segments.last().cloned().expect("segments");
        let (at, _) = place("### Segment header", "field", name);
        let (checksum, _) = place("### Segment header", "field", "checksum");
        for copy in [0, limits::BLOCK_BYTES as usize] {
            bytes[copy + at] = bytes[copy + at].wrapping_add(2);
            let crc = crc(0, &bytes[copy..copy + checksum]);
            bytes[copy + checksum..copy + checksum + 4].copy_from_slice(&crc.to_le_bytes());
        }
        written.vfs.set_file_bytes(&path, &bytes).expect("the file is there");
        let error = written.refusal().expect("a wrong header is refused");
        assert_eq!(error.kind(), kind, "segment header, {name}");
        assert!(error.segment().is_some(), "the error names the segment: {error}");
    }
    let written = write_log();
    let state = PathBuf::from("/log/STATE");
    let mut bytes = written.vfs.file_bytes(&state).expect("the state is there");
    let (version, _) = place("## The state file", "slot field", "version");
    for slot in [0, limits::STATE_SLOT_BYTES as usize] {
        bytes[slot + version] += 1;
    }
    written.vfs.set_file_bytes(&state, &bytes).expect("the file is there");
    assert_eq!(written.open_again(), Some(ErrorKind::Unsupported), "state slots, version");
    assert_eq!(write_log().open_again(), None, "an unchanged log opens");
}

#[test]
fn the_documents_name_only_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
    let mut sources = Vec::new();
    for directory in ["wal-core/src", "wal-core/tests", "wal-ffi/tests", "wal-cli/tests"] {
        rust_files(&root.join(directory), &mut sources);
    }
    let mut missing = Vec::new();
    for document in ["DURABILITY.md", "TESTING.md"] {
        let text = std::fs::read_to_string(root.join("docs").join(document)).expect("the document");
        let in_backticks = text.split('`').skip(1).step_by(2);
        for (file, name) in in_backticks.filter_map(|code| code.split_once(".rs::")) {
            let file = format!("/{file}.rs");
            let function = format!("fn {name}(");
            let is_there = sources.iter().any(|(path, source): &(String, String)| {
                path.ends_with(&file) && source.contains(&function)
            });
            if !is_there {
                missing.push(format!("{document}: {file}::{name}"));
            }
        }
    }
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
}

fn rust_files(directory: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(directory).expect("a directory of the project") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = std::fs::read_to_string(&path).expect("a source");
            found.push((path.to_string_lossy().into_owned(), source));
        }
    }
}

/// What was written, and where.
struct Written {
    vfs: MemVfs,
    uuid: [u8; 16],
    /// The records that are to be found, with their LSNs.
    records: Vec<(u64, Vec<u8>)>,
    /// Path and bytes of the segment files, by id.
    segments: Vec<(PathBuf, Vec<u8>)>,
}

impl Written {
    fn open_again(&self) -> Option<ErrorKind> {
        self.refusal().map(|error| error.kind())
    }

    fn refusal(&self) -> Option<Error> {
        let vfs = Arc::new(self.vfs.clone());
        Log::open_with(vfs, "/log", options()).err()
    }
}

fn options() -> Options {
    let segment_bytes = limits::SEGMENT_BYTES_MIN;
    Options { segment_bytes, ring_bytes: limits::RING_BYTES_MIN, ..Options::default() }
}

/// A log with everything the format has: several segments, a footer, openings, a batch, a trimmed
/// head, a truncation inside the batch, and a value.
fn write_log() -> Written {
    let vfs = MemVfs::new();
    let mut expected = Vec::new();
    let open = || Log::open_with(Arc::new(vfs.clone()), "/log", options()).expect("it opens").0;
    for run in 0..2u8 {
        let log = open();
        for size in 0..40 {
            expected.push(vec![run; size]);
            log.append(expected.last().expect("just pushed")).expect("it is appended");
        }
        log.close().expect("it closes");
    }
    let log = open();
    for size in 0..60 {
        expected.push(vec![b'x'; 40 * size]);
        log.append(expected.last().expect("just pushed")).expect("it is appended");
    }
    let batch = log.append_batch(&["one", "two", "three"]).expect("it is appended");
    log.values().set(b"vote", b"seven").expect("it is set");
    log.trim(Lsn::new(3).expect("in range")).expect("it is trimmed");
    log.truncate(batch.first).expect("it is cut inside the batch");
    log.append(b"last").expect("it is appended");
    expected.extend([b"one".to_vec(), b"last".to_vec()]);
    let uuid = log.uuid();
    let seen = log.cursor(Position::First).expect("a cursor").count();
    assert_eq!(seen, expected.len() - 2);
    log.close().expect("it closes");
    let records = (1..).zip(expected).skip(2).collect();
    let path = |id: u64| PathBuf::from(format!("/log/{id:020}.wal"));
    let segments = (1..20)
        .filter_map(|id| Some((path(id), vfs.file_bytes(&path(id)).ok()?)))
        .filter(|(_, bytes)| bytes.iter().take(8).any(|&byte| byte != 0))
        .collect();
    Written { vfs, uuid, records, segments }
}

/// The segments, newest first, by the predecessors that their headers name.
fn chain_of(written: &Written) -> Vec<Vec<u8>> {
    let mut chain = vec![written.segments.last().expect("segments").1.clone()];
    loop {
        let before = header(chain.last().expect("never empty"), "predecessor id");
        let name = format!("{before:020}.wal");
        let is_named = |path: &Path| path.file_name().is_some_and(|found| found == name.as_str());
        match written.segments.iter().find(|(path, _)| is_named(path)) {
            Some((_, bytes)) => chain.push(bytes.clone()),
            None => break,
        }
    }
    assert_eq!(header(chain.last().expect("never empty"), "predecessor id"), 0);
    chain
}

/// The slot with the higher sequence, its checksum verified.
fn newest_slot(written: &Written) -> Vec<u8> {
    let bytes = written.vfs.file_bytes(Path::new("/log/STATE")).expect("the state is there");
    assert_eq!(bytes.len() as u64, values("## Sizes")["STATE_FILE_BYTES"]);
    let (first, second) = bytes.split_at(limits::STATE_SLOT_BYTES as usize);
    let state = |slot: &[u8], name| field(slot, "## The state file", "slot field", name);
    let sequence = |slot: &&[u8]| state(slot, "sequence");
    let slot = [first, second].into_iter().max_by_key(sequence).expect("two slots");
    assert!(slot.starts_with(b"WALSTATE"));
    let mut used = slot[..state(slot, "used") as usize].to_vec();
    let (checksum, length) = place("## The state file", "slot field", "checksum");
    used[checksum..checksum + length].fill(0);
    assert_eq!(u64::from(crc(0, &used)), state(slot, "checksum"));
    slot.to_vec()
}

/// The records of a segment, frame by frame, every checksum and chain value verified; and how many
/// commits they lie in.
fn records_of(bytes: &[u8], limit: Option<u64>) -> (Vec<(u64, Vec<u8>)>, u64) {
    let sizes = values("## Sizes");
    let trailer = |payload: &[u8], name| field(payload, "### Commits", "trailer field", name);
    let mut at = sizes["DATA_START"] as usize;
    let (mut start, mut chain) = (at, header(bytes, "checksum") as u32);
    let mut seed = header_seed(bytes);
    let mut records = Vec::new();
    let (mut whole, mut commits) = (0, 0);
    while limit.is_none_or(|limit| (at as u64) < limit) {
        let Some(frame) = frame_at(bytes, at, at as u64, seed) else { break };
        let lsn = header(bytes, "first lsn") + frame.lsn_delta;
        match frame.kind {
            1 => records.push((lsn, frame.payload.to_vec())),
            2 => {
                assert_eq!(frame.end - at, sizes["COMMIT_FRAME_BYTES"] as usize);
                let count = (records.len() - whole) as u64;
                assert_eq!(trailer(frame.payload, "count"), count);
                assert_eq!(trailer(frame.payload, "first lsn"), lsn - count);
                chain = crc(chain, &bytes[start..at]);
                assert_eq!(trailer(frame.payload, "chain"), u64::from(chain));
                (start, whole) = (frame.end, records.len());
                commits += 1;
            }
            4 => {
                assert_eq!(frame.end - at, sizes["OPENING_FRAME_BYTES"] as usize);
                let opening = |name| field(frame.payload, "### Opening", "opening field", name);
                let uuid = bytes_of(bytes, "### Segment header", "field", "uuid");
                let id = header(bytes, "segment id");
                seed = seed_of(uuid, id, opening("epoch"), opening("salt"));
            }
            kind => panic!("a frame of kind {kind} at {at}"),
        }
        at = frame.end;
    }
    if let Some(limit) = limit {
        assert_eq!(at as u64, limit, "the segment ends where the next one says");
    }
    (records, commits)
}

/// Holds the seal footer against the frames it speaks of.
fn check_footer(bytes: &[u8], at: u64) {
    let sizes = values("## Sizes");
    let frame = frame_at(bytes, at as usize, at, header_seed(bytes)).expect("a seal footer");
    assert_eq!(frame.kind, 5);
    let footer = |name| field(frame.payload, "### Seal footer", "footer field", name);
    let (records, commits) = records_of(bytes, Some(at));
    assert_eq!((footer("count"), footer("commits")), (records.len() as u64, commits));
    assert_eq!(footer("first lsn"), header(bytes, "first lsn"));
    assert_eq!(footer("end"), at);
    assert!(footer("first time") <= footer("final time"));
    assert_eq!(footer("openings"), 2, "two clean reopenings");
    let fixed = sizes["FOOTER_FIXED_BYTES"] as usize;
    let opening_bytes = sizes["FOOTER_OPENING_BYTES"] as usize;
    let opening = &frame.payload[fixed..fixed + opening_bytes];
    let offset = field(opening, "### Seal footer", "entry field", "offset") as usize;
    assert_eq!(bytes[offset + place("### Frame header", "field", "kind").0], 4);
    let index = &frame.payload[fixed + 2 * opening_bytes..];
    for (entry, (_, payload)) in index.chunks(4).zip(&records) {
        let offset = number(entry, 0, 4) as usize * sizes["FRAME_ALIGNMENT_BYTES"] as usize;
        let from = offset + sizes["FRAME_HEADER_BYTES"] as usize;
        assert_eq!(&bytes[from..from + payload.len()], &payload[..]);
    }
}

struct FoundFrame<'a> {
    kind: u64,
    lsn_delta: u64,
    payload: &'a [u8],
    end: usize,
}

/// The frame at `at` of `bytes`, which stands at `offset` of its file; none when the checksum is
/// another one.
fn frame_at(bytes: &[u8], at: usize, offset: u64, seed: u32) -> Option<FoundFrame<'_>> {
    let sizes = values("## Sizes");
    let frame = bytes.get(at..)?;
    let head = |name| field(frame, "### Frame header", "field", name);
    let payload_from = sizes["FRAME_HEADER_BYTES"] as usize;
    let payload_end = payload_from + head("length") as usize;
    let (_, covered_from) = place("### Frame header", "field", "checksum");
    let start = seed ^ (offset / sizes["FRAME_ALIGNMENT_BYTES"]) as u32;
    if u64::from(crc(start, frame.get(covered_from..payload_end)?)) != head("checksum") {
        return None;
    }
    assert_eq!((head("reserved"), head("flags") & !1), (0, 0));
    let padded = payload_end.next_multiple_of(sizes["FRAME_ALIGNMENT_BYTES"] as usize);
    assert!(frame[payload_end..padded].iter().all(|&byte| byte == 0));
    Some(FoundFrame {
        kind: head("kind"),
        lsn_delta: head("lsn delta"),
        payload: &frame[payload_from..payload_end],
        end: at + padded,
    })
}

fn header_seed(bytes: &[u8]) -> u32 {
    let uuid = bytes_of(bytes, "### Segment header", "field", "uuid");
    seed_of(uuid, header(bytes, "segment id"), header(bytes, "epoch"), header(bytes, "salt"))
}

fn seed_of(uuid: &[u8], segment: u64, epoch: u64, salt: u64) -> u32 {
    let numbers = [segment, epoch, salt].map(u64::to_le_bytes).concat();
    crc(0, &[uuid, &numbers].concat())
}

fn crc(start: u32, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(start);
    hasher.update(bytes);
    hasher.finalize()
}

fn header(bytes: &[u8], name: &str) -> u64 {
    field(bytes, "### Segment header", "field", name)
}

fn field(bytes: &[u8], section: &str, column: &str, name: &str) -> u64 {
    let (at, length) = place(section, column, name);
    number(bytes, at, length)
}

fn bytes_of<'a>(bytes: &'a [u8], section: &str, column: &str, name: &str) -> &'a [u8] {
    let (at, length) = place(section, column, name);
    &bytes[at..at + length]
}

fn number(bytes: &[u8], at: usize, length: usize) -> u64 {
    bytes[at..at + length].iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// Offset and bytes of a field, as the table after the heading `section` whose third column is
/// `column` has them.
fn place(section: &str, column: &str, name: &str) -> (usize, usize) {
    let rows = table(section, column);
    let row = rows.iter().find(|row| row[2] == name);
    let row = row.unwrap_or_else(|| panic!("no {column} `{name}` after `{section}`"));
    let number = |text: &str| text.parse().expect("a number");
    (number(&row[0]), number(&row[1]))
}

/// Bytes of the fields of a table that follow each other without hole and overlap.
fn contiguous_bytes(section: &str, column: &str) -> u64 {
    table(section, column).iter().fold(0, |end, row| {
        assert_eq!(row[0], end.to_string(), "the {column} `{}` starts where one ends", row[2]);
        end + row[1].parse::<u64>().expect("a number")
    })
}

/// The rows of the table after a heading whose third column has this title.
fn table(section: &str, column: &str) -> Vec<Vec<String>> {
    let after = DOCUMENT.lines().skip_while(|line| !line.starts_with(section));
    let mut rows = after.skip_while(|line| cells(line).get(2).is_none_or(|title| title != column));
    assert!(rows.next().is_some(), "no table of {column}s after `{section}`");
    rows.skip(1).map(cells).take_while(|row| row.len() > 2).collect()
}

/// Names and values of the two-column table under a heading.
fn values(heading: &str) -> BTreeMap<String, u64> {
    let after = DOCUMENT.lines().skip_while(|line| *line != heading).skip(1);
    let rows = after.take_while(|line| !line.starts_with('#')).map(cells);
    rows.filter_map(|row| Some((row.first()?.clone(), row.get(1)?.parse().ok()?))).collect()
}

fn cells(line: &str) -> Vec<String> {
    let inner = line.strip_prefix('|').and_then(|line| line.strip_suffix('|'));
    inner.map_or_else(Vec::new, |inner| inner.split('|').map(|cell| cell.trim().into()).collect())
}
