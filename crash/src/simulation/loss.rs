//! What is left when everything stops.

use std::fmt;

use wal_core::vfs::MemVfs;

use crate::Rng;
use crate::model::End;

/// One way to lose power, or the death of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nothing arrives of what was not synced.
    Nothing,
    /// All of it arrives.
    All,
    /// The process dies.
    Death,
    /// Each part for itself: percent that arrive, percent of the sectors that are torn.
    Random {
        /// What decides.
        seed: u64,
        /// Percent that arrive.
        arrive: u64,
        /// Percent that are torn.
        tear: u64,
    },
}

impl Loss {
    /// Any of them.
    pub fn random(rng: &mut Rng) -> Loss {
        match rng.below(10) {
            0 => Loss::Nothing,
            1 => Loss::All,
            2 => Loss::Death,
            _ => Loss::power_loss(rng),
        }
    }

    /// A power loss that leaves some of everything.
    pub fn power_loss(rng: &mut Rng) -> Loss {
        let (arrive, tear) =
            [(50, 0), (50, 20), (90, 5), (10, 5), (97, 0), (3, 0), (70, 30), (33, 33)]
                [rng.below(8)];
        Loss::Random { seed: rng.next(), arrive, tear }
    }

    /// The file system it leaves after so many operations.
    pub fn of(self, vfs: &MemVfs, op: usize) -> MemVfs {
        match self {
            Loss::Nothing => vfs.crash_at(op, &mut |_| 0),
            Loss::All => vfs.crash_at(op, &mut |choices| choices - 1),
            Loss::Death => vfs.kill_at(op),
            Loss::Random { seed, arrive, tear } => {
                let mut rng = Rng::new(seed);
                vfs.crash_at(op, &mut |choices| {
                    if choices > 2 && rng.chance(tear) {
                        // For a sector, 1 tears it, and many choices are places to tear at.
                        return if choices > 100 { rng.below(choices) } else { 1 };
                    }
                    match rng.chance(arrive) {
                        true if choices > 3 && rng.chance(20) => rng.below(choices),
                        true => choices - 1,
                        false => 0,
                    }
                })
            }
        }
    }

    /// Whether power was lost or only the process.
    pub fn end(self) -> End {
        if self == Loss::Death { End::Death } else { End::PowerLoss }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Loss::Nothing => f.write_str("power is lost, nothing unsynced has arrived"),
            Loss::All => f.write_str("power is lost, everything has arrived"),
            Loss::Death => f.write_str("the process dies"),
            Loss::Random { seed, arrive, tear } => {
                write!(
                    f,
                    "power is lost, {arrive} % have arrived, {tear} % are torn (seed {seed:#x})"
                )
            }
        }
    }
}
