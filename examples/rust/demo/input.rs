//! The text that goes into the log: a given file, or text found on any machine.

use std::fs;
use std::path::{Path, PathBuf};

/// A text and where its lines are.
pub struct Input {
    /// Where it comes from, for the report.
    pub name: String,
    /// All of it.
    pub bytes: Vec<u8>,
    /// Where each line ends, without its newline; the next one starts a byte later.
    line_ends: Vec<usize>,
}

impl Input {
    /// The given file, or up to `bytes_max` of text from this checkout and this machine.
    pub fn find(file: Option<PathBuf>, bytes_max: usize) -> Result<Input, String> {
        let (name, bytes) = match file {
            Some(path) => {
                let shown = path.display().to_string();
                let bytes = fs::read(&path).map_err(|error| format!("{shown}: {error}"))?;
                (shown, bytes)
            }
            None => collect(bytes_max),
        };
        if bytes.is_empty() {
            return Err(format!("{name} is empty; pass a text with FILE=path"));
        }
        let newlines = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let mut line_ends: Vec<usize> = newlines.map(|(at, _)| at).collect();
        if bytes.last() != Some(&b'\n') {
            line_ends.push(bytes.len());
        }
        Ok(Input { name, bytes, line_ends })
    }

    /// How many lines there are; line n becomes record n + 1.
    pub fn line_count(&self) -> u64 {
        self.line_ends.len() as u64
    }

    /// A line without its newline, counted from 0.
    pub fn line(&self, index: u64) -> &[u8] {
        &self.bytes[self.line_start(index)..self.line_ends[index as usize]]
    }

    /// Where a line starts; for the count of lines, where the text ends.
    pub fn line_start(&self, index: u64) -> usize {
        match index.checked_sub(1) {
            None => 0,
            Some(before) => (self.line_ends[before as usize] + 1).min(self.bytes.len()),
        }
    }

    /// The index of the first line that starts at `offset` or after it.
    pub fn line_at(&self, offset: usize) -> u64 {
        if offset == 0 {
            0
        } else {
            self.line_ends.partition_point(|end| end + 1 < offset) as u64 + 1
        }
    }
}

/// Text files of the places every developer's machine has, until there is enough.
fn collect(bytes_max: usize) -> (String, Vec<u8>) {
    let cargo_home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")));
    let mut places: Vec<PathBuf> =
        ["wal-core", "wal-cli", "wal-ffi", "docs", "bindings"].map(PathBuf::from).to_vec();
    places.push("/usr/share/common-licenses".into());
    places.extend(cargo_home.map(|home| home.join("registry/src")));
    places.extend(
        ["/usr/share/perl", "/usr/lib/python3", "/usr/include", "/usr/share/doc"]
            .map(PathBuf::from),
    );
    let mut bytes = Vec::new();
    let mut files = 0u64;
    for place in places {
        add_texts(&place, bytes_max, DEPTH_MAX, &mut bytes, &mut files);
    }
    (format!("{files} text files of this machine"), bytes)
}

fn add_texts(path: &Path, bytes_max: usize, depth: u32, bytes: &mut Vec<u8>, files: &mut u64) {
    let Ok(found) = fs::symlink_metadata(path) else { return };
    if bytes.len() >= bytes_max || depth == 0 {
        return;
    }
    if found.is_dir() {
        let Ok(entries) = fs::read_dir(path) else { return };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            add_texts(&path, bytes_max, depth - 1, bytes, files);
        }
    } else if found.is_file() && found.len() <= FILE_BYTES_MAX {
        let Ok(text) = fs::read(path) else { return };
        if std::str::from_utf8(&text).is_ok() {
            bytes.extend_from_slice(&text);
            *files += 1;
            if text.last().is_some_and(|byte| *byte != b'\n') {
                bytes.push(b'\n');
            }
        }
    }
}

const DEPTH_MAX: u32 = 12;
/// Larger files are tables and generated code, which make dull texts.
const FILE_BYTES_MAX: u64 = 2 << 20;
