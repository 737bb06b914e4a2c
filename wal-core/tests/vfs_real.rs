//! The operating system's files behind the engine's traits: what is refused, locks, and forks.

#![cfg(unix)]
#![allow(missing_docs, clippy::undocumented_unsafe_blocks)]

use std::ffi::CString;
use std::fs;
use std::io::{self, ErrorKind, IoSlice};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use wal_core::vfs::{Access, File, Lock, RealVfs, Vfs};

/// A child of a fork inherits whatever the other tests of this process have open at the moment.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn error_of<T>(result: io::Result<T>) -> ErrorKind {
    result.err().expect("this is refused").kind()
}

fn open(path: &Path, access: Access) -> Arc<dyn File> {
    RealVfs.open(path, access).expect("the file opens")
}

/// Runs `child` in a fork; it must return true, and must not panic.
fn in_child(child: impl FnOnce() -> bool) {
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork: {}", io::Error::last_os_error());
    if pid == 0 {
        let code = if child() { 0 } else { 1 };
        unsafe { libc::_exit(code) };
    }
    assert_eq!(wait_for(pid), 0, "the child found something else");
}

fn wait_for(pid: libc::pid_t) -> i32 {
    let mut status = 0;
    assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
    status
}

#[test]
fn what_is_no_regular_file_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path();
    fs::write(path.join("target"), b"bytes").expect("the file is written");
    symlink(path.join("target"), path.join("link")).expect("the link is made");
    let fifo = path.join("fifo");
    let fifo_name = CString::new(fifo.as_os_str().as_bytes()).expect("no zero in it");
    assert_eq!(unsafe { libc::mkfifo(fifo_name.as_ptr(), 0o600) }, 0);
    let _socket =
        std::os::unix::net::UnixListener::bind(path.join("socket")).expect("the socket binds");

    let refused =
        [path.join("link"), fifo, path.join("socket"), path.into(), Path::new("/dev/null").into()];
    for path in &refused {
        for access in [Access::Read, Access::Write, Access::WriteDirect] {
            let found = error_of(RealVfs.open(path, access));
            assert_eq!(found, ErrorKind::InvalidInput, "{} {access:?}", path.display());
        }
    }
    assert_eq!(
        error_of(RealVfs.open(&path.join("link"), Access::Create)),
        ErrorKind::AlreadyExists
    );
}

#[test]
fn a_missing_file_is_not_created_and_an_existing_one_not_replaced() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("file");
    for access in [Access::Read, Access::Write, Access::WriteDirect] {
        assert_eq!(error_of(RealVfs.open(&path, access)), ErrorKind::NotFound);
    }
    fs::write(&path, b"bytes").expect("the file is written");
    assert_eq!(error_of(RealVfs.open(&path, Access::Create)), ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&path).expect("it is there"), b"bytes");
}

#[test]
fn a_file_opened_for_reading_cannot_be_changed() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("file");
    fs::write(&path, b"bytes").expect("the file is written");
    let file = open(&path, Access::Read);
    assert!(file.write_at(&[IoSlice::new(b"other")], 0).is_err());
    assert!(file.set_len(0).is_err());
    assert_eq!(error_of(file.try_lock(Lock::Exclusive)), ErrorKind::InvalidInput);
    assert!(file.try_lock(Lock::Shared).expect("readers may lock"));
}

#[test]
fn files_and_directories_are_their_owners_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = dir.path().join("a/b");
    RealVfs.create_dir_all(&log).expect("the directories are made");
    RealVfs.create_dir_all(&log).expect("existing ones are fine");
    drop(open(&log.join("file"), Access::Create));
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&dir.path().join("a")), 0o700);
    assert_eq!(mode(&log), 0o700);
    assert_eq!(mode(&log.join("file")), 0o600);
    assert_eq!(RealVfs.list(&log).expect("it is listed"), ["file"]);
    assert!(RealVfs.create_dir_all(&log.join("file")).is_err());
    assert!(RealVfs.create_dir_all(&log.join("file/below")).is_err());
    assert!(RealVfs.remove_dir(&log).is_err(), "it is not empty");
    RealVfs.rename(&log.join("file"), &log.join("other")).expect("it is renamed");
    RealVfs.sync_dir(&log).expect("it is synced");
    RealVfs.remove(&log.join("other")).expect("it is removed");
    RealVfs.remove_dir(&log).expect("it is empty");
}

