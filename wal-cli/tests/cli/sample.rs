//! Texts that have broken line readers before, made up here.

use std::path::{Path, PathBuf};

/// Every sample with its name.
pub fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let mut numbers = Vec::new();
    for number in 0..20_000 {
        numbers.extend_from_slice(
            format!("{number} of 20000: {}\n", "x".repeat(number % 97)).as_bytes(),
        );
    }
    let mut long = Vec::new();
    for length in [0, 1, 4095, 4096, 4097, 65_535, 65_536, 65_537, 300_000, 1_200_000, 3] {
        long.extend((0..length).map(|at| b'a' + (at % 26) as u8));
        long.push(b'\n');
    }
    let mut noise = Vec::new();
    let mut state = 12_345u64;
    for _ in 0..200_000 {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        noise.push((state >> 56) as u8);
    }
    vec![
        ("nothing", Vec::new()),
        ("one line without its end", b"hello".to_vec()),
        ("one line", b"hello\n".to_vec()),
        ("an empty line", b"\n".to_vec()),
        ("empty lines", b"\n\n\n\n".to_vec()),
        ("an empty line before the end", b"a\n\nb".to_vec()),
        ("carriage returns", b"one\r\ntwo\r\n\r\n".to_vec()),
        ("nul bytes", b"a\0b\n\0\n\0\0".to_vec()),
        ("no text", vec![0xff, 0xfe, b'\n', 0x80, 0xc0, b'\n']),
        ("many lines", numbers),
        ("long lines", long),
        ("noise", noise),
    ]
}

/// What `wal cat` prints for a text that was appended: the last line's end is always there.
pub fn printed(text: &[u8]) -> Vec<u8> {
    let mut printed = text.to_vec();
    if printed.last().is_some_and(|byte| *byte != b'\n') {
        printed.push(b'\n');
    }
    printed
}

/// `record 1` to `record count`, a line each.
pub fn numbered(count: u64) -> Vec<u8> {
    (1..=count).flat_map(|number| format!("record {number}\n").into_bytes()).collect()
}

/// The research logs beside the checkout, where there are any.
pub fn loghub() -> Option<Vec<PathBuf>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/loghub");
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir)
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    files.sort();
    (!files.is_empty()).then_some(files)
}
