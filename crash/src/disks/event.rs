//! What reaches a disk, and what is said meanwhile.

use std::sync::Arc;

/// One thing that reached the disk, or was told to whoever watches it.
#[derive(Clone, Debug)]
pub enum Event {
    /// Bytes were written to an offset.
    Write(u64, Arc<[u8]>),
    /// Everything written before is on stable storage.
    Flush,
    /// The workload said something; see [`super::script`].
    Mark(String),
}
