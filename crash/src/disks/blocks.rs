//! What a disk holds, block by block.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;

/// The unit in which a disk keeps or loses writes, in bytes.
pub const BLOCK_BYTES: usize = 4096;

/// The content of a block.
pub type Block = Arc<[u8; BLOCK_BYTES]>;

/// A disk of which only the blocks that are not zero take memory, with a hash of all of it that is
/// kept up to date: two disks with the same hash are taken to hold the same.
#[derive(Clone, Debug, Default)]
pub struct Blocks {
    map: HashMap<u64, Block>,
    hash: u64,
}

impl Blocks {
    /// The block with this number; `None` is zeros.
    pub fn block(&self, number: u64) -> Option<&Block> {
        self.map.get(&number)
    }

    /// The numbers and contents of the blocks that are not zero, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &Block)> {
        self.map.iter().map(|(number, block)| (*number, block))
    }

    /// What the disk as a whole holds, as a number.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// Puts a whole block in its place.
    pub fn put(&mut self, number: u64, block: Block) {
        self.hash ^= self.map.get(&number).map_or(0, |old| hash(number, old));
        self.hash ^= hash(number, &block);
        if block.iter().all(|byte| *byte == 0) {
            self.map.remove(&number);
        } else {
            self.map.insert(number, block);
        }
    }

    /// Writes bytes anywhere.
    pub fn write(&mut self, offset: u64, bytes: &[u8]) {
        for (number, at, piece) in pieces(offset, bytes) {
            let mut block = self.map.get(&number).map_or([0; BLOCK_BYTES], |block| **block);
            block[at..at + piece.len()].copy_from_slice(piece);
            self.put(number, Arc::new(block));
        }
    }

    /// Reads bytes from anywhere.
    pub fn read(&self, offset: u64, bytes: &mut [u8]) {
        let mut done = 0;
        while done < bytes.len() {
            let place = offset + done as u64;
            let at = (place % BLOCK_BYTES as u64) as usize;
            let len = (BLOCK_BYTES - at).min(bytes.len() - done);
            match self.map.get(&(place / BLOCK_BYTES as u64)) {
                Some(block) => bytes[done..done + len].copy_from_slice(&block[at..at + len]),
                None => bytes[done..done + len].fill(0),
            }
            done += len;
        }
    }
}

/// The parts of a write by the block they are in: its number, the place in it, and the bytes.
pub fn pieces(offset: u64, bytes: &[u8]) -> impl Iterator<Item = (u64, usize, &[u8])> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let place = offset + done as u64;
        let at = (place % BLOCK_BYTES as u64) as usize;
        let len = (BLOCK_BYTES - at).min(bytes.len() - done);
        let piece = &bytes[done..done + len];
        done += len;
        (len > 0).then_some((place / BLOCK_BYTES as u64, at, piece))
    })
}

/// Zero for a block of zeros, so that a block that was never written counts as one.
pub fn hash(number: u64, block: &Block) -> u64 {
    if block.iter().all(|byte| *byte == 0) {
        return 0;
    }
    let mut hasher = DefaultHasher::new();
    hasher.write_u64(number);
    hasher.write(&block[..]);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_holds_the_same_has_the_same_hash() {
        let mut one = Blocks::default();
        one.write(4000, &[7; 200]);
        let mut other = Blocks::default();
        other.write(0, &[9; 9000]);
        assert_ne!(one.hash(), other.hash());
        other.write(0, &[0; 9000]);
        assert_eq!(other.hash(), 0);
        other.write(4096, &[7; 104]);
        other.write(4000, &[7; 96]);
        assert_eq!(one.hash(), other.hash());
        let mut bytes = [1; 202];
        other.read(3999, &mut bytes);
        assert_eq!((bytes[0], bytes[1], bytes[200], bytes[201]), (0, 7, 7, 0));
    }
}
