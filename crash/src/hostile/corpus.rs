//! The inputs that targets begin with: small ones, each for a reason, kept beside the fuzzer. Those
//! called `found-*` are what fuzzing came upon and reaches code that no other input does.

use std::fs;
use std::io;
use std::path::Path;

use super::bases::BASES;
use super::directory::packed;

/// Writes the corpus of all targets below `root`, one directory each.
///
/// # Errors
///
/// If a file cannot be written.
pub fn write_corpus(root: &Path) -> io::Result<()> {
    for (target, inputs) in [
        ("frame", frames()),
        ("directory", BASES.iter().map(packed).filter(|b| b.len() < SMALL_BYTES).collect()),
        ("mutated", (0..60).map(|n| numbered(n, 24)).collect()),
        ("operations", (0..60).map(|n| numbered(n, 60)).collect()),
        ("packed", batches()),
    ] {
        let directory = root.join(target);
        fs::create_dir_all(&directory)?;
        for (number, input) in inputs.iter().enumerate() {
            fs::write(directory.join(format!("{number:03}")), input)?;
        }
    }
    Ok(())
}

/// Reads the inputs of one target, in the order of their names.
///
/// # Errors
///
/// If the directory cannot be read.
pub fn replay(root: &Path, target: &str) -> io::Result<Vec<Vec<u8>>> {
    let mut paths = fs::read_dir(root.join(target))?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    paths.into_iter().map(fs::read).collect()
}

/// Every frame of a small log by itself, and both kinds of headers.
fn frames() -> Vec<Vec<u8>> {
    let mut inputs = Vec::new();
    for (name, content) in BASES.iter().flatten() {
        let used = if name == "STATE" { 600 } else { 8192 + 400 };
        let piece = content.get(..used.min(content.len())).unwrap_or_default();
        if name == "STATE" {
            inputs.push([&[0][..], piece].concat());
            continue;
        }
        for at in [8192, 8192 + 16, 8192 + 80, 8192 + 24] {
            if let Some(frame) = piece.get(at..) {
                inputs.push([&[33][..], frame].concat());
            }
        }
    }
    // A header with the frames behind it is the longest.
    let header = BASES.iter().flatten().find(|(name, _)| *name != "STATE");
    inputs.extend(header.map(|(_, content)| [&[0][..], &content[..8600]].concat()));
    inputs.push([&[0][..], b"00000000000000000001.wal"].concat());
    inputs.sort();
    inputs.dedup();
    inputs
}

/// Choices that follow from a number.
fn numbered(number: u64, len: usize) -> Vec<u8> {
    let mut rng = crate::Rng::new(number);
    (0..len).map(|_| rng.next() as u8).collect()
}

/// Packed batches with lengths and counts at their boundaries, whole and cut.
fn batches() -> Vec<Vec<u8>> {
    let record = |len: u32, payload: usize| {
        let mut bytes = len.to_le_bytes().to_vec();
        bytes.extend([0; 12]);
        bytes.resize(16 + payload, 7);
        bytes
    };
    let mut inputs = vec![Vec::new(), vec![0], vec![0; 15], vec![0; 16], vec![0; 32], vec![0; 160]];
    for len in [1u32, 7, 8, 9, 15, 16, 255, 4095, 4096, 4097] {
        let whole = (len as usize).next_multiple_of(8);
        inputs.push(record(len, whole));
        inputs.push(record(len, len as usize - 1));
        inputs.push(record(len, whole - 1));
        inputs.push([record(len, whole), record(0, 0), record(len, whole)].concat());
    }
    for len in [u32::MAX, u32::MAX - 7, u32::MAX - 15, i32::MAX as u32, 1 << 26] {
        inputs.push(record(len, 24));
    }
    // Flags and LSNs that an append may not have.
    for at in [4, 5, 7, 8, 15] {
        let mut bytes = record(8, 8);
        bytes[at] = 2;
        inputs.push(bytes);
    }
    inputs.retain(|input| input.len() < SMALL_BYTES);
    inputs
}

const SMALL_BYTES: usize = 12 << 10;