#[test]
fn more_slices_than_one_call_takes_are_written_in_order() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = open(&dir.path().join("file"), Access::Create);
    assert_eq!(file.write_at(&[], 0).expect("nothing to do"), 0);
    assert_eq!(file.write_at(&[IoSlice::new(b"")], 0).expect("nothing to do"), 0);
    let bytes: Vec<u8> = (0..3000_u32).map(|n| n as u8).collect();
    // Empty slices in front must not make a call that writes nothing.
    let mut bufs = vec![IoSlice::new(b""); 2000];
    bufs.extend(bytes.chunks(1).map(IoSlice::new));
    let written = file.write_at(&bufs, 10).expect("it writes");
    assert!(written > 0 && written < bytes.len(), "a short write: {written}");
    let mut found = vec![0; written + 20];
    let read = file.read_at(&mut found, 10).expect("it reads");
    assert_eq!(found[..read], bytes[..written]);
    assert_eq!(file.len().expect("it has one"), 10 + written as u64);
    assert!(file.write_at(&[IoSlice::new(b"x")], u64::MAX).is_err());
    file.sync().expect("it syncs");
}

#[test]
fn what_the_system_is_told_of_coming_reads_and_syncs_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    let file = open(&path, Access::Create);
    let bytes = vec![7; 100_000];
    assert_eq!(file.write_at(&[IoSlice::new(&bytes)], 0).unwrap(), bytes.len());
    for (offset, len) in [(0, 100_000), (5, 1), (1 << 40, 10), (u64::MAX, u64::MAX)] {
        file.write_back(offset, len);
        file.will_read(offset, len);
    }
    file.sync().unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

#[test]
fn a_mapping_shows_the_file_and_never_more() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("file");
    let file = open(&path, Access::Create);
    file.write_at(&[IoSlice::new(b"hello"), IoSlice::new(b" world")], 0).expect("it writes");
    assert_eq!(error_of(file.map(12)), ErrorKind::InvalidInput);
    assert!(file.map(0).expect("fine").is_none());
    let map = file.map(5).expect("it maps").expect("files are mapped here");
    drop(file);
    RealVfs.remove(&path).expect("it is removed");
    assert_eq!((*map).as_ref(), b"hello");
}

#[repr(align(4096))]
struct Block([u8; 4096]);

#[test]
fn direct_writes_are_read_back_and_misaligned_ones_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("file");
    drop(open(&path, Access::Create));
    let file = open(&path, Access::WriteDirect);
    let block = Box::new([Block([7; 4096]), Block([8; 4096])]);
    if file.alignment() > 1 {
        let head = &block[0].0[..512];
        assert_eq!(error_of(file.write_at(&[IoSlice::new(head)], 0)), ErrorKind::InvalidInput);
        let whole = IoSlice::new(&block[0].0);
        assert_eq!(error_of(file.write_at(&[whole], 512)), ErrorKind::InvalidInput);
    }
    let bufs = [IoSlice::new(&block[0].0), IoSlice::new(&block[1].0)];
    assert_eq!(file.write_at(&bufs, 4096).expect("it writes"), 8192);
    file.sync().expect("it syncs");
    let mut found = vec![0; 3];
    assert_eq!(file.read_at(&mut found, 8191).expect("it reads"), 3);
    assert_eq!(found, [7, 8, 8]);
    assert_eq!(file.len().expect("it has one"), 12288);
    assert!(file.try_lock(Lock::Exclusive).expect("it locks"));
    assert!(!open(&path, Access::Write).try_lock(Lock::Shared).expect("asked"));
}

#[test]
fn a_lock_is_refused_to_a_second_opener_of_the_same_process() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("file");
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let holder = open(&path, Access::Create);
    // The lock is the inode's: another name of it does not help.
    fs::hard_link(&path, dir.path().join("alias")).expect("it is linked");
    let other = open(&dir.path().join("alias"), Access::Write);
    assert!(holder.try_lock(Lock::Exclusive).expect("asked"));
    assert!(!other.try_lock(Lock::Exclusive).expect("asked"));
    assert!(!other.try_lock(Lock::Shared).expect("asked"));
    assert!(holder.try_lock(Lock::Shared).expect("the holder may change its kind"));
    assert!(other.try_lock(Lock::Shared).expect("asked"));
    assert!(!holder.try_lock(Lock::Exclusive).expect("asked"));
    // Closing another handle of the inode releases nothing, unlike classic record locks.
    drop(open(&path, Access::Read));
    assert!(!open(&path, Access::Write).try_lock(Lock::Exclusive).expect("asked"));
    drop(other);
    assert!(holder.try_lock(Lock::Exclusive).expect("asked"));
    drop(holder);
    assert!(open(&path, Access::Write).try_lock(Lock::Exclusive).expect("asked"));
}

