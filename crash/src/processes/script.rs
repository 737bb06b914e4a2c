//! What a driver does: operations on one log, as numbers that Rust and C read alike.

use crate::Rng;

/// One operation. What `a`, `b` and `c` mean stands with each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Op {
    /// What is done.
    pub kind: Kind,
    /// The first number.
    pub a: u64,
    /// The second number.
    pub b: u64,
    /// The third number.
    pub c: u64,
}

/// The kinds of operations. `c/ledger.h` has the same list, in the same order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Does nothing.
    Nothing,
    /// Opens the log: level, flags (see [`DIRECT`] and its neighbours), `sync_bytes`. Returns the
    /// first LSN (0 if there is no record), the next one, and a digest of the values.
    Open,
    /// Appends one record: length, level.
    Append,
    /// Appends a batch: count, length of each, level.
    Batch,
    /// Syncs.
    Sync,
    /// Hands a record over without waiting: length.
    Submit,
    /// Waits until the last record is durable.
    Wait,
    /// Appends a record in three pieces: length.
    AppendPieces,
    /// Appends a record at the next LSN: length.
    AppendAt,
    /// Trims all but so many records.
    Trim,
    /// Truncates so many records.
    Truncate,
    /// Resets the log to so many LSNs after the next one.
    Reset,
    /// Sets a value: key, length.
    Set,
    /// Sets one value and deletes another one at once: key to set, key to delete, length.
    Update,
    /// Deletes a value: key.
    Delete,
    /// Reads everything: returns the first LSN, the one after the last, and a digest.
    ReadAll,
    /// Reads one record, so many before the end. Returns its LSN and its digest.
    Read,
    /// Reads everything through a second, read-only opening. Returns the same.
    ReadOnly,
    /// Copies the log to a directory beside it.
    Copy,
    /// Closes the log.
    Close,
    /// Lets the log go without closing it.
    Drop,
    /// Runs the lists of the threads and waits for their end.
    Threads,
    /// Sleeps so many milliseconds.
    Sleep,
}

/// What one process does.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// The operations of the main thread.
    pub main: Vec<Op>,
    /// Those of the others, lists of one length.
    pub threads: Vec<Vec<Op>>,
}

impl Kind {
    /// All kinds, in order of their numbers.
    pub const ALL: [Kind; 23] = [
        Kind::Nothing,
        Kind::Open,
        Kind::Append,
        Kind::Batch,
        Kind::Sync,
        Kind::Submit,
        Kind::Wait,
        Kind::AppendPieces,
        Kind::AppendAt,
        Kind::Trim,
        Kind::Truncate,
        Kind::Reset,
        Kind::Set,
        Kind::Update,
        Kind::Delete,
        Kind::ReadAll,
        Kind::Read,
        Kind::ReadOnly,
        Kind::Copy,
        Kind::Close,
        Kind::Drop,
        Kind::Threads,
        Kind::Sleep,
    ];
}

impl Op {
    /// An operation.
    pub const fn new(kind: Kind, a: u64, b: u64, c: u64) -> Op {
        Op { kind, a, b, c }
    }
}

