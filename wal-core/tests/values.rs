//! The small key-value state.

#![allow(missing_docs, dropping_copy_types, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;

use proptest::prelude::*;
use wal_core::vfs::{Fault, FaultVfs, MemVfs, Operation};
use wal_core::{ErrorKind, Log, Lsn, Options, limits};

fn small() -> Options {
    Options { segment_bytes: 64 << 10, ring_bytes: 64 << 10, ..Options::default() }
}

fn open(vfs: &MemVfs) -> Log {
    Log::open_with(Arc::new(vfs.clone()), "/log", small()).unwrap().0
}

#[test]
fn what_is_out_of_bounds_is_refused_and_changes_nothing() {
    let log = open(&MemVfs::new());
    let values = log.values();
    values.set(b"key", b"value").unwrap();
    let kind = |result: wal_core::Result<()>| result.unwrap_err().kind();
    assert_eq!(kind(values.set(b"", b"value")), ErrorKind::Invalid);
    assert_eq!(kind(values.set(&[b'k'; limits::KEY_BYTES_MAX + 1], b"v")), ErrorKind::Invalid);
    assert_eq!(kind(values.set(b"k", &[0; limits::VALUE_BYTES_MAX + 1])), ErrorKind::Invalid);
    let some: (&[u8], Option<&[u8]>) = (b"other", Some(b"1"));
    assert_eq!(kind(values.update(&[some, (b"", None)])), ErrorKind::Invalid);
    assert_eq!(values.get(b"other").unwrap(), None);
    let too_long = [b'k'; limits::KEY_BYTES_MAX + 1];
    for key in [&b""[..], &too_long] {
        assert_eq!(kind(values.delete(key).map(drop)), ErrorKind::Invalid, "it was never there");
    }
    let longest = [b'k'; limits::KEY_BYTES_MAX];
    values.set(&longest, &[1; limits::VALUE_BYTES_MAX]).unwrap();
    values.set(b"empty", b"").unwrap();
    assert_eq!(values.get(b"empty").unwrap(), Some(Vec::new()));
    let mut count = 0u32;
    let full = loop {
        match values.set(&count.to_le_bytes(), &[0; limits::VALUE_BYTES_MAX]) {
            Ok(()) => count += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(full.kind(), ErrorKind::Full);
    assert!(count >= 28, "{count} values of 4 KiB fit");
    assert_eq!(values.get(&count.to_le_bytes()).unwrap(), None);
    assert!(values.delete(&0u32.to_le_bytes()).unwrap());
    values.set(&count.to_le_bytes(), &[0; limits::VALUE_BYTES_MAX]).unwrap();
    assert_eq!(log.append(b"x").unwrap(), Lsn::FIRST, "the log is not poisoned");
}

#[test]
fn several_changes_are_one() {
    let vfs = MemVfs::new();
    let log = open(&vfs);
    log.values().update(&[(b"a", Some(b"1")), (b"b", Some(b"1"))]).unwrap();
    vfs.forget_ops();
    let before = vfs.op_count();
    log.values()
        .update(&[(b"a", Some(b"2")), (b"b", None), (b"c", Some(b"9")), (b"c", Some(b"2"))])
        .unwrap();
    assert_eq!(log.values().list().unwrap().len(), 2);
    let old: BTreeMap<_, _> = [("a", "1"), ("b", "1")].into();
    let new: BTreeMap<_, _> = [("a", "2"), ("c", "2")].into();
    let text = |map: &BTreeMap<&str, &str>| -> Vec<(Vec<u8>, Vec<u8>)> {
        map.iter().map(|(key, value)| (key.as_bytes().into(), value.as_bytes().into())).collect()
    };
    for op in before..=vfs.op_count() {
        for keeps in [0, 1, 2, 3] {
            let mut turn = 0;
            let found = vfs.crash_at(op, &mut |choices| {
                turn += 1;
                match keeps {
                    0 => 0,
                    1 => choices - 1,
                    _ => (turn + keeps) % choices,
                }
            });
            let listed = open(&found).values().list().unwrap();
            assert!(listed == text(&old) || listed == text(&new), "{listed:?}");
            if op == vfs.op_count() {
                assert_eq!(listed, text(&new));
            }
        }
    }
}

#[test]
fn a_failed_write_of_the_state_poisons_the_log() {
    let vfs = FaultVfs::over_memory(MemVfs::new());
    let (log, _) = Log::open_with(Arc::new(vfs.clone()), "/log", small()).unwrap();
    log.append(b"x").unwrap();
    vfs.fail_nth(Operation::Sync, 1, Fault::Fail(libc::EIO));
    assert_eq!(log.values().set(b"vote", b"me").unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(log.values().set(b"vote", b"me").unwrap_err().kind(), ErrorKind::Poisoned);
    assert_eq!(log.append(b"x").unwrap_err().kind(), ErrorKind::Poisoned);
    assert_eq!(&log.read(Lsn::FIRST).unwrap()[..], b"x");
}

#[test]
fn values_are_independent_of_appends_and_survive_everything() {
    let vfs = MemVfs::new();
    let log = open(&vfs);
    thread::scope(|scope| {
        scope.spawn(|| (0..500).map(|_| log.append(&[1; 500]).unwrap()).max());
        for number in 0..200u32 {
            log.values().set(b"term", &number.to_le_bytes()).unwrap();
            let kept = log.values().get(b"term").unwrap();
            assert_eq!(kept.as_deref(), Some(&number.to_le_bytes()[..]));
        }
    });
    log.trim(Lsn::new(300).unwrap()).unwrap();
    log.truncate(Lsn::new(400).unwrap()).unwrap();
    log.reset_to(Lsn::new(7).unwrap()).unwrap();
    let found = vfs.crash_at(vfs.op_count(), &mut |_| 0);
    let log = open(&found);
    assert_eq!(log.values().get(b"term").unwrap(), Some(199u32.to_le_bytes().to_vec()));
    assert_eq!(log.next_lsn().get(), 7);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn values_are_a_map(
        steps in prop::collection::vec((0u8..6, prop::option::of(0usize..4097), 0u8..10), 1..60),
    ) {
        let vfs = MemVfs::new();
        let mut log = open(&vfs);
        let mut model = BTreeMap::new();
        for (key, value, turn) in steps {
            let key = vec![b'a' + key; 1 + usize::from(key) * 50];
            match value {
                Some(len) => {
                    let value = vec![turn; len];
                    log.values().set(&key, &value).unwrap();
                    model.insert(key, value);
                }
                None => {
                    assert_eq!(log.values().delete(&key).unwrap(), model.remove(&key).is_some());
                }
            }
            match turn {
                0 => {
                    log.close().unwrap();
                    log = open(&vfs);
                }
                1 => {
                    let _ = log.append(b"x").unwrap();
                }
                _ => {}
            }
            let listed: BTreeMap<_, _> = log.values().list().unwrap().into_iter().collect();
            assert_eq!(listed, model);
        }
    }
}

/// The process may die after it has made the state file and before the file's name is safe: whoever
/// opens the log then finds the file, and has to see to its name all the same.
#[test]
fn a_value_survives_power_loss_also_when_the_creation_of_the_log_was_interrupted() {
    let vfs = MemVfs::new();
    drop(open(&vfs));
    for op in 0..=vfs.op_count() {
        let killed = vfs.kill_at(op);
        open(&killed).values().set(b"key", b"value").unwrap();
        let left = killed.crash_at(killed.op_count(), &mut |_| 0);
        let found = open(&left).values().get(b"key").unwrap();
        assert_eq!(found.as_deref(), Some(&b"value"[..]), "killed after operation {op}");
    }
}