#[test]
fn a_failed_lock_leaves_the_file_usable_in_a_child() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("file");
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let holder = open(&path, Access::Create);
    let other = open(&path, Access::Write);
    assert!(holder.try_lock(Lock::Exclusive).expect("asked"));
    assert!(!other.try_lock(Lock::Exclusive).expect("asked"));
    in_child(|| other.len().is_ok() && holder.len().is_err());
}

/// A child that inherits the lock's descriptor keeps the log locked after its parent died, for as
/// long as it lives: a prefork host could then never restart its writer.
#[test]
fn a_lock_ends_with_its_process_although_a_child_lives_on() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("file");
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let mut until_done = [0; 2];
    assert_eq!(unsafe { libc::pipe(until_done.as_mut_ptr()) }, 0);
    let [wait_end, done_end] = until_done;
    in_child(|| {
        let Ok(file) = RealVfs.open(&path, Access::Create) else { return false };
        let taken = file.try_lock(Lock::Exclusive).is_ok_and(|taken| taken);
        if unsafe { libc::fork() } == 0 {
            // The grandchild outlives its parent.
            unsafe { libc::close(done_end) };
            let mut byte = 0_u8;
            unsafe { libc::read(wait_end, (&raw mut byte).cast(), 1) };
            unsafe { libc::_exit(0) };
        }
        // Dies without dropping the file, which would unlock it.
        unsafe { libc::_exit(i32::from(!taken)) };
    });
    // The grandchild closes its copy as soon as it runs at all.
    let other = open(&path, Access::Write);
    let until = Instant::now() + Duration::from_secs(10);
    let mut taken = other.try_lock(Lock::Exclusive);
    while matches!(taken, Ok(false)) && Instant::now() < until {
        thread::sleep(Duration::from_millis(1));
        taken = other.try_lock(Lock::Exclusive);
    }
    unsafe { libc::close(done_end) };
    unsafe { libc::close(wait_end) };
    assert!(taken.expect("asked"));
}

#[test]
fn a_child_neither_uses_nor_releases_the_lock_of_its_parent() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("file");
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let mut holder = Some(open(&path, Access::Create));
    let unlocked = open(&path, Access::Write);
    let taken = holder.as_ref().map(|holder| holder.try_lock(Lock::Exclusive));
    assert!(taken.expect("it is there").expect("asked"));
    in_child(|| {
        // What the child takes, it takes from its own copy of the memory.
        let Some(inherited) = holder.take() else { return false };
        // Takes the numbers the closed descriptors left free.
        let Ok(foreign) = (0..10)
            .map(|n| RealVfs.open(&dir.path().join(format!("foreign{n}")), Access::Create))
            .collect::<io::Result<Vec<_>>>()
        else {
            return false;
        };
        let refuses = inherited.write_at(&[IoSlice::new(b"child")], 0).is_err()
            && inherited.read_at(&mut [0], 0).is_err()
            && inherited.sync().is_err()
            && inherited.try_lock(Lock::Shared).is_err();
        let is_last = Arc::strong_count(&inherited) == 1;
        drop(inherited);
        let untouched = foreign.iter().all(|file| {
            file.write_at(&[IoSlice::new(b"own")], 0).is_ok_and(|written| written == 3)
        });
        let still_locked = unlocked.try_lock(Lock::Exclusive).is_ok_and(|taken| !taken);
        refuses && is_last && untouched && still_locked
    });
    assert!(holder.is_some_and(|holder| {
        let locked = open(&path, Access::Write).try_lock(Lock::Exclusive);
        holder.len().is_ok() && !locked.expect("asked")
    }));
}

#[test]
fn a_child_may_lock_files_of_its_own() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("file");
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let inherited = open(&path, Access::Create);
    in_child(|| {
        let Ok(own) = RealVfs.open(&path, Access::Write) else { return false };
        let took = own.try_lock(Lock::Exclusive).is_ok_and(|taken| taken);
        took && own.len().is_ok() && inherited.try_lock(Lock::Shared).is_ok_and(|taken| !taken)
    });
    assert!(inherited.try_lock(Lock::Exclusive).expect("the child is gone"));
}

#[test]
fn no_file_takes_the_number_of_a_standard_stream() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("file");
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    in_child(|| {
        unsafe { libc::close(0) };
        unsafe { libc::close(1) };
        let Ok(file) = RealVfs.open(&path, Access::Create) else { return false };
        let is_free = |fd| unsafe { libc::fcntl(fd, libc::F_GETFD) } == -1;
        let works = file.write_at(&[IoSlice::new(b"bytes")], 0).is_ok_and(|written| written == 5);
        works && is_free(0) && is_free(1) && RealVfs.sync_dir(dir.path()).is_ok()
    });
}
