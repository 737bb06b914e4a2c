//! The numbers of the packed layout as C sees them; the layout itself is the engine's.

use wal_core::packed::{BATCH_CONTINUES, RECORD_ALIGN, RECORD_HEADER_BYTES};

/// Numbers of the packed layout.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum wal_packed {
    /// Flag: the batch goes on with the next record. Set by reads; appends take any batch as one.
    WAL_PACKED_BATCH_CONTINUES = 1,
    /// What every record begins at a multiple of, counted from the first.
    WAL_PACKED_ALIGN = 8,
    /// Bytes before a record's payload: `uint32_t` length, `uint32_t` flags, `uint64_t` LSN.
    WAL_PACKED_HEADER_BYTES = 16,
}

const _: () = assert!(wal_packed::WAL_PACKED_BATCH_CONTINUES as u32 == BATCH_CONTINUES);
const _: () = assert!(wal_packed::WAL_PACKED_ALIGN as usize == RECORD_ALIGN);
const _: () = assert!(wal_packed::WAL_PACKED_HEADER_BYTES as usize == RECORD_HEADER_BYTES);
