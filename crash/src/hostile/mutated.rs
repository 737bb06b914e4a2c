//! A sound log's directory with a few changes, checksums right or wrong.

use super::Input;
use super::bases::BASES;
use super::reseal::reseal;
use super::survive::{Image, survive};

/// Takes one of the sound logs, does what the bytes say to its files, and everything with them.
pub fn mutated(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let Some(base) = BASES.get(input.below(BASES.len())) else { return };
    let reseals = !input.byte().is_multiple_of(4);
    let mut image = base.clone();
    for _ in 0..CHANGES_MAX {
        if input.is_empty() {
            break;
        }
        change(&mut image, &mut input);
    }
    if reseals {
        reseal(&mut image);
    }
    survive(&image);
}

/// Inputs that put every number of [`super::Input::number`] into each field of a header, a slot and
/// the first frames of every file of every sound log; and into the two fields of a header that have
/// to agree on how many records came before.
pub(super) fn boundaries() -> Vec<Vec<u8>> {
    let mut inputs = Vec::new();
    for (base, image) in (0..).zip(BASES.iter()) {
        for file in 0..image.len() as u8 {
            for edge in 0..super::input::EDGES.len() as u8 {
                let set = |place: [u8; 2]| [file, 0, SET, place[0], place[1], edge, WIDE];
                for field in 0..42 {
                    inputs.push([&[base, 1][..], &set([0, field])].concat());
                    inputs.push([&[base, 1][..], &set([1, field])].concat());
                }
                for frame in 0..3 {
                    for field in 1..16 {
                        let set = [file, 0, SET, 2, frame, field, edge, WIDE - 1];
                        inputs.push([&[base, 1][..], &set].concat());
                    }
                }
                // The first LSN, and the next one of the segment before.
                let both = [set([0, 48 / 4]), set([0, 96 / 4])].concat();
                inputs.push([&[base, 1][..], &both].concat());
            }
        }
    }
    inputs
}

fn change(image: &mut Image, input: &mut Input<'_>) {
    let names: Vec<_> = image.keys().cloned().collect();
    let Some(name) = names.get(input.below(names.len())).cloned() else { return };
    let other = names.get(input.below(names.len())).cloned().unwrap_or_default();
    let kind = input.byte() % 12;
    let at = place(image, &name, input);
    match kind {
        0 | 1 => edit(image, &name, at, &[input.byte()], |old, new| *old ^= new.max(1)),
        2 | 3 => {
            // A field of any width at a boundary.
            let value = input.number().to_le_bytes();
            let width = 1 << (input.byte() % 4);
            edit(image, &name, at, &value[..width], |old, new| *old = new);
        }
        4 => {
            let len = usize::from(input.byte());
            edit(image, &name, at, input.bytes(len), |old, new| *old = new);
        }
        5 => {
            let zeros = vec![0; input.number().min(9000) as usize];
            edit(image, &name, at, &zeros, |old, new| *old = new);
        }
        6 => {
            let len = input.number().min(5000) as usize;
            let from = place(image, &other, input);
            let bytes = image.get(&other).and_then(|b| b.get(from..)).unwrap_or_default();
            let bytes = bytes[..len.min(bytes.len())].to_vec();
            edit(image, &name, at, &bytes, |old, new| *old = new);
        }
        7 => resize(image, &name, at),
        8 => {
            let by = input.number().min(300_000) as usize;
            let len = image.get(&name).map_or(0, Vec::len) + by;
            resize(image, &name, len);
        }
        9 => drop(image.remove(&name)),
        10 => {
            if let Some(content) = image.get(&name).cloned() {
                image.insert(other, content);
            }
        }
        _ => {
            // Under another number, and with that in the header.
            let id = input.number();
            if let Some(mut content) = image.remove(&name) {
                if let Some(field) = content.get_mut(40..48) {
                    field.copy_from_slice(&id.to_le_bytes());
                }
                image.insert(format!("{id:020}.wal"), content);
            }
        }
    }
}

/// A place in the file: a field of its header, of one of its frames, or anywhere that is used.
fn place(image: &Image, name: &str, input: &mut Input<'_>) -> usize {
    let Some(content) = image.get(name) else { return 0 };
    let used = content.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    match input.byte() % 4 {
        0 => input.below(42) * 4,
        1 if name == "STATE" => 131_072 + input.below(42) * 4,
        1 | 2 => frame_at(content, input.below(64)) + input.below(20) * 4,
        _ => input.below(used + 1),
    }
}

/// Where the n-th frame stands, or the last one before it.
fn frame_at(content: &[u8], n: usize) -> usize {
    let mut at = 8192;
    for _ in 0..n {
        let len = content.get(at + 4..at + 8).and_then(|len| len.try_into().ok());
        let len = len.map_or(0, u32::from_le_bytes) as usize;
        let next = at + (16 + len).next_multiple_of(8);
        if len == 0 || next >= content.len() {
            break;
        }
        at = next;
    }
    at
}

fn edit(image: &mut Image, name: &str, at: usize, bytes: &[u8], how: fn(&mut u8, u8)) {
    let Some(place) = image.get_mut(name).and_then(|content| content.get_mut(at..)) else { return };
    place.iter_mut().zip(bytes).for_each(|(old, &new)| how(old, new));
}

fn resize(image: &mut Image, name: &str, len: usize) {
    if let Some(content) = image.get_mut(name) {
        content.resize(len, 0);
    }
}

const CHANGES_MAX: usize = 6;
/// The kind of change that sets a field, and the width of eight bytes.
const SET: u8 = 2;
const WIDE: u8 = 3;
