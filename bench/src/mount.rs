//! The file system a directory is on, and its journal.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where a directory is mounted from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Such as `ext4`.
    pub kind: String,
    /// Such as `/dev/vda`.
    pub source: String,
    /// The file that counts the journal's transactions, where there is a journal.
    journal: Option<PathBuf>,
}

impl Mount {
    /// The mount of a directory.
    pub fn of(directory: &Path) -> io::Result<Mount> {
        let directory = directory.canonicalize()?;
        let table = fs::read_to_string("/proc/self/mountinfo")?;
        let (kind, source) = find(&table, &directory)
            .ok_or_else(|| io::Error::other("the directory is in no line of mountinfo"))?;
        let journal = journal_of(&source, Path::new("/proc/fs/jbd2"));
        Ok(Mount { kind, source, journal })
    }

    /// As the report names it: `ext4, no journal`, `ext4, journal (loop)`.
    pub fn label(&self) -> String {
        let place = if self.source.starts_with("/dev/loop") { " (loop)" } else { "" };
        match (self.kind.as_str(), &self.journal) {
            ("ext4" | "ext3", Some(_)) => format!("{}, journal{place}", self.kind),
            ("ext4" | "ext3", None) => format!("{}, no journal{place}", self.kind),
            (kind, _) => format!("{kind}{place}"),
        }
    }

    /// How many transactions the journal has committed.
    pub fn journal_commits(&self) -> Option<u64> {
        let info = fs::read_to_string(self.journal.as_ref()?).ok()?;
        transactions(&info)
    }
}

/// Kind and source of the last mount whose point is a directory above or at `directory`.
fn find(table: &str, directory: &Path) -> Option<(String, String)> {
    let mounts = table.lines().filter_map(|line| {
        let (left, right) = line.split_once(" - ")?;
        let point = left.split(' ').nth(4)?.replace("\\040", " ");
        let mut right = right.split(' ');
        Some((PathBuf::from(point), right.next()?.to_owned(), right.next()?.to_owned()))
    });
    let above = mounts.filter(|(point, ..)| directory.starts_with(point));
    let nearest = above.max_by_key(|(point, ..)| point.components().count());
    nearest.map(|(_, kind, source)| (kind, source))
}

/// The journal of `/dev/vda` is `vda-8`, 8 being the inode it lies in.
fn journal_of(source: &str, journals: &Path) -> Option<PathBuf> {
    let device = Path::new(source).file_name()?.to_str()?;
    let entries = fs::read_dir(journals).ok()?;
    let mut names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let name = names.find(|name| name.rsplit_once('-').is_some_and(|(of, _)| of == device))?;
    Some(journals.join(name).join("info"))
}

fn transactions(info: &str) -> Option<u64> {
    info.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
25 24 0:23 / /dev/shm rw,relatime - tmpfs tmpfs rw,size=24684084k
40 27 7:0 / /mnt/with\\040space rw - ext4 /dev/loop0 rw
";

    #[test]
    fn the_nearest_mount_above_a_directory_is_its_own() {
        let source = |path: &str| find(TABLE, Path::new(path)).unwrap().1;
        assert_eq!(source("/home/a"), "/dev/vda");
        assert_eq!(source("/dev/shmother"), "/dev/vda");
        assert_eq!(source("/dev/shm/a/b"), "tmpfs");
        assert_eq!(source("/mnt/with space/a"), "/dev/loop0");
    }

    #[test]
    fn a_journal_is_found_by_its_device_and_counted() {
        let scratch = tempfile::tempdir().unwrap();
        fs::create_dir(scratch.path().join("loop0-8")).unwrap();
        let info = "7 transactions (5 requested), each up to 4096 blocks\naverage: \n";
        fs::write(scratch.path().join("loop0-8/info"), info).unwrap();
        assert_eq!(journal_of("/dev/loop", scratch.path()), None);
        let journal = journal_of("/dev/loop0", scratch.path());
        let mount = Mount { kind: "ext4".into(), source: "/dev/loop0".into(), journal };
        assert_eq!(
            (mount.journal_commits(), mount.label()),
            (Some(7), "ext4, journal (loop)".into())
        );
    }

    #[test]
    fn a_file_system_without_a_journal_says_so() {
        let mount = Mount { kind: "ext4".into(), source: "/dev/vda".into(), journal: None };
        assert_eq!((mount.label().as_str(), mount.journal_commits()), ("ext4, no journal", None));
    }
}
