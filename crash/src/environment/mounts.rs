//! Real file systems that fill up, turn read-only, keep nothing, or are there twice. Needs root.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use wal_core::{ErrorKind, Log};

use super::Judged;
use super::full::is_full;
use super::history::{History, options};
use super::openers::is_locked;

/// A mounted file system, unmounted with its owner.
struct Mount(PathBuf);

impl Mount {
    /// Mounts something; `None`, and why, where that is not possible.
    fn new(root: &Path, name: &str, arguments: &[&str]) -> Result<Mount, String> {
        let path = root.join(name);
        fs::create_dir_all(&path).map_err(|error| error.to_string())?;
        let mut arguments = arguments.to_vec();
        let target = path.display().to_string();
        arguments.push(&target);
        tool("mount", &arguments)?;
        Ok(Mount(path))
    }

    fn remount(&self, how: &str) -> Result<(), String> {
        let target = self.0.display().to_string();
        tool("mount", &["-o", &format!("remount,{how}"), &target])
    }

    /// An ext4 of so many mebibytes in a file of its own.
    fn ext4(root: &Path, megabytes: u64) -> Result<Mount, String> {
        let image = root.join("ext4.image");
        let file = fs::File::create(&image).map_err(|error| error.to_string())?;
        file.set_len(megabytes << 20).map_err(|error| error.to_string())?;
        let image = image.display().to_string();
        tool("mkfs.ext4", &["-q", "-F", "-b", "4096", "-m", "0", &image])?;
        Mount::new(root, "ext4", &["-o", "loop", &image])
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let target = self.0.display().to_string();
        let _ = tool("umount", &["-l", &target]);
    }
}

