//! The states that were looked at.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Mutex, PoisonError};

/// A set of digests that several threads add to.
#[derive(Debug)]
pub struct Seen {
    shelves: Vec<Mutex<HashSet<u64, BuildHasherDefault<Plain>>>>,
}

impl Default for Seen {
    fn default() -> Seen {
        Seen { shelves: (0..SHELVES).map(|_| Mutex::default()).collect() }
    }
}

impl Seen {
    /// Adds a digest; whether it is new.
    pub fn is_new(&self, digest: u64) -> bool {
        let shelf = &self.shelves[(digest % SHELVES) as usize];
        shelf.lock().unwrap_or_else(PoisonError::into_inner).insert(digest)
    }
}

/// Digests are spread already.
#[derive(Default, Debug)]
struct Plain(u64);

impl Hasher for Plain {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _bytes: &[u8]) {}

    fn write_u64(&mut self, number: u64) {
        // The shelf took the lowest bits.
        self.0 = number.rotate_right(8);
    }
}

const SHELVES: u64 = 256;
