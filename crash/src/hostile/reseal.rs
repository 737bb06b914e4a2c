//! Makes every checksum and chain value of a log's files right again, so that what is wrong with
//! them is wrong by its meaning alone.

use super::survive::Image;

/// Reseals all files.
pub(super) fn reseal(image: &mut Image) {
    for (name, content) in image {
        if name == "STATE" {
            reseal_slot(content, 0);
            reseal_slot(content, SLOT_BYTES);
        } else {
            reseal_segment(content);
        }
    }
}

fn reseal_slot(content: &mut [u8], at: usize) {
    let used = u32_at(content, at + 24) as usize;
    let Some(slot) = at.checked_add(used).and_then(|end| content.get_mut(at..end)) else { return };
    if slot.len() < 136 || slot.iter().all(|&byte| byte == 0) {
        return;
    }
    put(slot, 12, 0);
    let checksum = crc(0, slot);
    put(slot, 12, checksum);
}

fn reseal_segment(content: &mut [u8]) {
    if content.len() < DATA_START || content[..DATA_START].iter().all(|&byte| byte == 0) {
        return;
    }
    for copy in [0, BLOCK_BYTES] {
        let checksum = crc(0, &content[copy..copy + BLOCK_BYTES - 4]);
        put(content, copy + BLOCK_BYTES - 4, checksum);
    }
    let of_header = crc(0, &[&content[24..48], &content[56..72]].concat());
    let mut seed = of_header;
    let mut chain = u32_at(content, BLOCK_BYTES - 4);
    let (mut start, mut at) = (DATA_START, DATA_START);
    while let Some(len) = frame_bytes(content, at) {
        let end = at + len.next_multiple_of(8);
        let kind = content[at + 8];
        if kind == COMMIT && len == 64 {
            chain = crc(chain, &content[start..at]);
            put(content, at + 16 + 12, chain);
        }
        let with = if kind == FOOTER { of_header } else { seed };
        let checksum = crc(with ^ (at / 8) as u32, &content[at + 4..at + len]);
        put(content, at, checksum);
        if kind == OPENING && len == 32 {
            let identity = [&content[24..48], &content[at + 16..at + 32]].concat();
            seed = crc(0, &identity);
        }
        if end > content.len() {
            break;
        }
        if kind == COMMIT {
            start = end;
        }
        at = end;
    }
}

/// Bytes of the frame here, without what fills it up to eight.
fn frame_bytes(content: &[u8], at: usize) -> Option<usize> {
    let header = content.get(at..at + 16)?;
    let len = 16 + u32_at(header, 4) as usize;
    let is_there = header.iter().any(|&byte| byte != 0) && at + len <= content.len();
    is_there.then_some(len)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_le_bytes)
}

fn put(bytes: &mut [u8], at: usize, value: u32) {
    if let Some(place) = bytes.get_mut(at..at + 4) {
        place.copy_from_slice(&value.to_le_bytes());
    }
}

fn crc(start: u32, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(start);
    hasher.update(bytes);
    hasher.finalize()
}

const SLOT_BYTES: usize = 131_072;
const DATA_START: usize = 8192;
const BLOCK_BYTES: usize = 4096;
const COMMIT: u8 = 2;
const OPENING: u8 = 4;
const FOOTER: u8 = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hostile::bases::BASES;

    /// Otherwise the damage behind right checksums would be no deeper than that behind wrong ones.
    #[test]
    fn resealing_a_sound_log_changes_nothing() {
        assert_eq!(BASES.len(), 6);
        for base in BASES.iter() {
            let mut image = base.clone();
            reseal(&mut image);
            for (name, content) in base {
                let at = content.iter().zip(&image[name]).position(|(old, new)| old != new);
                assert_eq!(at, None, "{name}");
            }
        }
    }
}
