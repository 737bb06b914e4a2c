//! The numbers and the parts of the stream, shared by its writer and its reader.

/// What the stream says about its log before the first chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The log it was made from.
    pub uuid: [u8; 16],
    /// The LSN of the first record, or where it would be.
    pub first_lsn: u64,
    /// The LSN after the last record.
    pub next_lsn: u64,
}

/// Records appended together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The LSN of the first one.
    pub first_lsn: u64,
    /// Their commit time in nanoseconds since 1970.
    pub time_ns: u64,
    /// The records.
    pub records: Vec<Vec<u8>>,
}

pub(super) const MAGIC: &[u8; 8] = b"WALEXPRT";
pub(super) const VERSION: u16 = 1;
pub(super) const HEADER_BYTES: usize = 48;

pub(super) const CHUNK_VALUES: u8 = 1;
pub(super) const CHUNK_BATCH: u8 = 2;
pub(super) const CHUNK_END: u8 = 3;
/// Type and length before the payload.
pub(super) const CHUNK_HEAD_BYTES: usize = 5;

/// The payload of the largest batch chunk: the largest batch a log can hold and a length for each
/// record; a longer length is damage, found before anything is allocated.
pub(super) const PAYLOAD_BYTES_MAX: u64 =
    wal_core::limits::BATCH_BYTES_MAX + 4 * wal_core::limits::BATCH_RECORDS_MAX + 20;

const _: () = assert!(PAYLOAD_BYTES_MAX <= u32::MAX as u64);
