//! What a workload does, chosen by a seed.

use wal_core::{Io, Level, Options, ReadMode};

use crate::Rng;

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Appends records together.
    Append(Level, Vec<usize>),
    /// Trims so that this many records stay.
    TrimKeeping(u64),
    /// Trims to the start of the newest segment.
    TrimToSegment,
    /// Truncates this many records.
    Truncate(u64),
    /// Begins anew this far beyond the next LSN.
    Reset(u64),
    /// Sets values of these lengths.
    Set(Vec<(u8, usize)>),
    /// Removes a value.
    Delete(u8),
    /// Syncs.
    Sync,
    /// Closes and opens again.
    Reopen,
    /// Lets background work be done.
    Pause,
}

/// The options of the log under test.
pub fn options(seed: u64) -> Options {
    let mut rng = Rng::new(seed ^ 0x6f70_7469_6f6e_7321);
    Options {
        segment_bytes: 64 << 10,
        ring_bytes: 64 << 10,
        level: *pick(&mut rng, &[Level::Disk, Level::Disk, Level::Disk, Level::Os]),
        pad_to_block: rng.chance(15),
        io: *pick(&mut rng, &[Io::Auto, Io::Auto, Io::Buffered, Io::Direct]),
        read_mode: *pick(&mut rng, &[ReadMode::Map, ReadMode::Pread]),
        ..Options::default()
    }
}

/// A workload that visits everything: many records in several segments, trims that recycle, cuts.
pub fn everything(seed: u64) -> Vec<Step> {
    let mut rng = Rng::new(seed);
    let level = options(seed).level;
    let mut steps = Vec::new();
    for _ in 0..STEPS {
        let step = match rng.below(100) {
            0..40 => Step::Append(level, vec![len(&mut rng)]),
            40..52 => {
                let count = 1 + rng.below(6);
                Step::Append(level, (0..count).map(|_| len(&mut rng)).collect())
            }
            52..60 => {
                let level = *pick(&mut rng, &[Level::Disk, Level::Os, Level::Buffered]);
                Step::Append(level, vec![len(&mut rng)])
            }
            60..66 => Step::TrimToSegment,
            66..70 => Step::TrimKeeping(rng.below(6) as u64),
            70..74 => Step::Truncate(1 + rng.below(4) as u64),
            74..76 => Step::Reset(rng.below(50) as u64),
            76..84 => {
                let count = 1 + rng.below(3);
                let value = |rng: &mut Rng| (rng.below(4) as u8, 8 + rng.below(500));
                Step::Set((0..count).map(|_| value(&mut rng)).collect())
            }
            84..86 => Step::Delete(rng.below(4) as u8),
            86..89 => Step::Sync,
            89..96 => Step::Reopen,
            _ => Step::Pause,
        };
        steps.push(step);
    }
    steps
}

/// A short workload for faults: durable appends into more than one segment, a trim, values.
pub fn appends(seed: u64) -> Vec<Step> {
    let mut rng = Rng::new(seed);
    let mut steps: Vec<_> =
        (0..7).map(|_| Step::Append(Level::Disk, vec![8 + rng.below(20_000)])).collect();
    steps.insert(3, Step::Set(vec![(1, 300), (2, 40)]));
    steps.push(Step::Append(Level::Disk, vec![100, 6000, 300]));
    steps.push(Step::TrimKeeping(5));
    steps.push(Step::Set(vec![(2, 200)]));
    steps.push(Step::Append(Level::Os, vec![500]));
    steps.push(Step::Sync);
    steps.push(Step::Append(Level::Disk, vec![5000]));
    steps
}

fn len(rng: &mut Rng) -> usize {
    match rng.below(10) {
        0..4 => 8 + rng.below(200),
        4..7 => 8 + rng.below(4000),
        7..9 => 4000 + rng.below(9000),
        _ => 10_000 + rng.below(30_000),
    }
}

fn pick<'a, T>(rng: &mut Rng, from: &'a [T]) -> &'a T {
    &from[rng.below(from.len())]
}

const STEPS: usize = 45;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_brings_the_same_workload_back() {
        assert_eq!(everything(5), everything(5));
        assert_ne!(everything(5), everything(6));
        assert!((0..50).all(|seed| options(seed).validate().is_ok()));
    }
}
