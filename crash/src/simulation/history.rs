//! A history: how a log is set up, and what happens to it.

use wal_core::{Io, Level, Lsn, Options};

use super::step::Step;
use crate::Rng;

/// A history, which always comes out the same.
#[derive(Clone, Debug)]
pub struct History {
    /// What it was made from; random numbers of the engine come from it as well.
    pub seed: u64,
    /// How the log is opened, each time.
    pub options: Options,
    /// What happens.
    pub steps: Vec<Step>,
}

impl History {
    /// The history of a seed.
    pub fn new(seed: u64) -> History {
        let mut rng = Rng::new(seed);
        let level = [Level::Disk, Level::Disk, Level::Os, Level::Buffered][rng.below(4)];
        let options = Options {
            level,
            segment_bytes: [32, 32, 64, 128][rng.below(4)] * 1024,
            ring_bytes: [32, 32, 128][rng.below(3)] * 1024,
            max_batch_bytes: [4096, 1 << 20][rng.below(2)],
            sync_bytes: rng.chance(20).then_some(10_000),
            pad_to_block: rng.chance(15),
            io: if rng.chance(10) { Io::Direct } else { Io::Auto },
            first_lsn: Lsn::new([1, 1, 1_000_000][rng.below(3)]).unwrap_or(Lsn::FIRST),
            ..Options::default()
        };
        // Some histories know no fault, some hardly anything else.
        let faults = [0, 3, 10, 30][rng.below(4)];
        let count = 100 + rng.below(300);
        let steps = (0..count).map(|_| Step::random(&mut rng, level, faults)).collect();
        History { seed, options, steps }
    }
}
