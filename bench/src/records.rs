//! The records that are appended: bytes that no compression shortens, from one pool.

/// A pool of bytes that records are cut from.
pub struct Records {
    pool: Vec<u8>,
    record_bytes: usize,
}

impl Records {
    /// Records of this length.
    pub fn new(record_bytes: usize) -> Records {
        let mut random = Random::new(1);
        let bytes = POOL_BYTES + record_bytes;
        let pool = (0..bytes.div_ceil(8)).flat_map(|_| random.next().to_le_bytes()).collect();
        Records { pool, record_bytes }
    }

    /// A record; neighbours are different.
    pub fn at(&self, index: u64) -> &[u8] {
        // A stride that is prime to the pool, in steps of a cache line.
        let line = index.wrapping_mul(STRIDE) % (POOL_BYTES as u64 / 64);
        let start = line as usize * 64;
        &self.pool[start..start + self.record_bytes]
    }
}

/// Numbers that look random and are the same in each run (xorshift).
pub struct Random(u64);

impl Random {
    /// A sequence; `seed` is not zero.
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// The next number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }
}

/// Small enough for the cache of a core: the logs are measured, not the memory of the producer.
const POOL_BYTES: usize = 256 << 10;
const STRIDE: u64 = 1021;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_have_their_length_and_differ_from_their_neighbours() {
        for record_bytes in [16, 256, 4 << 20] {
            let records = Records::new(record_bytes);
            for index in [0, 1, 1000, u64::MAX - 1] {
                assert_eq!(records.at(index).len(), record_bytes);
                assert_ne!(records.at(index), records.at(index.wrapping_add(1)));
            }
        }
    }

    #[test]
    fn random_numbers_stay_below_their_end() {
        let mut random = Random::new(7);
        let found: Vec<u64> = (0..1000).map(|_| random.below(10)).collect();
        assert!(found.iter().all(|number| *number < 10) && found.contains(&9));
    }
}
