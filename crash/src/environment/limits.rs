//! A process with closed streams, a strange umask, and limits: each in a child of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitCode;

use wal_core::{ErrorKind, Log};

use super::Judged;
use super::history::{History, options, quick};
use super::openers::in_another_process;

/// Whatever of the descriptors 0 to 2 is closed: no file of the log gets one of them.
pub(super) fn closed_streams(root: &Path, _: bool) -> Result<Judged, String> {
    for mask in 1..8 {
        let path = root.join(format!("log{mask}"));
        in_another_process(&format!("streams-{mask}"), &path)?;
        let mut history = History::on_disk();
        history.acknowledged = 60;
        history.judge_at(&path).map_err(|what| format!("streams {mask:03b}: {what}"))?;
    }
    Ok(Judged::Right(7))
}

/// Files are their owner's alone under every umask, and usable by him.
pub(super) fn any_umask(root: &Path, is_full: bool) -> Result<Judged, String> {
    let masks: Vec<u32> =
        if is_full { (0..0o1000).collect() } else { vec![0, 0o022, 0o077, 0o177, 0o777] };
    for &mask in &masks {
        let path = root.join(format!("log{mask}"));
        in_another_process(&format!("umask-{mask}"), &path)
            .map_err(|what| format!("umask {mask:03o}: {what}"))?;
        // What the umask takes from the owner, he has asked for; nobody else ever gets anything.
        let mode =
            |path: &Path| fs::metadata(path).map(|found| found.permissions().mode() & 0o7777);
        let directory = mode(&path).map_err(|error| error.to_string())?;
        if directory != 0o700 & !mask {
            return Err(format!("umask {mask:03o}: the directory has {directory:03o}"));
        }
        for entry in fs::read_dir(&path).map_err(|error| error.to_string())? {
            let path = entry.map_err(|error| error.to_string())?.path();
            let file = mode(&path).map_err(|error| error.to_string())?;
            if file != 0o600 & !mask {
                return Err(format!("umask {mask:03o}: `{}` has {file:03o}", path.display()));
            }
        }
    }
    Ok(Judged::Right(masks.len() as u64))
}

/// A limit on the size of files, and on the number of descriptors, at every value.
pub(super) fn resource_limits(root: &Path, is_full: bool) -> Result<Judged, String> {
    let mut count = 0;
    let step = if is_full { 4096 } else { 65_536 };
    for bytes in (0..=400_000_u64).step_by(step) {
        let path = root.join(format!("size{bytes}"));
        let said = in_another_process(&format!("size-{bytes}"), &path)?;
        after(&path, &said).map_err(|what| format!("files of {bytes} bytes: {what}"))?;
        count += 1;
    }
    for files in 3..24 {
        let path = root.join(format!("files{files}"));
        let said = in_another_process(&format!("files-{files}"), &path)?;
        after(&path, &said).map_err(|what| format!("{files} descriptors: {what}"))?;
        count += 1;
    }
    Ok(Judged::Right(count))
}

/// The child has said how many records were acknowledged, and whether one more is in doubt.
fn after(path: &Path, said: &str) -> Result<(), String> {
    let mut words = said.split(' ').filter_map(|word| word.parse::<u64>().ok());
    let (Some(acknowledged), Some(open)) = (words.next(), words.next()) else {
        return Err(format!("the child says `{said}`"));
    };
    let mut history = History::on_disk();
    (history.acknowledged, history.is_open) = (acknowledged, open != 0);
    history.judge_at(path)
}

/// What a child of this program does, by its role. Its outcome is its exit code and its output.
pub fn child(role: &str, path: &Path) -> ExitCode {
    let (kind, value) = role.split_once('-').unwrap_or((role, ""));
    let value = value.parse::<u64>().unwrap_or(0);
    let done = match kind {
        "open" => return try_to_open(path),
        "streams" => with_streams_closed(value, path),
        "umask" => with_umask(value, path),
        "size" => limited(libc::RLIMIT_FSIZE, value, path),
        "files" => limited(libc::RLIMIT_NOFILE, value, path),
        _ => Err(format!("no role `{role}`")),
    };
    match done {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(what) => {
            println!("{what}");
            ExitCode::FAILURE
        }
    }
}

fn try_to_open(path: &Path) -> ExitCode {
    match Log::open(path, options()) {
        Ok((log, _)) => println!("{}", if log.close().is_ok() { "opened" } else { "not closed" }),
        Err(error) => println!("{}", error.kind()),
    }
    ExitCode::SUCCESS
}

fn with_streams_closed(mask: u64, path: &Path) -> Result<String, String> {
    for fd in (0..3).filter(|fd| mask >> fd & 1 == 1) {
        // SAFETY: nothing here uses the stream afterwards.
        unsafe { libc::close(fd) };
    }
    let mut history = History::on_disk();
    let (log, _) = history.open(path).map_err(|error| error.to_string())?;
    if let Some(kind) = history.append(&log, 60, 2000) {
        return Err(format!("append: {kind}"));
    }
    history.judge(&log)?;
    for fd in 0..3 {
        let target = fs::read_link(format!("/proc/self/fd/{fd}"));
        if target.is_ok_and(|target| target.starts_with(path)) {
            return Err(format!("descriptor {fd} is a file of the log"));
        }
    }
    log.close().map_err(|error| error.to_string())?;
    Ok("done".into())
}

fn with_umask(mask: u64, path: &Path) -> Result<String, String> {
    // SAFETY: the call only sets a number of this process.
    unsafe { libc::umask(mask as libc::mode_t) };
    let mut history = History::on_disk();
    // Whom his own umask takes the right to his files may not get far.
    if let Ok((log, _)) = history.open(path) {
        history.append(&log, 60, 2000);
        let _ = log.close();
    }
    Ok("done".into())
}

fn limited(resource: libc::__rlimit_resource_t, value: u64, path: &Path) -> Result<String, String> {
    // SAFETY: the structures live through the calls; a signal that is ignored runs no code.
    let code = unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        let mut limit = std::mem::zeroed::<libc::rlimit>();
        libc::getrlimit(resource, &raw mut limit);
        limit.rlim_cur = value;
        libc::setrlimit(resource, &raw const limit)
    };
    if code != 0 {
        return Err("the limit cannot be set".into());
    }
    let mut history = History::on_disk();
    let opened = Log::open(path, quick());
    match opened {
        Ok((log, _)) => {
            if let Some(kind) = history.append(&log, 300, 2000)
                && !matches!(kind, ErrorKind::Full | ErrorKind::Io | ErrorKind::Poisoned)
            {
                return Err(format!("an append at the limit is {kind}"));
            }
            let _ = log.close();
        }
        Err(error) if matches!(error.kind(), ErrorKind::Full | ErrorKind::Io) => {}
        Err(error) => return Err(format!("an opening at the limit is {error:?}")),
    }
    Ok(format!("{} {}", history.acknowledged, u64::from(history.is_open)))
}
