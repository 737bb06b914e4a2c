//! Where an execution is cut off, and what is left then.

use wal_core::vfs::MemVfs;

use super::history::{Facts, Outcome};
use super::judge::Loss;
use crate::Rng;

/// What of all that was not synced has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// Nothing.
    Nothing,
    /// Everything, and the machine is off all the same.
    All,
    /// Any part of it, as this seed says.
    Some(u64),
    /// What a process leaves that dies.
    ByProcess,
}

/// A crash to be judged.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    pub op: usize,
    pub left: Left,
}

/// So many of the crashes there could be after operation `base`: half of them where somebody had
/// just been told something, the others anywhere.
pub fn sample(facts: &Facts, base: usize, end: usize, count: usize, rng: &mut Rng) -> Vec<Point> {
    let told: Vec<usize> = facts
        .appends
        .iter()
        .filter_map(|append| match append.outcome {
            Outcome::Done(at) => Some(at.op),
            _ => None,
        })
        .chain(facts.marks.iter().map(|mark| mark.at.op))
        .chain(facts.changes.iter().filter_map(|change| Some(change.done?.op)))
        .collect();
    let mut points = Vec::new();
    for _ in 0..count {
        let op = match told.get(rng.below(told.len() * 2)) {
            Some(&op) => op,
            None => base + rng.below(end - base + 1),
        };
        let left = match rng.below(10) {
            0..=3 => Left::Nothing,
            4 => Left::All,
            5 | 6 => Left::ByProcess,
            _ => Left::Some(rng.next()),
        };
        points.push(Point { op, left });
    }
    points
}

/// Every operation after `base`, in each of the ways.
pub fn every(base: usize, end: usize, rng: &mut Rng) -> Vec<Point> {
    let ways = |op, rng: &mut Rng| {
        let seeds = [rng.next(), rng.next()];
        [Left::Nothing, Left::All, Left::ByProcess, Left::Some(seeds[0]), Left::Some(seeds[1])]
            .map(|left| Point { op, left })
    };
    (base..=end).flat_map(|op| ways(op, rng)).collect()
}

impl Point {
    pub fn loss(self) -> Loss {
        if self.left == Left::ByProcess { Loss::Process } else { Loss::Power }
    }

    /// The disk as it is found afterwards.
    pub fn image(self, disk: &MemVfs) -> MemVfs {
        match self.left {
            Left::Nothing => disk.crash_at(self.op, &mut |_| 0),
            Left::All => disk.crash_at(self.op, &mut |choices| choices - 1),
            Left::ByProcess => disk.kill_at(self.op),
            Left::Some(seed) => {
                let mut rng = Rng::new(seed);
                let percent = [10, 50, 90][rng.below(3)];
                disk.crash_at(self.op, &mut |choices| match rng.chance(percent) {
                    true => choices - 1,
                    false if rng.chance(30) => rng.below(choices),
                    false => 0,
                })
            }
        }
    }
}
