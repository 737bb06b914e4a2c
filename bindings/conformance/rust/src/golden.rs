//! Golden logs: directories as text.

use std::fs;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use crate::literal::{hex, read_hex};

/// Writes the files of a golden log to a directory that is not there yet.
///
/// # Errors
/// Text that is none, with the line; a file that cannot be written.
pub fn unpack(text: &str, directory: &Path) -> Result<(), String> {
    fs::create_dir(directory).map_err(|error| told(directory, error))?;
    let mut file: Option<fs::File> = None;
    for (index, line) in text.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = || format!("line {} of a golden log: {line}", index + 1);
        let words: Vec<&str> = line.split(' ').collect();
        match (words.as_slice(), &mut file) {
            (["file", name, length], _) => {
                let path = directory.join(name);
                let made = fs::File::create_new(&path).map_err(|error| told(&path, error))?;
                made.set_len(length.parse().map_err(|_| wrong())?)
                    .map_err(|error| told(&path, error))?;
                file = Some(made);
            }
            ([offset, digits], Some(file)) => {
                let offset = offset.parse().map_err(|_| wrong())?;
                let bytes = read_hex(digits).ok_or_else(wrong)?;
                file.seek(SeekFrom::Start(offset))
                    .and_then(|_| file.write_all(&bytes))
                    .map_err(|error| told(directory, error))?;
            }
            _ => return Err(wrong()),
        }
    }
    Ok(())
}

/// The text of a directory of files.
///
/// # Errors
/// A file that cannot be read.
pub fn pack(directory: &Path) -> Result<String, String> {
    let entries = fs::read_dir(directory).map_err(|error| told(directory, error))?;
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    let mut text = String::new();
    for name in names {
        let path = directory.join(&name);
        let bytes = fs::read(&path).map_err(|error| told(&path, error))?;
        text.push_str(&format!("file {name} {}\n", bytes.len()));
        for (index, chunk) in bytes.chunks(LINE_BYTES).enumerate() {
            let used = chunk.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            let offset = index * LINE_BYTES;
            if let Some(start) = chunk.iter().position(|byte| *byte != 0) {
                let (offset, digits) = (offset + start, hex(&chunk[start..used]));
                text.push_str(&format!("{offset} {digits}\n"));
            }
        }
    }
    Ok(text)
}

fn told(path: &Path, error: io::Error) -> String {
    format!("{}: {error}", path.display())
}

const LINE_BYTES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked_as_it_was() {
        let scratch = tempfile::tempdir().expect("a directory");
        let (source, target) = (scratch.path().join("source"), scratch.path().join("target"));
        fs::create_dir(&source).expect("made");
        let mut bytes = vec![0; 5000];
        (bytes[3], bytes[31], bytes[32], bytes[4000]) = (1, 2, 3, 4);
        fs::write(source.join("a"), &bytes).expect("written");
        fs::write(source.join("b"), "").expect("written");
        let text = pack(&source).expect("packed");
        unpack(&text, &target).expect("unpacked");
        assert_eq!(fs::read(target.join("a")).expect("read"), bytes);
        assert_eq!(fs::read(target.join("b")).expect("read"), b"");
        assert!(unpack(&text, &target).is_err(), "it is there already");
    }

    #[test]
    fn bytes_without_a_file_are_refused() {
        let scratch = tempfile::tempdir().expect("a directory");
        assert!(unpack("0 00\n", &scratch.path().join("log")).is_err());
    }
}