impl Script {
    /// The life of a log: everything that has it call the system, most of it more than once, so
    /// that segments fill, are sealed, prepared, trimmed and written again. `flags` are those of
    /// every opening.
    pub fn life_cycle(flags: u64) -> Script {
        use Kind::*;
        let mut main = Vec::new();
        let mut op = |kind, a, b, c| main.push(Op::new(kind, a, b, c));
        op(Open, DISK, flags, 0);
        op(ReadAll, 0, 0, 0);
        for len in [100, 0, 1, 4000, 9000] {
            op(Append, len, LOGS, 0);
        }
        op(Batch, 5, 700, LOGS);
        op(Set, 1, 100, 0);
        op(Update, 2, 1, 2000);
        op(Append, 300, OS, 0);
        op(Append, 5000, OS, 0);
        op(Sync, 0, 0, 0);
        op(Append, 200, BUFFERED, 0);
        op(Sync, 0, 0, 0);
        for len in [500, 12_000, 40] {
            op(Submit, len, 0, 0);
        }
        op(Wait, 0, 0, 0);
        op(AppendPieces, 1500, 0, 0);
        op(AppendAt, 30, 0, 0);
        for len in [20_000, 21_000, 22_000, 7_000, 20_000] {
            op(Append, len, LOGS, 0);
        }
        op(ReadAll, 0, 0, 0);
        op(Read, 3, 0, 0);
        op(Trim, 6, 0, 0);
        for len in [25_000, 19_000, 30_000] {
            op(Append, len, LOGS, 0);
        }
        op(Copy, 0, 0, 0);
        op(ReadOnly, 0, 0, 0);
        op(Close, 0, 0, 0);
        op(Open, DISK, flags, 0);
        op(ReadAll, 0, 0, 0);
        op(Append, 100, LOGS, 0);
        op(Truncate, 3, 0, 0);
        op(ReadAll, 0, 0, 0);
        op(Append, 60, LOGS, 0);
        op(Batch, 3, 30_000, LOGS);
        op(Append, 150_000, LOGS, 0);
        op(Trim, 2, 0, 0);
        op(Append, 10, LOGS, 0);
        op(Close, 0, 0, 0);
        op(Open, OS, flags, 8192);
        for len in [5000, 6000, 40_000, 30_000] {
            op(Append, len, LOGS, 0);
        }
        op(Append, 70, DISK, 0);
        op(Reset, 10, 0, 0);
        op(Append, 3000, LOGS, 0);
        op(Delete, 2, 0, 0);
        op(Set, 3, 40, 0);
        op(Drop, 0, 0, 0);
        op(Open, BUFFERED, flags, 0);
        for len in [900, 2, 0, 8000, 30_000] {
            op(Append, len, LOGS, 0);
        }
        op(Batch, 2, 4000, OS);
        op(Append, 30_000, LOGS, 0);
        op(ReadAll, 0, 0, 0);
        op(Close, 0, 0, 0);
        op(Open, DISK, flags, 0);
        op(ReadAll, 0, 0, 0);
        op(Append, 77, LOGS, 0);
        op(Close, 0, 0, 0);
        Script { main, threads: Vec::new() }
    }

    /// What somebody does who finds a log after a crash: short, so that its own crashes are many.
    pub fn comeback(flags: u64) -> Script {
        use Kind::*;
        let mut main = Vec::new();
        let mut op = |kind, a, b, c| main.push(Op::new(kind, a, b, c));
        op(Open, DISK, flags, 0);
        op(ReadAll, 0, 0, 0);
        op(Append, 500, LOGS, 0);
        op(Batch, 3, 6000, LOGS);
        op(Set, 1, 60, 0);
        op(Append, 50_000, LOGS, 0);
        op(Truncate, 1, 0, 0);
        op(Append, 40, OS, 0);
        op(Close, 0, 0, 0);
        Script { main, threads: Vec::new() }
    }

    /// What every log can do: append one by one, close, open, append, close.
    pub fn plain() -> Script {
        let mut main = Vec::new();
        for _ in 0..2 {
            main.push(Op::new(Kind::Open, DISK, 0, 0));
            main.extend((0..PLAIN_RECORDS).map(|number| {
                let len = if number % 9 == 4 { 20_000 } else { 20 + number * 37 % 900 };
                Op::new(Kind::Append, len, LOGS, 0)
            }));
            main.push(Op::new(Kind::Close, 0, 0, 0));
        }
        Script { main, threads: Vec::new() }
    }

    /// Eight threads that write at random, and one of them trims.
    pub fn writers(seed: u64, flags: u64) -> Script {
        let mut rng = Rng::new(seed);
        let level = [DISK, DISK, OS, BUFFERED][rng.below(4)];
        let main = vec![
            Op::new(Kind::Open, level, flags, 16_384),
            Op::new(Kind::Threads, 0, 0, 0),
            Op::new(Kind::Close, 0, 0, 0),
        ];
        let threads = (0..WRITERS)
            .map(|thread| (0..OPS_PER_WRITER).map(|_| writer_op(&mut rng, thread)).collect())
            .collect();
        Script { main, threads }
    }
}