fn tool(name: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(name).args(arguments).output();
    let output = output.map_err(|error| format!("{name}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim())),
    }
}

/// Runs a case on a mount, or says why there is none.
fn with(
    mount: Result<Mount, String>,
    case: impl FnOnce(&Mount) -> Result<u64, String>,
) -> Result<Judged, String> {
    match mount {
        Ok(mount) => case(&mount).map(Judged::Right),
        Err(why) => Ok(Judged::NotRun(why)),
    }
}

/// A tmpfs of every size from one block on: full, then larger.
pub(super) fn full_tmpfs(root: &Path, is_full: bool) -> Result<Judged, String> {
    let step = if is_full { 1 } else { 7 };
    let mut count = 0;
    for blocks in (1..140_u64).step_by(step) {
        let size = format!("size={}k,mode=0700", blocks * 4);
        let mount = Mount::new(root, &format!("t{blocks}"), &["-t", "tmpfs", "-o", &size, "none"]);
        let judged = with(mount, |mount| {
            fill_and_go_on(&mount.0.join("log"), || mount.remount("size=16m"))
                .map_err(|what| format!("a tmpfs of {blocks} blocks: {what}"))
        })?;
        match judged {
            Judged::Right(judged) => count += judged,
            not_run => return Ok(not_run),
        }
    }
    Ok(Judged::Right(count))
}

/// An ext4 filled up by another file, block by block, while the log is used.
pub(super) fn full_ext4(root: &Path, is_full: bool) -> Result<Judged, String> {
    with(Mount::ext4(root, 8), |mount| {
        let ballast = mount.0.join("ballast");
        let free = free_bytes(&mount.0)?;
        let step = if is_full { 16 << 10 } else { 128 << 10 };
        let mut count = 0;
        for left in (0..640 << 10).step_by(step) {
            let len = free.saturating_sub(left as u64);
            let made = Command::new("fallocate")
                .args(["-l", &len.to_string(), &ballast.display().to_string()])
                .status();
            if !made.is_ok_and(|made| made.success()) {
                return Err("the ballast cannot be made".into());
            }
            let path = mount.0.join(format!("log{left}"));
            count += fill_and_go_on(&path, || fs::remove_file(&ballast).map_err(|e| e.to_string()))
                .map_err(|what| format!("{left} bytes left: {what}"))?;
            fs::remove_dir_all(&path).map_err(|error| error.to_string())?;
        }
        Ok(count)
    })
}

fn free_bytes(path: &Path) -> Result<u64, String> {
    let output = Command::new("df").args(["--output=avail", "-B1"]).arg(path).output();
    let output = output.map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.split_whitespace().last().and_then(|last| last.parse().ok()).ok_or("no free space".into())
}

/// Fills a log until the disk is full, and goes on when there is space.
fn fill_and_go_on(path: &Path, space: impl Fn() -> Result<(), String>) -> Result<u64, String> {
    let mut history = History::on_disk();
    match history.open(path) {
        Ok((log, _)) => {
            let refused = history.append(&log, 400, 2000);
            if refused.is_some_and(|kind| kind != ErrorKind::Full) {
                return Err(format!("a full disk is {refused:?}"));
            }
            history.judge(&log)?;
            space()?;
            if let Some(kind) = history.append(&log, 3, 2000) {
                return Err(format!("with space again an append is refused with {kind}"));
            }
            log.close().map_err(|error| format!("closing: {error:?}"))?;
        }
        Err(error) if is_full(&error) => space()?,
        Err(error) => return Err(format!("opening on a full disk: {error:?}")),
    }
    history.judge_at(path)?;
    Ok(1)
}

/// The administrator, or the kernel after an error, makes the file system read-only.
pub(super) fn read_only_remount(root: &Path, _: bool) -> Result<Judged, String> {
    with(Mount::ext4(root, 16), |mount| {
        let path = mount.0.join("log");
        let mut history = History::on_disk();
        let (log, _) = history.open(&path).map_err(|error| error.to_string())?;
        history.append(&log, 40, 2000);
        log.close().map_err(|error| error.to_string())?;
        drop(log);
        mount.remount("ro")?;
        match Log::open(&path, options()) {
            Err(error) if error.kind() == ErrorKind::Io => {}
            other => return Err(format!("an opening of a read-only log is {:?}", other.err())),
        }
        let (reader, _) = Log::open_read_only(&path, options())
            .map_err(|error| format!("reading where nothing can be written: {error:?}"))?;
        history.judge(&reader)?;
        mount.remount("rw")?;
        // With files open for writing the kernel refuses, unless it is an emergency.
        let (log, _) = history.open(&path).map_err(|error| error.to_string())?;
        history.append(&log, 5, 2000);
        if mount.remount("ro").is_ok() {
            return Err("the kernel has taken the file system away from an open file".into());
        }
        history.append(&log, 5, 2000);
        history.judge(&log)?;
        log.close().map_err(|error| error.to_string())?;
        drop((log, reader));
        history.judge_at(&path)?;
        Ok(4)
    })
}

/// A file system in memory is named in the report; one on a disk is not.
pub(super) fn tmpfs_is_noted(root: &Path, _: bool) -> Result<Judged, String> {
    let is_noted = |path: &Path| {
        let history = History::on_disk();
        let (log, report) = history.open(path).map_err(|error| error.to_string())?;
        let noted = report.notes.iter().any(|note| note.starts_with("storage-volatile"));
        log.close().map_err(|error| error.to_string())?;
        Ok::<_, String>(noted)
    };
    let ext4 = with(Mount::ext4(root, 8), |mount| match is_noted(&mount.0.join("log"))? {
        true => Err("ext4 is called volatile".into()),
        false => Ok(1),
    })?;
    let tmpfs = Mount::new(root, "tmpfs", &["-t", "tmpfs", "-o", "size=16m", "none"]);
    let tmpfs = with(tmpfs, |mount| match is_noted(&mount.0.join("log"))? {
        true => Ok(1),
        false => Err("nothing is said of a file system that is gone with the power".into()),
    })?;
    Ok(match (ext4, tmpfs) {
        (Judged::Right(one), Judged::Right(other)) => Judged::Right(one + other),
        (Judged::NotRun(why), _) | (_, Judged::NotRun(why)) => Judged::NotRun(why),
    })
}

/// The same directory at another place of the tree.
pub(super) fn bind_mount(root: &Path, _: bool) -> Result<Judged, String> {
    let path = root.join("log");
    let mut history = History::on_disk();
    let (log, _) = history.open(&path).map_err(|error| error.to_string())?;
    history.append(&log, 5, 100);
    let source = path.display().to_string();
    let judged = with(Mount::new(root, "bound", &["--bind", &source]), |mount| {
        is_locked("an opener", &mount.0, Log::open(&mount.0, options()).err())?;
        Ok(1)
    })?;
    log.close().map_err(|error| error.to_string())?;
    drop(log);
    history.judge_at(&path)?;
    Ok(judged)
}
