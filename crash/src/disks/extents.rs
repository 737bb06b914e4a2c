//! Which blocks of a disk are the data of files.

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::path::Path;

use super::blocks::BLOCK_BYTES;

/// The blocks in which the files of a directory have their data now.
///
/// # Errors
///
/// If the directory cannot be read, or the file system does not tell.
pub fn of_files_in(directory: &Path) -> io::Result<Vec<Range<u64>>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(directory)? {
        // What is removed meanwhile has no blocks.
        let Ok(file) = File::open(entry?.path()) else { continue };
        all.extend(of_file(&file)?);
    }
    Ok(all)
}

/// As words of a mark.
pub fn to_words(extents: &[Range<u64>]) -> String {
    let words: Vec<_> =
        extents.iter().map(|extent| format!("{}-{}", extent.start, extent.end)).collect();
    words.join(" ")
}

/// Reads the words of a mark.
pub fn of_words(words: &str) -> Vec<Range<u64>> {
    let extents = words.split_whitespace().filter_map(|word| {
        let (start, end) = word.split_once('-')?;
        Some(start.parse().ok()?..end.parse().ok()?)
    });
    extents.collect()
}

fn of_file(file: &File) -> io::Result<Vec<Range<u64>>> {
    let mut map = Map { length: u64::MAX, extent_count: EXTENTS_MAX as u32, ..Map::default() };
    // SAFETY: the pointer is to a map with room for as many extents as it says.
    if unsafe { libc::ioctl(file.as_raw_fd(), FS_IOC_FIEMAP, &raw mut map) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let found = map.extents.iter().take(map.mapped_extents as usize);
    let placed = found.filter(|extent| extent.flags & NOT_IN_A_PLACE_OF_ITS_OWN == 0);
    let block = BLOCK_BYTES as u64;
    Ok(placed
        .map(|extent| extent.physical / block..(extent.physical + extent.length).div_ceil(block))
        .collect())
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Extent {
    logical: u64,
    physical: u64,
    length: u64,
    reserved: [u64; 2],
    flags: u32,
    reserved_too: [u32; 3],
}

#[repr(C)]
#[derive(Default)]
struct Map {
    start: u64,
    length: u64,
    flags: u32,
    mapped_extents: u32,
    extent_count: u32,
    reserved: u32,
    extents: [Extent; EXTENTS_MAX],
}

const EXTENTS_MAX: usize = 32;

const FS_IOC_FIEMAP: libc::Ioctl = 0xC020_660B_u32 as libc::Ioctl;

/// Unknown, delayed, encoded, not aligned, or inside of metadata.
const NOT_IN_A_PLACE_OF_ITS_OWN: u32 = 0x2 | 0x4 | 0x8 | 0x100 | 0x200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extents_are_read_as_they_were_written() {
        let extents = vec![3..7, 100..101];
        assert_eq!(of_words(&to_words(&extents)), extents);
        assert_eq!(of_words(""), vec![]);
    }
}
