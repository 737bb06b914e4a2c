//! Everything that can be done with a log's directory, whatever stands in it.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wal_core::vfs::{MemVfs, Vfs};
use wal_core::{Error, ErrorKind, Log, Lsn, Options, Position, ReplayOptions, Result, check};

use super::memory::within;

/// The files of a log's directory, by name.
pub(super) type Image = BTreeMap<String, Vec<u8>>;

/// Reads, writes, verifies and repairs; panics when anything goes wrong but by an error that fits.
pub(super) fn survive(image: &Image) {
    let file_bytes: usize = image.values().map(Vec::len).sum();
    // What is looked at may be in memory several times, beside the rings and buffers of an opening.
    let memory_max = 6 * file_bytes + (3 << 20);
    let vfs = storage_of(image);
    let before = image_of(&vfs);
    within("reading", memory_max, || read_everything(&vfs, file_bytes));
    fits("info", check::info_with(Arc::new(vfs.clone()), DIRECTORY));
    fits("verify", check::verify_with(Arc::new(vfs.clone()), DIRECTORY, |_, _| {}));
    fits("a plan", check::repair_with(Arc::new(vfs.clone()), DIRECTORY, true));
    assert!(image_of(&vfs) == before, "reading has changed a file");
    let to_repair = vfs.kill_at(vfs.op_count());
    within("writing", memory_max, || write_on(&vfs));
    // The copies a repair keeps lie in the same memory.
    within("repairing", 3 * memory_max, || repair(&to_repair));
}

pub(super) fn options() -> Options {
    Options { segment_bytes: 64 * 1024, ring_bytes: 64 * 1024, ..Options::default() }
}

pub(super) fn path(name: &str) -> PathBuf {
    Path::new(DIRECTORY).join(name)
}

#[expect(clippy::expect_used, reason = "the memory does not refuse what it was made for")]
pub(super) fn storage_of(image: &Image) -> MemVfs {
    let vfs = MemVfs::new();
    vfs.create_dir_all(Path::new(DIRECTORY)).expect("a directory");
    for (name, content) in image {
        vfs.set_file_bytes(&path(name), content).expect("a file");
    }
    vfs.forget_ops();
    vfs
}

#[expect(clippy::expect_used, reason = "the memory does not refuse what it was made for")]
pub(super) fn image_of(vfs: &MemVfs) -> Image {
    let names = vfs.list(Path::new(DIRECTORY)).expect("a list");
    let names = names.into_iter().filter_map(|name| name.into_string().ok());
    names.map(|name| (name.clone(), vfs.file_bytes(&path(&name)).expect("a file"))).collect()
}

/// What a call may say about bytes that are wrong; everything else is a bug.
fn fits<T>(what: &str, result: Result<T>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            let fits = matches!(
                error.kind(),
                ErrorKind::Corrupt
                    | ErrorKind::Unsupported
                    | ErrorKind::NotFound
                    | ErrorKind::Full
                    | ErrorKind::Trimmed
                    | ErrorKind::Truncated
                    | ErrorKind::Invalid
            );
            assert!(fits, "{what} says {error:?}");
            None
        }
    }
}

fn read_everything(vfs: &MemVfs, file_bytes: usize) {
    let opened = Log::open_read_only_with(Arc::new(vfs.clone()), DIRECTORY, options());
    let Some((log, _)) = fits("opening to read", opened) else { return };
    // Sixteen bytes is the least a record takes.
    let records_max = file_bytes / 16 + 1;
    if let Some(cursor) = fits("a cursor", log.cursor(Position::First)) {
        let mut count = 0;
        for record in cursor {
            let Some(record) = fits("next", record) else { break };
            assert!(record.len() <= file_bytes, "a record is longer than all files");
            count += 1;
            assert!(count <= records_max, "more records than there is room for");
        }
    }
    if let Some(mut cursor) = fits("a cursor", log.cursor(Position::End)) {
        let mut count = 0;
        while let Some(Some(_)) = fits("prev", cursor.prev()) {
            count += 1;
            assert!(count <= records_max, "more records than there is room for");
        }
    }
    for lsn in [log.first_lsn(), log.last_lsn(), Lsn::new(1), Lsn::new(u64::MAX >> 1)] {
        let Some(lsn) = lsn else { continue };
        fits("read", log.read(lsn));
        fits("time", log.time_of(lsn));
    }
    let replay = ReplayOptions { threads: 2, in_order: true };
    let replayed =
        log.replay_parallel::<Error>(Position::First, replay, |_| Ok(ControlFlow::Continue(())));
    fits("replay", replayed);
    fits("values", log.values().list());
}

/// What was appended to a log that opened is there when it is opened again.
fn write_on(vfs: &MemVfs) {
    let open = || Log::open_with(Arc::new(vfs.clone()), DIRECTORY, options());
    let Some((log, _)) = fits("opening to write", open()) else { return };
    let appended = fits("append", log.append(b"after the damage"));
    fits("value", log.values().set(b"term", b"4"));
    fits("batch", log.append_batch(&[[1; 100], [2; 100]]));
    fits("trim", log.first_lsn().and_then(Lsn::next).map_or(Ok(None), |at| log.trim(at)));
    let is_closed = match log.close() {
        Ok(()) => true,
        Err(error) => {
            // A made-up sequence number may be the last one there is.
            let is_at_the_end = format!("{error:?}").contains("no sequence number left");
            assert!(is_at_the_end, "closing says {error:?}");
            false
        }
    };
    drop(log);
    let Some(appended) = appended.filter(|_| is_closed) else { return };
    let Some((log, _)) = fits("opening again", open()) else {
        // Made-up numbers may be at the end of their range: then nothing more is written.
        let again = open().err().map(|error| error.kind());
        assert_eq!(again, Some(ErrorKind::Full), "what was closed opens");
        return;
    };
    if log.first_lsn().is_some_and(|first| first <= appended) {
        let read = log.read(appended).map(|record| record.to_vec());
        assert!(read.as_ref().is_ok_and(|read| read == b"after the damage"), "{read:?}");
    }
    fits("close", log.close());
}

/// A repair that did not refuse leaves a log that opens, reads, and needs no other repair.
fn repair(vfs: &MemVfs) {
    let storage = || Arc::new(vfs.clone());
    let planned = fits("a plan", check::repair_with(storage(), DIRECTORY, true));
    let repaired = fits("repair", check::repair_with(storage(), DIRECTORY, false));
    let (Some(planned), Some(repaired)) = (planned, repaired) else { return };
    assert_eq!(planned.lost, repaired.lost, "a repair loses what its plan says");
    let opened = Log::open_read_only_with(storage(), DIRECTORY, options());
    assert!(opened.is_ok(), "{repaired:?}, but then: {:?}", opened.err());
    if let Some(cursor) = opened.ok().and_then(|(log, _)| log.cursor(Position::First).ok()) {
        for record in cursor {
            assert!(record.is_ok(), "{repaired:?}, but then: {:?}", record.err());
        }
    }
    let again = check::repair_with(storage(), DIRECTORY, false);
    assert!(again.as_ref().is_ok_and(|again| !again.changed), "{again:?} after {repaired:?}");
}

pub(super) const DIRECTORY: &str = "/log";
