//! A disk with a volatile cache, as a machine sees it and as a power cut leaves it.

use crate::Rng;
use crate::disks::{BLOCK_BYTES, Blocks, pieces};

/// What the disk holds, and what is only in its cache.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    bytes: u64,
    durable: Blocks,
    visible: Blocks,
    /// Written since the last flush, oldest first.
    pending: Vec<(u64, Vec<u8>)>,
}

/// What a power cut does to what the disk has in its cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// All of it arrives: what is lost is what the machine had not written.
    Nothing,
    /// All of it is lost.
    Everything,
    /// Each block of each write is lost or arrives, in so many of a hundred cases.
    Some(u64),
}

/// What a cut came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// The blocks that were only in the cache.
    pub pending: usize,
    /// Those of them that arrived.
    pub arrived: usize,
}

impl Disk {
    /// A disk of this size that holds this.
    pub fn new(bytes: u64, durable: Blocks) -> Disk {
        Disk { bytes, visible: durable.clone(), durable, pending: Vec::new() }
    }

    /// Its size.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads, what is in the cache as well.
    pub fn read(&self, offset: u64, bytes: &mut [u8]) {
        self.visible.read(offset, bytes);
    }

    /// Writes into the cache.
    pub fn write(&mut self, offset: u64, bytes: &[u8]) {
        self.visible.write(offset, bytes);
        self.pending.push((offset, bytes.to_vec()));
    }

    /// Makes everything written before durable.
    pub fn flush(&mut self) {
        for (offset, bytes) in self.pending.drain(..) {
            self.durable.write(offset, &bytes);
        }
    }

    /// Power is lost. What arrives of the cache does so in the order of the writes.
    pub fn cut(&mut self, loss: Loss, rng: &mut Rng) -> Kept {
        let mut kept = Kept::default();
        for (offset, bytes) in self.pending.drain(..) {
            for (number, at, piece) in pieces(offset, &bytes) {
                kept.pending += 1;
                let arrives = match loss {
                    Loss::Nothing => true,
                    Loss::Everything => false,
                    Loss::Some(percent) => !rng.chance(percent),
                };
                if arrives {
                    kept.arrived += 1;
                    self.durable.write(number * BLOCK_BYTES as u64 + at as u64, piece);
                }
            }
        }
        self.visible = self.durable.clone();
        kept
    }

    /// Writes past the cache.
    pub fn put(&mut self, offset: u64, bytes: &[u8]) {
        self.durable.write(offset, bytes);
        self.visible.write(offset, bytes);
    }

    /// What survives a cut that loses the cache.
    pub fn durable(&self) -> &Blocks {
        &self.durable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn byte(disk: &Disk, offset: u64) -> u8 {
        let mut byte = [0];
        disk.read(offset, &mut byte);
        byte[0]
    }

    #[test]
    fn what_was_flushed_survives_and_what_was_not_may_be_lost() {
        let mut disk = Disk::new(1 << 20, Blocks::default());
        disk.write(0, &[1; 100]);
        disk.flush();
        disk.write(0, &[2; 50]);
        disk.write(8192, &[3; 8192]);
        assert_eq!((byte(&disk, 0), byte(&disk, 9000)), (2, 3));
        let mut lost = disk.clone();
        let kept = lost.cut(Loss::Everything, &mut Rng::new(1));
        assert_eq!(kept, Kept { pending: 3, arrived: 0 });
        assert_eq!((byte(&lost, 0), byte(&lost, 99), byte(&lost, 9000)), (1, 1, 0));
        let kept = disk.cut(Loss::Nothing, &mut Rng::new(1));
        assert_eq!(kept, Kept { pending: 3, arrived: 3 });
        assert_eq!((byte(&disk, 0), byte(&disk, 99), byte(&disk, 9000)), (2, 1, 3));
    }

    #[test]
    fn a_cut_takes_some_blocks_of_one_write_and_leaves_others() {
        let mut disk = Disk::new(1 << 20, Blocks::default());
        disk.write(0, &[7; 64 * BLOCK_BYTES]);
        let kept = disk.cut(Loss::Some(50), &mut Rng::new(3));
        assert!(kept.arrived > 0 && kept.arrived < 64, "{kept:?}");
        let there = (0..64).filter(|block| byte(&disk, block * BLOCK_BYTES as u64) == 7).count();
        assert_eq!(there, kept.arrived);
        let again = disk.cut(Loss::Everything, &mut Rng::new(3));
        assert_eq!(again, Kept::default(), "a second cut finds nothing in the cache");
    }
}
