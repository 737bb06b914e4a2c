//! Every bound of the engine, in one place; `docs/FORMAT.md` and `docs/DURABILITY.md` quote them.

/// Unit of alignment of everything a device may tear: headers, slots and direct writes.
pub const BLOCK_BYTES: u64 = 4096;

/// A segment smaller than this would be mostly headers. A simulation takes millions of copies, and
/// mostly headers is enough for it.
pub const SEGMENT_BYTES_MIN: u64 = if SIMULATED { 32 * 1024 } else { 64 * 1024 };
/// Offsets in a segment's index are `u32` counts of eight bytes; this bound also keeps LSN deltas
/// within `u32`.
pub const SEGMENT_BYTES_MAX: u64 = 4 << 30;
/// The segment size of a log that does not choose one.
pub const SEGMENT_BYTES_DEFAULT: u64 = 64 << 20;
/// What a new log's first segment is given at once; it grows towards the segment size as it fills.
pub const SEGMENT_BYTES_INITIAL: u64 = if SIMULATED { 16 * 1024 } else { 64 * 1024 };

/// The largest record a log accepts unless told otherwise.
pub const RECORD_BYTES_MAX_DEFAULT: u64 = 64 << 20;
/// The largest record any log can be told to accept.
pub const RECORD_BYTES_MAX: u64 = 1 << 30;
/// The largest batch (sum of its payloads) a log accepts unless told otherwise.
pub const BATCH_BYTES_MAX_DEFAULT: u64 = 256 << 20;
/// The largest batch any log can be told to accept.
pub const BATCH_BYTES_MAX: u64 = 2 << 30;
/// The most records one batch may hold.
pub const BATCH_RECORDS_MAX: u64 = 1 << 24;

/// The ring's size unless told otherwise: several flushes of `FLUSH_BYTES_MAX_DEFAULT`.
pub const RING_BYTES_DEFAULT: u64 = 16 << 20;
/// A ring below this could not hold a commit and the next one.
pub const RING_BYTES_MIN: u64 = if SIMULATED { 32 * 1024 } else { 64 * 1024 };
/// A ring above this only adds latency.
pub const RING_BYTES_MAX: u64 = 1 << 30;
/// The most one flush takes unless told otherwise, so that a huge group does not ruin p99.
pub const FLUSH_BYTES_MAX_DEFAULT: u64 = 4 << 20;

/// The most openings one segment records; a clean reopening past it starts a new segment.
pub const OPENINGS_PER_SEGMENT_MAX: usize = 64;
/// A cleanly closed segment holding more than this is sealed, so that no opening scans more.
pub const CLEAN_SCAN_BYTES_MAX: u64 = 1 << 20;

/// The longest key of the key-value state.
pub const KEY_BYTES_MAX: usize = 255;
/// The longest value of the key-value state.
pub const VALUE_BYTES_MAX: usize = 4096;
/// One slot of the state file, header and all entries.
pub const STATE_SLOT_BYTES: u64 = 128 * 1024;

const SIMULATED: bool = cfg!(feature = "simulate");

const _: () = assert!(SEGMENT_BYTES_MIN.is_multiple_of(BLOCK_BYTES));
const _: () = assert!(SEGMENT_BYTES_MAX / 8 <= u32::MAX as u64);
const _: () = assert!(BATCH_BYTES_MAX < SEGMENT_BYTES_MAX);
const _: () = assert!(RECORD_BYTES_MAX <= BATCH_BYTES_MAX);
const _: () = assert!(STATE_SLOT_BYTES.is_multiple_of(BLOCK_BYTES));
