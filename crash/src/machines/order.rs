//! What a machine is to do, as text in a block behind the file system on its disk.

use crate::disks::{BLOCK_BYTES, FileSystem};

/// What one machine is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The file system on the disk.
    pub file_system: FileSystem,
    /// What its workload follows from.
    pub seed: u64,
    /// The number of its first record; no other machine has it.
    pub number: u64,
    /// The time, in seconds: a resumed machine would have that of its picture.
    pub clock: u64,
    /// For the kernel's random numbers, which would be those of its picture.
    pub entropy: u64,
}

impl Order {
    /// As a block.
    pub fn to_block(&self) -> Vec<u8> {
        let Order { file_system, seed, number, clock, entropy } = self;
        let name = file_system.name();
        let mut block = format!("{name} {seed} {number} {clock} {entropy}\n").into_bytes();
        block.resize(BLOCK_BYTES, 0);
        block
    }

    /// Reads a block.
    pub fn of_block(block: &[u8]) -> Option<Order> {
        let end = block.iter().position(|byte| *byte == b'\n')?;
        let mut words = std::str::from_utf8(&block[..end]).ok()?.split(' ');
        let file_system = FileSystem::named(words.next()?)?;
        let mut number = || words.next()?.parse().ok();
        let (seed, first, clock, entropy) = (number()?, number()?, number()?, number()?);
        Some(Order { file_system, seed, number: first, clock, entropy })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_as_it_was_written_and_a_block_of_zeros_is_none() {
        let file_system = FileSystem::BtrfsInPlace;
        let order = Order { file_system, seed: u64::MAX, number: 7, clock: 8, entropy: 9 };
        let block = order.to_block();
        assert_eq!((block.len(), Order::of_block(&block)), (BLOCK_BYTES, Some(order)));
        assert_eq!(Order::of_block(&[0; BLOCK_BYTES]), None);
        assert_eq!(Order::of_block(b"ext3 1 2 3 4\n"), None);
    }
}
