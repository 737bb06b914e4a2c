//! The failing file system: it fails what it was told to, and nothing else.

#![allow(missing_docs)]

use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use wal_core::vfs::{Access, Call, Fault, FaultVfs, File, Lock, MemVfs, Operation, Vfs};

fn file() -> (MemVfs, FaultVfs, Arc<dyn File>) {
    let memory = MemVfs::new();
    let vfs = FaultVfs::over_memory(memory.clone());
    let file = vfs.open(Path::new("file"), Access::Create).expect("it is created");
    vfs.sync_dir(Path::new("")).expect("it syncs");
    (memory, vfs, file)
}

fn write(file: &Arc<dyn File>, bytes: &[u8], offset: u64) -> Result<usize, Option<i32>> {
    file.write_at(&[IoSlice::new(bytes)], offset).map_err(|error| error.raw_os_error())
}

fn bytes(memory: &MemVfs) -> Vec<u8> {
    memory.file_bytes(Path::new("file")).expect("it is there")
}

#[test]
fn the_chosen_call_fails_once_with_the_chosen_error() {
    let (memory, vfs, file) = file();
    vfs.fail_nth(Operation::Write, 2, Fault::Fail(libc::ENOSPC));
    assert_eq!(write(&file, b"a", 0), Ok(1));
    assert_eq!(write(&file, b"b", 1), Err(Some(libc::ENOSPC)));
    assert_eq!(write(&file, b"c", 1), Ok(1));
    assert_eq!(bytes(&memory), b"ac");
}

#[test]
fn a_rule_without_end_fails_until_it_is_healed() {
    let (_, vfs, file) = file();
    vfs.fail_from(Operation::Sync, 1, Fault::Fail(libc::EIO));
    assert!(file.sync().is_err());
    assert!(file.sync().is_err());
    vfs.heal();
    assert!(file.sync().is_ok());
}

#[test]
fn a_rule_for_one_path_spares_the_others() {
    let (_, vfs, file) = file();
    vfs.fail(Operation::Write, |path| path.ends_with("other"), 1, true, Fault::Fail(libc::EIO));
    let other = vfs.open(Path::new("other"), Access::Create).expect("it is created");
    assert_eq!(write(&other, b"a", 0), Err(Some(libc::EIO)));
    assert_eq!(write(&file, b"a", 0), Ok(1));
}

#[test]
fn short_and_torn_writes_do_a_part() {
    let (memory, vfs, file) = file();
    vfs.fail_nth(Operation::Write, 1, Fault::Short(4));
    vfs.fail_nth(Operation::Write, 2, Fault::Tear(2, libc::EIO));
    let bufs = [IoSlice::new(b"abc"), IoSlice::new(b"def")];
    assert_eq!(file.write_at(&bufs, 0).expect("a part is written"), 4);
    assert_eq!(write(&file, b"efg", 4), Err(Some(libc::EIO)));
    assert_eq!(bytes(&memory), b"abcdef");
    vfs.fail_nth(Operation::Read, 1, Fault::Short(1));
    let mut buf = [0; 4];
    assert_eq!(file.read_at(&mut buf, 0).expect("a part is read"), 1);
}

#[test]
fn a_lost_sync_stays_lost_whatever_later_syncs_say() {
    let (memory, vfs, file) = file();
    assert_eq!(write(&file, b"a", 0), Ok(1));
    vfs.fail_nth(Operation::Sync, 1, Fault::LoseUnsynced(libc::EIO));
    assert!(file.sync().is_err());
    assert!(file.sync().is_ok());
    assert_eq!(bytes(&memory), b"a");
    let found = memory.crash_at(memory.op_count(), &mut |choices| choices - 1);
    assert_eq!(bytes(&found), b"\0");
}

#[test]
fn every_kind_of_call_can_fail_and_is_listed() {
    let (_, vfs, file) = file();
    let path = Path::new("file");
    type Attempt<'a> = Box<dyn Fn() -> bool + 'a>;
    let attempts: Vec<(Operation, Attempt<'_>)> = vec![
        (Operation::CreateDirAll, Box::new(|| vfs.create_dir_all(Path::new("dir")).is_err())),
        (Operation::List, Box::new(|| vfs.list(Path::new("")).is_err())),
        (Operation::Open, Box::new(|| vfs.open(path, Access::Read).is_err())),
        (Operation::Create, Box::new(|| vfs.open(Path::new("new"), Access::Create).is_err())),
        (Operation::Rename, Box::new(|| vfs.rename(path, Path::new("renamed")).is_err())),
        (Operation::Remove, Box::new(|| vfs.remove(Path::new("renamed")).is_err())),
        (Operation::RemoveDir, Box::new(|| vfs.remove_dir(Path::new("dir")).is_err())),
        (Operation::SyncDir, Box::new(|| vfs.sync_dir(Path::new("")).is_err())),
        (Operation::Read, Box::new(|| file.read_at(&mut [0], 0).is_err())),
        (Operation::Write, Box::new(|| write(&file, b"a", 0).is_err())),
        (Operation::Sync, Box::new(|| file.sync().is_err())),
        (Operation::Len, Box::new(|| file.len().is_err())),
        (Operation::SetLen, Box::new(|| file.set_len(3).is_err())),
        (Operation::Lock, Box::new(|| file.try_lock(Lock::Shared).is_err())),
        (Operation::Map, Box::new(|| file.map(1).is_err())),
    ];
    for (operation, attempt) in attempts {
        vfs.fail_nth(operation, 1, Fault::Fail(libc::EIO));
        let before = vfs.count(operation);
        assert!(attempt(), "{operation:?} fails");
        assert!(!attempt(), "{operation:?} works again");
        assert_eq!(vfs.count(operation), before + 2);
    }
    vfs.clear_calls();
    assert_eq!(write(&file, b"abc", 7), Ok(3));
    let call = Call { operation: Operation::Write, path: PathBuf::from("file"), offset: 7, len: 3 };
    assert_eq!(vfs.calls(), [call]);
}

#[test]
fn a_delayed_call_takes_its_time() {
    let (_, vfs, file) = file();
    vfs.delay(Operation::Sync, Duration::from_millis(20));
    let start = Instant::now();
    file.sync().expect("it syncs");
    assert!(start.elapsed() >= Duration::from_millis(20));
}
