//! Randomness for the kills: seeded, so that a run can be repeated.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A small generator (splitmix64); nothing here has to be unpredictable.
pub struct Chance {
    state: u64,
}

impl Chance {
    /// Seeded by `DEMO_SEED`, or differently on each run.
    pub fn seeded() -> (Chance, u64) {
        let given = std::env::var("DEMO_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| RandomState::new().build_hasher().finish() >> 32);
        (Chance { state: seed }, seed)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }
}
