//! Wrong paths, wrong files, wrong options: each is refused and said to be.

#![allow(missing_docs, unsafe_code, clippy::unwrap_used)]

use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use wal_core::vfs::{Fault, FaultVfs, MemVfs, Operation};
use wal_core::{ErrorKind, Log, Lsn, Options, limits};

fn kind(result: wal_core::Result<impl Sized>) -> ErrorKind {
    result.err().expect("it is refused").kind()
}

fn no_create() -> Options {
    Options { create: false, ..Options::default() }
}

#[test]
fn a_missing_log_is_not_found_and_not_created() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a/b");
    assert_eq!(kind(Log::open(&path, no_create())), ErrorKind::NotFound);
    assert_eq!(kind(Log::open_read_only(&path, Options::default())), ErrorKind::NotFound);
    assert_eq!(kind(Log::destroy(&path)), ErrorKind::NotFound);
    assert!(!directory.path().join("a").exists());
    fs::create_dir_all(&path).unwrap();
    assert_eq!(kind(Log::open(&path, no_create())), ErrorKind::NotFound);
    assert_eq!(kind(Log::open_read_only(&path, Options::default())), ErrorKind::NotFound);
    assert_eq!(kind(Log::destroy(&path)), ErrorKind::NotFound);
    assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
}

#[test]
fn what_is_no_directory_is_invalid() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, b"precious").unwrap();
    for path in [file.clone(), file.join("below")] {
        assert_eq!(kind(Log::open(&path, Options::default())), ErrorKind::Invalid);
        assert_eq!(kind(Log::open(&path, no_create())), ErrorKind::Invalid);
        assert_eq!(kind(Log::open_read_only(&path, Options::default())), ErrorKind::Invalid);
        assert_eq!(kind(Log::destroy(&path)), ErrorKind::Invalid);
    }
    assert_eq!(fs::read(&file).unwrap(), b"precious");
}

#[test]
fn a_path_may_end_in_a_slash_be_long_or_have_any_name() {
    let directory = tempfile::tempdir().unwrap();
    let deep = format!("{}/", ["d"; 60].join("/"));
    let odd = std::ffi::OsStr::from_bytes(b"not \xff utf-8 \n");
    for name in ["log/".as_ref(), "./log//other/.".as_ref(), deep.as_ref(), odd] {
        let path = directory.path().join(name);
        let (log, report) = Log::open(&path, Options::default()).unwrap();
        assert!(report.created);
        log.append(b"x").unwrap();
        log.close().unwrap();
        let (log, _) = Log::open(&path, no_create()).unwrap();
        assert_eq!(log.last_lsn(), Some(Lsn::FIRST));
        drop(log);
        Log::destroy(&path).unwrap();
    }
}

#[test]
fn a_relative_path_and_a_link_are_the_log_they_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let link = directory.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let (log, _) = Log::open(&path, Options::default()).unwrap();
    log.append(b"x").unwrap();
    assert_eq!(kind(Log::open(&link, Options::default())), ErrorKind::Locked);
    drop(log);
    assert_eq!(Log::open(&link, no_create()).unwrap().0.last_lsn(), Some(Lsn::FIRST));
}

/// Opening a pipe for reading would wait for a writer for ever.
#[test]
fn a_state_that_is_no_regular_file_is_refused_without_waiting() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("fifo");
    fs::create_dir(&path).unwrap();
    let state = CString::new(path.join("STATE").as_os_str().as_bytes()).unwrap();
    // SAFETY: a valid path.
    assert_eq!(unsafe { libc::mkfifo(state.as_ptr(), 0o600) }, 0);
    let with_directory = directory.path().join("directory");
    fs::create_dir_all(with_directory.join("STATE")).unwrap();
    for path in [path, with_directory] {
        for refused in [
            kind(Log::open(&path, Options::default())),
            kind(Log::open_read_only(&path, Options::default())),
            kind(Log::destroy(&path)),
        ] {
            assert!(matches!(refused, ErrorKind::Invalid | ErrorKind::Io), "{refused}");
        }
    }
}

