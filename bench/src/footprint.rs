//! What a process and a directory take: memory, threads, descriptors, blocks.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What this process takes now.
#[derive(Clone, Copy, Debug)]
pub struct Footprint {
    /// Resident memory.
    pub rss_bytes: u64,
    /// Threads.
    pub threads: u64,
    /// Open descriptors.
    pub descriptors: u64,
}

impl Footprint {
    /// Asks the system.
    pub fn now() -> io::Result<Footprint> {
        Ok(Footprint {
            rss_bytes: rss_bytes()?,
            threads: fs::read_dir("/proc/self/task")?.count() as u64,
            descriptors: fs::read_dir("/proc/self/fd")?.count() as u64,
        })
    }
}

/// Resident memory of this process.
pub fn rss_bytes() -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kib.map(|kib| kib * 1024).ok_or_else(|| io::Error::other("no VmRSS in /proc/self/status"))
}

/// The bytes of all blocks of everything below a directory.
pub fn disk_bytes(directory: &Path) -> io::Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        sum += match entry.metadata()? {
            metadata if metadata.is_dir() => disk_bytes(&entry.path())?,
            metadata => metadata.blocks() * 512,
        };
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_memory_threads_and_descriptors() {
        let now = Footprint::now().unwrap();
        assert!(now.rss_bytes > 100_000 && now.threads >= 1 && now.descriptors >= 3, "{now:?}");
    }

    #[test]
    fn blocks_below_a_directory_are_counted_once() {
        let scratch = tempfile::tempdir().unwrap();
        fs::create_dir(scratch.path().join("inner")).unwrap();
        let file = scratch.path().join("inner").join("file");
        fs::write(&file, vec![1; 100_000]).unwrap();
        fs::File::open(&file).unwrap().sync_all().unwrap();
        let found = disk_bytes(scratch.path()).unwrap();
        assert!((100_000..200_000).contains(&found), "{found}");
    }
}
