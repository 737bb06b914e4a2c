//! Choices taken from a target's bytes, one after the other; zeros when there are no more.

/// What is left of the bytes.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    /// All of the bytes.
    pub fn new(bytes: &'a [u8]) -> Input<'a> {
        Input(bytes)
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or(0)
    }

    /// The next two bytes as a number.
    pub fn short(&mut self) -> u16 {
        u16::from(self.byte()) | u16::from(self.byte()) << 8
    }

    /// The next four bytes as a number.
    pub fn word(&mut self) -> u32 {
        u32::from(self.short()) | u32::from(self.short()) << 16
    }

    /// A number at a boundary, or any: the first byte says which.
    pub fn number(&mut self) -> u64 {
        match self.byte() {
            at if usize::from(at) < EDGES.len() => EDGES[usize::from(at)],
            at if at < 200 => u64::from(at),
            _ => u64::from(self.word()) | u64::from(self.word()) << 32,
        }
    }

    /// One of `0..n`.
    pub fn below(&mut self, n: usize) -> usize {
        if n <= 256 { usize::from(self.byte()) % n.max(1) } else { self.word() as usize % n }
    }

    /// The next bytes, at most this many.
    pub fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

/// Where lengths, counts and positions go wrong.
pub(super) const EDGES: [u64; 40] = [
    0,
    1,
    2,
    3,
    7,
    8,
    9,
    15,
    16,
    17,
    63,
    64,
    135,
    136,
    137,
    255,
    256,
    511,
    512,
    4095,
    4096,
    4097,
    8191,
    8192,
    65_528,
    65_535,
    65_536,
    131_072,
    1 << 20,
    1 << 26,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_fff0,
    0xffff_ffff,
    1 << 32,
    (1 << 63) - 2,
    (1 << 63) - 1,
    1 << 63,
    u64::MAX - 1,
    u64::MAX,
];