#[test]
fn a_segment_name_that_is_no_file_is_refused_without_waiting() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    drop(Log::open(&path, Options::default()).unwrap());
    let name = path.join("00000000000000000007.wal");
    let fifo = CString::new(name.as_os_str().as_bytes()).unwrap();
    // SAFETY: a valid path.
    assert_eq!(unsafe { libc::mkfifo(fifo.as_ptr(), 0o600) }, 0);
    assert!(Log::open(&path, Options::default()).is_err());
    fs::remove_file(&name).unwrap();
    assert!(Log::open(&path, Options::default()).is_ok());
}

#[test]
fn a_directory_that_may_not_be_written_is_an_error_of_the_system() {
    for operation in [Operation::Create, Operation::Open, Operation::CreateDirAll, Operation::List]
    {
        let vfs = FaultVfs::over_memory(MemVfs::new());
        vfs.fail_from(operation, 1, Fault::Fail(libc::EACCES));
        let opened = Log::open_with(Arc::new(vfs.clone()), "/log", Options::default());
        let error = match opened {
            Err(error) => error,
            Ok((log, _)) => log.append(b"x").unwrap_err(),
        };
        assert_eq!((error.kind(), error.os_errno()), (ErrorKind::Io, Some(libc::EACCES)));
        assert!(error.path().is_some());
        vfs.heal();
        let (log, _) = Log::open_with(Arc::new(vfs), "/log", Options::default()).unwrap();
        assert_eq!(log.append(b"x").unwrap(), Lsn::FIRST);
    }
}

#[test]
fn a_log_in_a_read_only_directory_can_be_read() {
    let machine = MemVfs::new();
    let (log, _) = Log::open_with(Arc::new(machine.clone()), "/log", Options::default()).unwrap();
    log.append(b"x").unwrap();
    drop(log);
    let vfs = FaultVfs::over_memory(machine);
    for operation in [Operation::Create, Operation::Write, Operation::Lock, Operation::Sync] {
        vfs.fail_from(operation, 1, Fault::Fail(libc::EROFS));
    }
    let opened = Log::open_read_only_with(Arc::new(vfs.clone()), "/log", Options::default());
    let (log, _) = opened.unwrap();
    assert_eq!(&log.read(Lsn::FIRST).unwrap()[..], b"x");
    assert_eq!(kind(log.append(b"y")), ErrorKind::Invalid);
    assert_eq!(kind(log.trim(Lsn::FIRST)), ErrorKind::Invalid);
    assert_eq!(kind(log.truncate(Lsn::FIRST)), ErrorKind::Invalid);
    assert_eq!(kind(log.sync()), ErrorKind::Invalid);
    assert_eq!(kind(log.values().set(b"k", b"v")), ErrorKind::Invalid);
    assert_eq!(kind(log.notifier()), ErrorKind::Invalid);
    assert_eq!(kind(log.stats()), ErrorKind::Invalid);
    log.close().unwrap();
    assert_eq!(kind(log.read(Lsn::FIRST)), ErrorKind::Closed);
    assert!(Log::open_with(Arc::new(vfs), "/log", Options::default()).is_err());
}

