//! The bytes that writer and reader agree on without telling each other.

/// The 32-bit numbers of a seed (xorshift; Marsaglia: Xorshift RNGs, 2003): easy in any language.
#[derive(Clone, Debug)]
pub struct Numbers(u32);

impl Numbers {
    /// The numbers of a seed; of a larger one its lower 32 bits count.
    pub fn of(seed: u64) -> Numbers {
        let state = (seed as u32).wrapping_mul(2_654_435_761).wrapping_add(1);
        Numbers(state.max(1))
    }

    /// The next number.
    pub fn draw(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }
}

/// `pattern:SEED:LEN`.
pub fn pattern(seed: u64, len: usize) -> Vec<u8> {
    let mut numbers = Numbers::of(seed);
    let mut bytes = Vec::with_capacity(len + 4);
    while bytes.len() < len {
        bytes.extend_from_slice(&numbers.draw().to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

/// The record that `write` appends with this LSN.
pub fn record(lsn: u64) -> Vec<u8> {
    let length = if lsn.is_multiple_of(64) { lsn * 977 % 5000 } else { lsn * 31 % 120 };
    let mut bytes = lsn.to_le_bytes().to_vec();
    bytes.extend(pattern(lsn, length as usize));
    bytes
}

/// The CRC-32 of the records with these LSNs in a row.
pub fn checksum(lsns: std::ops::RangeInclusive<u64>) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    lsns.for_each(|lsn| crc.update(&record(lsn)));
    crc.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed by hand-written Python from the README's text.
    #[test]
    fn the_numbers_are_those_of_the_readme() {
        assert_eq!(pattern(0, 8), [0x21, 0x20, 0x04, 0x00, 0x01, 0x06, 0x08, 0x04]);
        assert_eq!(pattern(7, 3), pattern(7, 8)[..3]);
        assert_eq!(record(1).len(), 8 + 31);
        assert_eq!(record(64).len(), 8 + 64 * 977 % 5000);
        assert_eq!(record(258)[..9], [2, 1, 0, 0, 0, 0, 0, 0, pattern(258, 1)[0]]);
    }

    #[test]
    fn records_of_different_lsns_differ() {
        let firsts: std::collections::BTreeSet<_> = (1..500).map(record).collect();
        assert_eq!(firsts.len(), 499);
        assert_ne!(checksum(1..=10), checksum(1..=11));
    }
}
