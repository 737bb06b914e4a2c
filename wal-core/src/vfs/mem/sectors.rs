//! The sectors of a file that unsynced writes touched, and what each of them may hold.

use super::content::Content;
use super::model::{Change, Inode};

/// What a file may hold after power loss, once it is decided which of its lengths has arrived.
pub(super) struct Plan {
    /// What is there when nothing else arrives.
    pub(super) base: Content,
    pub(super) len: u64,
    pub(super) sectors: Vec<Sector>,
}

/// A sector that unsynced writes touched: what it held before the first of them and after each.
pub(super) struct Sector {
    pub(super) number: u64,
    pub(super) held: Vec<[u8; SECTOR_BYTES as usize]>,
}

impl Plan {
    /// For a file of which the first `arrived` changes of its length have arrived, and `len` is its
    /// length then.
    pub(super) fn new(inode: &Inode, len: u64, arrived: usize) -> Plan {
        let mut base = inode.durable.clone();
        for change in &inode.pending[..arrived] {
            if let Change::SetLen(len) = change {
                base.set_len(*len);
            }
        }
        let limits = limits(inode, arrived);
        let sectors = touched(inode, &limits, len)
            .into_iter()
            .map(|(number, changes)| Sector::new(inode, &base, number, &changes, &limits))
            .collect();
        Plan { base, len, sectors }
    }

    /// Without what is the same whatever arrives.
    pub(super) fn distinct(mut self) -> Plan {
        for sector in &mut self.sectors {
            let inside = self.len.saturating_sub(sector.start()).min(SECTOR_BYTES) as usize;
            sector.held.iter_mut().for_each(|bytes| bytes[inside..].fill(0));
            sector.held.dedup();
        }
        self.sectors.retain(|sector| sector.held.len() > 1);
        self
    }
}

impl Sector {
    fn new(
        inode: &Inode,
        base: &Content,
        number: u64,
        changes: &[usize],
        limits: &[u64],
    ) -> Sector {
        let start = number * SECTOR_BYTES;
        let mut bytes = [0; SECTOR_BYTES as usize];
        base.read_padded(&mut bytes, start);
        let mut held = Vec::with_capacity(changes.len() + 1);
        held.push(bytes);
        for &at in changes {
            overlay(&inode.pending[at], limits[at], start, &mut bytes);
            held.push(bytes);
        }
        Sector { number, held }
    }

    pub(super) fn start(&self) -> u64 {
        self.number * SECTOR_BYTES
    }
}

/// For each change, where its bytes end at the latest because a later cut has arrived.
fn limits(inode: &Inode, arrived: usize) -> Vec<u64> {
    let mut limits = vec![u64::MAX; inode.pending.len()];
    let mut least = u64::MAX;
    for at in (0..arrived).rev() {
        limits[at] = least;
        if let Change::SetLen(len) = &inode.pending[at] {
            least = least.min(*len);
        }
    }
    limits
}

/// The sectors before `len` that unsynced writes touched, each with those writes in order.
fn touched(inode: &Inode, limits: &[u64], len: u64) -> Vec<(u64, Vec<usize>)> {
    let mut touched = Vec::new();
    for (at, change) in inode.pending.iter().enumerate() {
        let Change::Write { offset, bytes } = change else { continue };
        let end = limits[at].min(offset + bytes.len() as u64).min(len);
        for sector in offset / SECTOR_BYTES..end.div_ceil(SECTOR_BYTES) {
            touched.push((sector, at));
        }
    }
    touched.sort_unstable();
    let mut sectors: Vec<(u64, Vec<usize>)> = Vec::new();
    for (sector, at) in touched {
        match sectors.last_mut() {
            Some((last, changes)) if *last == sector => changes.push(at),
            _ => sectors.push((sector, vec![at])),
        }
    }
    sectors
}

/// The part of a write below `limit` that lies in the sector at `start`.
fn overlay(change: &Change, limit: u64, start: u64, sector: &mut [u8; SECTOR_BYTES as usize]) {
    let Change::Write { offset, bytes } = change else { return };
    let first = start.max(*offset);
    let end = (start + SECTOR_BYTES).min(offset + bytes.len() as u64).min(limit);
    if first < end {
        sector[(first - start) as usize..(end - start) as usize]
            .copy_from_slice(&bytes[(first - offset) as usize..(end - offset) as usize]);
    }
}

/// What devices write whole, as a rule; a crash may break it.
pub(super) const SECTOR_BYTES: u64 = 512;