#[test]
fn an_option_out_of_range_is_invalid_and_named() {
    type Change = fn(&mut Options);
    let wrong: [(&str, Change); 16] = [
        ("segment_bytes", |options| options.segment_bytes = 0),
        ("segment_bytes", |options| options.segment_bytes = limits::SEGMENT_BYTES_MIN - 4096),
        ("segment_bytes", |options| options.segment_bytes = limits::SEGMENT_BYTES_MAX + 4096),
        ("segment_bytes", |options| options.segment_bytes = limits::SEGMENT_BYTES_MIN + 1),
        ("segment_bytes", |options| options.segment_bytes = u64::MAX),
        ("record_bytes_max", |options| options.record_bytes_max = 0),
        ("record_bytes_max", |options| options.record_bytes_max = limits::RECORD_BYTES_MAX + 1),
        ("batch_bytes_max", |options| options.batch_bytes_max = options.record_bytes_max - 1),
        ("batch_bytes_max", |options| options.batch_bytes_max = limits::BATCH_BYTES_MAX + 1),
        ("ring_bytes", |options| options.ring_bytes = limits::RING_BYTES_MIN - 1),
        ("ring_bytes", |options| options.ring_bytes = limits::RING_BYTES_MAX + 1),
        ("max_batch_bytes", |options| options.max_batch_bytes = 0),
        ("max_batch_bytes", |options| options.max_batch_bytes = u64::MAX),
        ("max_bytes", |options| options.max_bytes = Some(options.segment_bytes * 2 - 1)),
        ("max_bytes", |options| options.max_bytes = Some(0)),
        ("max_batch_delay", |options| options.max_batch_delay = Duration::from_millis(1001)),
    ];
    let vfs = MemVfs::new();
    for (name, change) in wrong {
        let mut options = Options::default();
        change(&mut options);
        for open in [Log::open_with, Log::open_read_only_with] {
            let refused = open(Arc::new(vfs.clone()), Path::new("/log"), options.clone());
            let error = refused.err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{options:?}");
            assert!(error.message().starts_with(name), "{error}");
        }
    }
    assert_eq!(vfs.op_count(), 0, "nothing was created");
    let mut bounds = Options {
        segment_bytes: limits::SEGMENT_BYTES_MIN,
        record_bytes_max: 1,
        batch_bytes_max: 1,
        ring_bytes: limits::RING_BYTES_MIN,
        max_batch_bytes: 4096,
        max_bytes: Some(limits::SEGMENT_BYTES_MIN * 2),
        max_batch_delay: Duration::from_secs(1),
        ..Options::default()
    };
    bounds.validate().unwrap();
    bounds.segment_bytes = limits::SEGMENT_BYTES_MAX;
    bounds.record_bytes_max = limits::RECORD_BYTES_MAX;
    bounds.batch_bytes_max = limits::BATCH_BYTES_MAX;
    bounds.ring_bytes = limits::RING_BYTES_MAX;
    bounds.max_bytes = Some(u64::MAX);
    bounds.validate().unwrap();
}

#[test]
fn any_duration_and_any_retention_is_survived() {
    let options = Options {
        sync_every: Some(Duration::ZERO),
        sync_bytes: Some(0),
        lock_wait: Duration::MAX,
        retention: wal_core::Retention {
            bytes: Some(0),
            age: Some(Duration::ZERO),
            records: Some(0),
        },
        level: wal_core::Level::Buffered,
        segment_bytes: 64 << 10,
        ..Options::default()
    };
    let vfs = MemVfs::new();
    let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", options.clone()).unwrap();
    for _ in 0..300 {
        log.append(&[0; 1000]).unwrap();
    }
    log.close().unwrap();
    let longest = wal_core::Retention { age: Some(Duration::MAX), ..Default::default() };
    let options = Options { retention: longest, ..options };
    let (log, _) = Log::open_with(Arc::new(vfs), "/log", options).unwrap();
    assert_eq!(log.last_lsn().unwrap().get(), 300);
    for _ in 0..300 {
        log.append(&[0; 1000]).unwrap();
    }
    // Nobody asks for it, but what is written is synced.
    while log.durable_lsn() != Lsn::new(600) {
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn errors_name_the_log_they_are_about() {
    let error = Log::open(Path::new("/nonexistent/log"), no_create()).err().unwrap();
    assert_eq!(error.path(), Some(Path::new("/nonexistent/log")));
    assert_eq!(Lsn::try_from(0).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(Lsn::try_from(u64::MAX).unwrap_err().kind(), ErrorKind::Invalid);
}
