//! A second writer, however it comes to the log.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use wal_core::{Error, ErrorKind, Log, check};

use super::Judged;
use super::history::{History, options};

/// In this thread and another one, in another process, through a symbolic link, through other names
/// of the path, and through a hard link to the state file: `Locked`, and the first one goes on.
pub(super) fn every_way(root: &Path, _: bool) -> Result<Judged, String> {
    let path = root.join("log");
    let mut history = History::on_disk();
    let (log, _) = history.open(&path).map_err(|error| error.to_string())?;
    history.append(&log, 5, 100);
    let failed = |error: std::io::Error| error.to_string();
    let link = root.join("link");
    symlink(&path, &link).map_err(failed)?;
    let twin = root.join("twin");
    fs::create_dir(&twin).map_err(failed)?;
    fs::hard_link(path.join("STATE"), twin.join("STATE")).map_err(failed)?;
    let mut count = 0;
    for other in [&path, &link, &twin, &root.join("./log"), &root.join("twin/../log")] {
        is_locked("this thread", other, Log::open(other, options()).err())?;
        let there = std::thread::scope(|scope| {
            scope.spawn(|| Log::open(other, options()).err()).join().ok().flatten()
        });
        is_locked("another thread", other, there)?;
        let said = in_another_process("open", other)?;
        if said != "locked" {
            return Err(format!("another process gets `{}`: {said}", other.display()));
        }
        is_locked("a repair", other, check::repair(other, false).err())?;
        count += 4;
    }
    if let Some(kind) = history.append(&log, 5, 100) {
        return Err(format!("the first opener is refused with {kind}"));
    }
    history.judge(&log)?;
    log.close().map_err(|error| error.to_string())?;
    drop(log);
    let said = in_another_process("open", &path)?;
    if said != "opened" {
        return Err(format!("a closed log is not to be had in another process: {said}"));
    }
    history.judge_at(&path)?;
    Ok(Judged::Right(count + 2))
}

/// Somebody removes the file that carries the lock: nobody else may become a writer of these
/// segments, and the records can be had again.
pub(super) fn deleted_lock(root: &Path, _: bool) -> Result<Judged, String> {
    let path = root.join("log");
    let mut history = History::on_disk();
    let (log, _) = history.open(&path).map_err(|error| error.to_string())?;
    history.append(&log, 50, 2000);
    fs::remove_file(path.join("STATE")).map_err(|error| error.to_string())?;
    for said in [Log::open(&path, options()).err(), check::info(&path).err()] {
        if said.as_ref().map(Error::kind) != Some(ErrorKind::Corrupt) {
            return Err(format!("without its lock file a second opener is told {said:?}"));
        }
    }
    if path.join("STATE").exists() {
        return Err("a refused opener has made a new lock file".into());
    }
    history.append(&log, 5, 2000);
    history.judge(&log)?;
    let _ = log.close();
    drop(log);
    let repaired = check::repair(&path, false).map_err(|error| format!("repair: {error:?}"))?;
    if !repaired.lost.is_empty() {
        return Err(format!("a repair has lost records: {repaired:?}"));
    }
    history.judge_at(&path)?;
    Ok(Judged::Right(4))
}

pub(super) fn is_locked(who: &str, path: &Path, said: Option<Error>) -> Result<(), String> {
    match said.as_ref().map(Error::kind) {
        Some(ErrorKind::Locked) => Ok(()),
        _ => Err(format!("{who} is told {said:?} of `{}`", path.display())),
    }
}

/// Runs this program in a role; returns what it says.
pub(super) fn in_another_process(role: &str, path: &Path) -> Result<String, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(program)
        .args(["--child", role, "--path"])
        .arg(path)
        .output()
        .map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match output.status.code() {
        Some(0) => Ok(said),
        _ => Err(format!("the child `{role}` ends with {}: {said}", output.status)),
    }
}
