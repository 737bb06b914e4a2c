//! What a power loss can leave of a file system.
//!
//! The medium holds whatever was synced. Everything else was on its way, in no order: each sector
//! of 512 bytes holds its synced bytes or those any later write left in it, or is torn between two
//! of these; each length and each name is one the file or directory had since its sync. Two things
//! no file system does are left out: bytes that were cut off do not come back once the cut has
//! arrived, and a renamed file does not lose both its names.
//!
//! Every decision is one call of the chooser with the number of choices: 0 is always "nothing of it
//! arrived", the last choice always "all of it arrived".

use std::collections::BTreeMap;
use std::sync::Arc;

use super::content::Content;
use super::model::{Change, Entry, Inode, Model, Names, is_root};

/// Takes one of `n` choices, numbered from 0; a larger answer counts as the last one.
pub(super) type Chooser<'c> = &'c mut dyn FnMut(usize) -> usize;

/// One of the states power loss can leave of `model`; all of it is durable.
pub(super) fn crash(model: &Model, chooser: Chooser<'_>) -> Model {
    let names = surviving_names(model, chooser);
    let mut inodes = BTreeMap::new();
    for entry in names.values() {
        let Entry::File(number) = *entry else { continue };
        let Some(inode) = model.inodes.get(&number) else { continue };
        // Two names of one file: an interrupted renaming.
        inodes.entry(number).or_insert_with(|| {
            if inode.pending.is_empty() {
                Arc::new(Inode::durable(inode.durable.clone()))
            } else {
                Arc::new(Inode::durable(surviving_content(inode, chooser)))
            }
        });
    }
    let names = Arc::new(names);
    Model { inodes, names: names.clone(), durable_names: names, pending_names: Vec::new() }
}

fn surviving_names(model: &Model, chooser: Chooser<'_>) -> Names {
    let mut names = (*model.durable_names).clone();
    for change in &model.pending_names {
        if change.is_possible(&names) && choose(chooser, 2) == 1 {
            change.apply(&mut names);
        }
    }
    // A directory synced itself is still lost when its own name is. Parents sort before children.
    let all: Vec<_> = names.keys().cloned().collect();
    for path in all {
        let parent = path.parent().unwrap_or(&path);
        if !is_root(parent) && names.get(parent) != Some(&Entry::Dir) {
            names.remove(&path);
        }
    }
    names
}

fn surviving_content(inode: &Inode, chooser: Chooser<'_>) -> Content {
    let (len, arrived) = surviving_len(inode, chooser);
    let mut content = inode.durable.clone();
    for change in &inode.pending[..arrived] {
        if let Change::SetLen(len) = change {
            content.set_len(*len);
        }
    }
    let limits = limits(inode, arrived);
    for (sector, changes) in touched_sectors(inode, &limits) {
        survive_sector(inode, sector, &changes, &limits, &mut content, chooser);
    }
    content.set_len(len);
    content
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

/// A length the file had since its sync, and how many changes the inode has seen by then.
fn surviving_len(inode: &Inode, chooser: Chooser<'_>) -> (u64, usize) {
    let mut lens = vec![(inode.durable.len(), 0)];
    let mut len = inode.durable.len();
    for (at, change) in inode.pending.iter().enumerate() {
        let after = change.len_after(len);
        if after != len || matches!(change, Change::SetLen(_)) {
            lens.push((after, at + 1));
        }
        len = after;
    }
    if lens.len() == 1 { lens[0] } else { lens[choose(chooser, lens.len())] }
}

/// The sectors that unsynced writes touched, each with those writes in order.
fn touched_sectors(inode: &Inode, limits: &[u64]) -> Vec<(u64, Vec<usize>)> {
    let mut touched = Vec::new();
    for (at, change) in inode.pending.iter().enumerate() {
        let Change::Write { offset, bytes } = change else { continue };
        let end = limits[at].min(offset + bytes.len() as u64);
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

/// Brings one sector to what it held after some of the writes that touched it.
fn survive_sector(
    inode: &Inode,
    sector: u64,
    changes: &[usize],
    limits: &[u64],
    content: &mut Content,
    chooser: Chooser<'_>,
) {
    // None of the writes, torn between two states, or the first n of them.
    let choice = choose(chooser, changes.len() + 2);
    if choice == 0 {
        return;
    }
    let (whole, torn) = match choice {
        1 => (choose(chooser, changes.len()), true),
        _ => (choice - 1, false),
    };
    let start = sector * SECTOR_BYTES;
    let mut bytes = [0; SECTOR_BYTES as usize];
    content.read_padded(&mut bytes, start);
    let apply = |bytes: &mut [u8; SECTOR_BYTES as usize], count| {
        for &at in &changes[..count] {
            overlay(&inode.pending[at], limits[at], start, bytes);
        }
    };
    apply(&mut bytes, whole);
    if torn {
        let mut newer = bytes;
        let at = changes[whole];
        overlay(&inode.pending[at], limits[at], start, &mut newer);
        let cut = 1 + choose(chooser, bytes.len() - 1);
        bytes[..cut].copy_from_slice(&newer[..cut]);
    }
    content.write(&bytes, start);
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

fn choose(chooser: Chooser<'_>, choices: usize) -> usize {
    chooser(choices).min(choices - 1)
}

/// What devices write whole, as a rule; the chooser may break it.
const SECTOR_BYTES: u64 = 512;
