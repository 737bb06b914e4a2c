//! Changes inputs a little, from a seed: what a fuzzer does, without knowing what a target has
//! reached.

use crate::Rng;

/// An input made from one or two others.
pub(super) fn mutate(rng: &mut Rng, corpus: &[Vec<u8>]) -> Vec<u8> {
    let some = |rng: &mut Rng| corpus.get(rng.below(corpus.len())).cloned().unwrap_or_default();
    let mut bytes = some(rng);
    for _ in 0..=rng.below(6) {
        let at = rng.below(bytes.len() + 1);
        match rng.below(9) {
            0 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << rng.below(8);
                }
            }
            1 => overwrite(&mut bytes, at, &rng.next().to_le_bytes()[..1]),
            2 => {
                let width = 1 << rng.below(4);
                let edge = EDGES[rng.below(EDGES.len())].to_le_bytes();
                overwrite(&mut bytes, at, &edge[..width]);
            }
            3 => {
                let len = rng.below(20);
                let new: Vec<u8> = (0..len).map(|_| rng.next() as u8).collect();
                bytes.splice(at..at, new);
            }
            4 => {
                let end = (at + rng.below(40)).min(bytes.len());
                bytes.drain(at..end);
            }
            5 => bytes.truncate(at),
            6 => {
                let other = some(rng);
                let from = rng.below(other.len() + 1);
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            7 => {
                let end = (at + rng.below(40)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                let to = rng.below(bytes.len() + 1);
                bytes.splice(to..to, piece);
            }
            _ => {
                let new: Vec<u8> = (0..rng.below(30)).map(|_| rng.next() as u8).collect();
                bytes.extend(new);
            }
        }
    }
    bytes.truncate(BYTES_MAX);
    bytes
}

fn overwrite(bytes: &mut [u8], at: usize, new: &[u8]) {
    let Some(place) = bytes.get_mut(at..) else { return };
    place.iter_mut().zip(new).for_each(|(old, new)| *old = *new);
}

const EDGES: [u64; 12] =
    [0, 1, 8, 0x7f, 0xff, 0xffff, 4096, 0x7fff_ffff, 0xffff_ffff, (1 << 63) - 1, 1 << 63, u64::MAX];
const BYTES_MAX: usize = 16 << 10;