/// What one of many threads does next. Records are of eight bytes at least: they must tell whose
/// they are.
fn writer_op(rng: &mut Rng, thread: u64) -> Op {
    let len = match rng.below(10) {
        0 => 8,
        1 => 4096 + rng.below(20_000) as u64,
        _ => 8 + rng.below(600) as u64,
    };
    let level = [LOGS, LOGS, LOGS, BUFFERED, OS, DISK][rng.below(6)];
    match rng.below(20) {
        0..=11 => Op::new(Kind::Append, len, level, 0),
        12..=14 => Op::new(Kind::Batch, 2 + rng.below(5) as u64, len.min(3000), level),
        15 => Op::new(Kind::Submit, len, 0, 0),
        16 => Op::new(Kind::Sync, 0, 0, 0),
        17 => Op::new(Kind::AppendPieces, len, 0, 0),
        18 if thread == 0 => Op::new(Kind::Trim, 5 + rng.below(60) as u64, 0, 0),
        // Each thread has a key of its own, so that what it wrote last is known.
        _ => Op::new(Kind::Set, thread, 8 + rng.below(300) as u64, 0),
    }
}

/// The number every record of an operation carries: its phase, its operation, its place in the
/// batch.
pub fn id(phase: u64, index: usize, member: u64) -> u64 {
    (phase << 40) | ((index as u64) << 16) | member
}

/// The content of the record with this number: unlike [`crate::record`] it may be shorter than its
/// number.
pub fn content(id: u64, len: u64) -> Vec<u8> {
    let mut bytes = crate::record(id, len as usize);
    bytes.truncate(len as usize);
    bytes
}

/// A digest of some bytes that is simple in any language.
pub fn digest(bytes: &[u8]) -> u64 {
    let mut state = mix(SEED, bytes.len() as u64);
    for piece in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..piece.len()].copy_from_slice(piece);
        state = mix(state, u64::from_le_bytes(word));
    }
    state
}

/// Takes one more number into a digest.
pub fn mix(state: u64, word: u64) -> u64 {
    (state ^ word).wrapping_mul(PRIME).rotate_left(29)
}

/// The name of a key.
pub fn key(number: u64) -> String {
    format!("key-{number}")
}

/// The level of the log itself.
pub const LOGS: u64 = 0;
/// [`wal_core::Level::Buffered`].
pub const BUFFERED: u64 = 1;
/// [`wal_core::Level::Os`].
pub const OS: u64 = 2;
/// [`wal_core::Level::Disk`].
pub const DISK: u64 = 3;

/// A flag of an opening: past the page cache.
pub const DIRECT: u64 = 1;
/// A flag of an opening: read with `pread`.
pub const PREAD: u64 = 2;
/// A flag of an opening: pad commits to blocks.
pub const PAD: u64 = 4;

/// Segments of the smallest size, so that a few dozen records fill several.
pub const SEGMENT_BYTES: u64 = 64 * 1024;
/// Where a digest begins.
pub const SEED: u64 = 0xcbf2_9ce4_8422_2325;

const PRIME: u64 = 0x0000_0100_0000_01b3;
/// Enough to fill several of the smallest segments.
const PLAIN_RECORDS: u64 = 40;
const WRITERS: u64 = 8;
const OPS_PER_WRITER: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of an enumeration in C without values of its own: they count from 0.
    fn names_of_enum<'a>(source: &'a str, name: &str) -> Vec<&'a str> {
        let (_, rest) = source.split_once(&format!("enum {name} {{")).expect("the enumeration");
        let (body, _) = rest.split_once('}').expect("its end");
        body.split(',').map(str::trim).collect()
    }

    #[test]
    fn the_operations_of_the_driver_in_c_have_the_numbers_of_those_in_rust() {
        let in_c = names_of_enum(include_str!("../../c/ledger.h"), "kind");
        let in_rust: Vec<String> = Kind::ALL.iter().map(|kind| format!("{kind:?}")).collect();
        assert_eq!(in_c, in_rust);
        for (number, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, number, "{kind:?} stands at its number");
        }
    }

    #[test]
    fn every_operation_of_the_drivers_is_in_a_script() {
        let mut missing: Vec<Kind> = Kind::ALL.to_vec();
        let scripts = [Script::life_cycle(0), Script::writers(1, 0)];
        for op in scripts
            .iter()
            .flat_map(|script| script.main.iter().chain(script.threads.iter().flatten()))
        {
            missing.retain(|kind| *kind != op.kind);
        }
        assert_eq!(missing, [Kind::Nothing, Kind::Sleep]);
    }
}
