//! Files that are no files.

use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use wal_core::{ErrorKind, Log, check};

use super::Judged;
use super::history::{History, options};

/// A symbolic link, a FIFO, a device, a socket and a directory in place of the state file and of
/// each segment: refused by all, at once, and nothing behind them is touched.
pub(super) fn in_every_place(root: &Path, _: bool) -> Result<Judged, String> {
    let mut count = 0;
    for (number, what) in
        ["link", "dangling", "fifo", "device", "socket", "directory"].into_iter().enumerate()
    {
        for (at, name) in NAMES.into_iter().enumerate() {
            let path = root.join(format!("log{number}{at}"));
            let mut history = History::on_disk();
            let (log, _) = history.open(&path).map_err(|error| error.to_string())?;
            history.append(&log, 80, 2000);
            log.close().map_err(|error| error.to_string())?;
            drop(log);
            let place = path.join(name);
            let aside = root.join(format!("aside{number}{at}"));
            fs::rename(&place, &aside).map_err(|error| format!("{name}: {error}"))?;
            if !put(what, &place, &aside, root)? {
                continue;
            }
            let content = fs::read(&aside).map_err(|error| error.to_string())?;
            for (who, kind) in everybody(&path) {
                if !matches!(kind, Some(ErrorKind::Invalid | ErrorKind::Io | ErrorKind::Corrupt)) {
                    return Err(format!("a {what} as {name}: {who} says {kind:?}"));
                }
                count += 1;
            }
            if fs::read(&aside).map_err(|error| error.to_string())? != content {
                return Err(format!("a {what} as {name}: what is behind it was changed"));
            }
            match what {
                "directory" => fs::remove_dir(&place),
                _ => fs::remove_file(&place),
            }
            .map_err(|error| format!("the {what} as {name} was changed: {error}"))?;
            fs::rename(&aside, &place).map_err(|error| error.to_string())?;
            history.judge_at(&path).map_err(|text| format!("after a {what} as {name}: {text}"))?;
        }
    }
    Ok(Judged::Right(count))
}

/// What each of those says who open a log.
fn everybody(path: &Path) -> Vec<(&'static str, Option<ErrorKind>)> {
    let kind = |error: wal_core::Error| error.kind();
    vec![
        ("an opening", Log::open(path, options()).err().map(kind)),
        ("a reader", Log::open_read_only(path, options()).err().map(kind)),
        ("a repair", check::repair(path, false).err().map(kind)),
        ("verify", check::verify(path, |_, _| {}).err().map(kind)),
    ]
}

/// Puts something strange in a place; whether it could.
fn put(what: &str, place: &Path, aside: &Path, root: &Path) -> Result<bool, String> {
    let failed = |error: std::io::Error| format!("making a {what}: {error}");
    match what {
        "link" => symlink(aside, place).map_err(failed)?,
        "dangling" => symlink(root.join("nothing"), place).map_err(failed)?,
        "directory" => fs::create_dir(place).map_err(failed)?,
        "socket" => {
            // The address of a socket is short: it is made elsewhere, and moved here.
            let short = PathBuf::from(format!("/tmp/wal-socket-{}", std::process::id()));
            let made = UnixListener::bind(&short).and_then(|_| fs::rename(&short, place));
            if made.is_err() {
                let _ = fs::remove_file(&short);
                let _ = fs::rename(aside, place);
                return Ok(false);
            }
        }
        _ => {
            let kind = if what == "fifo" { libc::S_IFIFO } else { libc::S_IFCHR };
            let name = CString::new(place.as_os_str().as_bytes()).map_err(|e| e.to_string())?;
            // Device 1:3 is the one that swallows everything.
            let device = libc::makedev(1, 3);
            // SAFETY: the name ends in a zero byte.
            if unsafe { libc::mknod(name.as_ptr(), kind | 0o600, device) } != 0 {
                // Only root makes devices.
                let _ = fs::rename(aside, place);
                return Ok(false);
            }
        }
    }
    Ok(true)
}

const NAMES: [&str; 3] = ["STATE", "00000000000000000001.wal", "00000000000000000002.wal"];
