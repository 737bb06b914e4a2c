//! The promises of the state file, above all those about crashes.

use std::path::Path;

use super::*;
use crate::state::slot::MAGIC;
use crate::state::slot::tests::slot;
use crate::vfs::{Access, Fault, FaultVfs, MemVfs, Operation, Vfs};

const STATE: &str = "STATE";

fn open(vfs: &dyn Vfs) -> Result<StateFile> {
    let file = vfs.open(Path::new(STATE), Access::Write).expect("it is there");
    StateFile::open(file, Path::new(STATE))
}

fn created(vfs: &dyn Vfs) -> StateFile {
    vfs.open(Path::new(STATE), Access::Create).expect("it is created");
    vfs.sync_dir(Path::new("")).expect("it syncs");
    let mut state = open(vfs).expect("an empty file is fresh");
    assert_eq!(state.case(), &SlotsCase::Fresh);
    state.write(slot(&[(b"vote", b"0")])).expect("it is written");
    state
}

fn vote(state: &StateFile) -> &[u8] {
    state.newest().and_then(|slot| slot.values.value(b"vote")).expect("there is a vote")
}

/// Crashes at one operation: nothing lost, everything lost, and many mixtures.
fn crashes(vfs: &MemVfs, op: usize) -> Vec<MemVfs> {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(op as u64 + 1);
    let mut found = vec![
        vfs.kill_at(op),
        vfs.crash_at(op, &mut |_| 0),
        vfs.crash_at(op, &mut |choices| choices - 1),
    ];
    for round in 0..60 {
        found.push(vfs.crash_at(op, &mut |choices| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            // Some rounds lose little, some lose much.
            match random % 20 {
                luck if luck < round % 20 => choices - 1,
                _ => (random >> 32) as usize % choices,
            }
        }));
    }
    found
}

#[test]
fn a_new_file_holds_both_slots_and_stays_small() {
    let vfs = MemVfs::new();
    let state = created(&vfs);
    assert_eq!(state.newest().map(|slot| (slot.seq, slot.is_mirrored)), Some((2, true)));
    drop(state);
    let state = open(&vfs).expect("it opens");
    assert_eq!((state.case(), vote(&state)), (&SlotsCase::Both, &b"0"[..]));
    let ops = vfs.ops();
    assert_eq!(ops[2], "write STATE offset 0 bytes 4096");
    assert_eq!(ops[3], "write STATE offset 131072 bytes 4096");
    assert_eq!(ops[4..], ["sync STATE", "set_len STATE 262144", "sync STATE"]);
}

#[test]
fn a_crash_at_any_moment_of_the_creation_leaves_a_fresh_file_or_the_slot() {
    let vfs = MemVfs::new();
    created(&vfs);
    for op in 2..=vfs.op_count() {
        for found in crashes(&vfs, op) {
            let mut state = open(&found).expect("an interrupted creation is no damage");
            if state.newest().is_some() {
                assert_eq!(vote(&state), b"0");
            }
            assert!(state.newest().is_some() || op < vfs.op_count(), "the creation returned");
            state.write(slot(&[(b"vote", b"1")])).expect("the file is good to be written");
            let safe = found.crash_at(found.op_count(), &mut |_| 0);
            assert_eq!(vote(&open(&safe).expect("it opens")), b"1");
            assert_eq!(safe.file_bytes(Path::new(STATE)).expect("it is there").len(), 262_144);
        }
    }
}

#[test]
fn a_crash_at_any_moment_of_a_write_leaves_the_old_or_the_new_slot() {
    let vfs = MemVfs::new();
    let mut state = created(&vfs);
    // Large and small in turn, so that stale bytes lie behind the shorter ones.
    for round in 1..=6_u8 {
        let large = vec![round; if round % 3 == 0 { 4000 } else { 9 }];
        let values: [(&[u8], &[u8]); 4] =
            [(b"vote", &[round]), (b"a", &large), (b"b", &large), (b"c", &large)];
        let old = vote(&state).to_owned();
        let before = vfs.op_count();
        state.write(slot(&values)).expect("it is written");
        // The first large ones need room, which both slots get.
        let writes = if round == 3 { 3 } else { 1 };
        assert_eq!(vfs.op_count() - before, writes + 1, "and one sync");
        for op in before..=vfs.op_count() {
            for found in crashes(&vfs, op) {
                let mut state = open(&found).expect("one of the slots is good");
                let is_new = vote(&state) == [round];
                assert!(is_new || vote(&state) == old, "{:?}", vote(&state));
                assert!(is_new || op < vfs.op_count(), "the write returned");
                // What recovery has seen is what the next one sees, whatever happens then.
                state.rewrite_newest().expect("it is written");
                let again = found.crash_at(found.op_count(), &mut |_| 0);
                let again = open(&again).expect("it opens");
                assert_eq!(again.newest(), state.newest());
            }
        }
    }
}

/// Of a slot with large values its header arrived and a sector of its values did not. The next slot
/// has the same values and goes to the same place; only that sector of it arrives.
#[test]
fn a_torn_slot_is_not_completed_by_the_next_one() {
    let vfs = MemVfs::new();
    let mut state = created(&vfs);
    let (old, new) = (vec![1; 3000], vec![2; 3000]);
    for (vote, large) in [(b"1", &old), (b"2", &new), (b"3", &new)] {
        state.write(slot(&[(b"a", vote), (b"b", large)])).expect("it is written");
    }
    for missing in 0..7 {
        let sectors_but = |missing: usize| {
            let mut calls = 0;
            move |choices: usize| {
                calls += 1;
                if calls - 1 == missing { 0 } else { choices - 1 }
            }
        };
        let torn = vfs.crash_at(vfs.op_count() - 1, &mut sectors_but(missing));
        let seen = open(&torn).expect("one slot is good").newest().cloned();
        for op in 0..4 {
            let torn = vfs.crash_at(vfs.op_count() - 1, &mut sectors_but(missing));
            let mut state = open(&torn).expect("one slot is good");
            state.rewrite_newest().expect("it is written");
            let next = Slot { epoch: 9, ..seen.clone().expect("a slot") };
            state.write(next).expect("it is written");
            for arrives in 0..8 {
                let mut calls = 0;
                let twice = torn.crash_at((torn.op_count() - op).max(1), &mut |choices| {
                    calls += 1;
                    if calls - 1 == arrives { choices - 1 } else { 0 }
                });
                let found = open(&twice).expect("one slot is good");
                let found = found.newest().expect("a slot");
                let is_seen = Some(found) == seen.as_ref();
                assert!(is_seen || found.epoch == 9, "missing {missing}, then {op}, {arrives}");
            }
        }
    }
}

#[test]
fn a_slot_in_the_page_cache_alone_is_saved_by_rewriting_it() {
    let vfs = MemVfs::new();
    let mut state = created(&vfs);
    vfs.fail_next_sync();
    let error = state.write(slot(&[(b"vote", b"1")])).expect_err("the sync fails");
    assert_eq!((error.kind(), error.os_errno()), (ErrorKind::Io, Some(libc::EIO)));
    drop(state);
    let mut state = open(&vfs).expect("it opens");
    assert_eq!(vote(&state), b"1", "the process died, the page cache did not");
    state.rewrite_newest().expect("it is written");
    let found = vfs.crash_at(vfs.op_count(), &mut |_| 0);
    assert_eq!(vote(&open(&found).expect("it opens")), b"1");
}

#[test]
fn a_failed_write_or_sync_poisons_the_file() {
    for (operation, fault) in [
        (Operation::Write, Fault::Tear(512, libc::EIO)),
        (Operation::Write, Fault::Fail(libc::ENOSPC)),
        (Operation::Sync, Fault::Fail(libc::EIO)),
    ] {
        let memory = MemVfs::new();
        let vfs = FaultVfs::over_memory(memory.clone());
        let mut state = created(&vfs);
        vfs.fail_nth(operation, 1, fault);
        let first = state.write(slot(&[(b"vote", b"1")])).expect_err("it fails");
        assert!(matches!(first.kind(), ErrorKind::Io | ErrorKind::Full));
        let writes = vfs.count(Operation::Write);
        let second = state.write(slot(&[(b"vote", b"2")])).expect_err("it is poisoned");
        assert_eq!((second.kind(), second.os_errno()), (ErrorKind::Poisoned, first.os_errno()));
        assert_eq!(state.rewrite_newest().expect_err("it is too").kind(), ErrorKind::Poisoned);
        assert_eq!(vfs.count(Operation::Write), writes, "nothing more is written");
        assert_eq!(vote(&state), b"0");
        assert!(open(&memory).is_ok(), "the other slot is good");
    }
}

#[test]
fn short_writes_and_reads_are_continued() {
    let vfs = FaultVfs::over_memory(MemVfs::new());
    let mut state = created(&vfs);
    vfs.fail_from(Operation::Write, 1, Fault::Short(1000));
    vfs.fail_from(Operation::Read, 1, Fault::Short(777));
    let large = [7; 4000];
    state.write(slot(&[(b"vote", b"1"), (b"x", &large), (b"y", &large)])).expect("it is written");
    assert_eq!(vfs.count(Operation::Write), 2 + 2 * 5 + 9, "creation, room, slot");
    assert_eq!(open(&vfs).expect("it opens").newest(), state.newest());
}

#[test]
fn either_slot_may_be_lost_and_the_next_write_heals_it() {
    for (index, expected) in [(0, &b"2"[..]), (1, b"1")] {
        let vfs = MemVfs::new();
        let mut state = created(&vfs);
        state.write(slot(&[(b"vote", b"1")])).expect("it goes to the first slot");
        state.write(slot(&[(b"vote", b"2")])).expect("it goes to the second slot");
        assert_eq!(state.newest().map(|slot| (slot.seq, slot.is_mirrored)), Some((4, false)));
        vfs.corrupt(Path::new(STATE), slot_offset(index) + 50, 1).expect("it is there");
        let mut state = open(&vfs).expect("one is left");
        assert!(matches!(state.case(), SlotsCase::OneLost(SlotFault::Torn { .. })));
        assert_eq!(vote(&state), expected);
        let same = state.newest().cloned().expect("one is left");
        state.write(same).expect("it is written");
        assert_eq!(state.newest().map(|slot| slot.is_mirrored), Some(true));
        let state = open(&vfs).expect("it opens");
        assert_eq!((state.case(), vote(&state)), (&SlotsCase::Both, expected));
    }
}

#[test]
fn two_lost_slots_are_corrupt_with_place_and_reason() {
    let vfs = MemVfs::new();
    created(&vfs);
    vfs.corrupt(Path::new(STATE), 130, 1).expect("it is there");
    vfs.corrupt(Path::new(STATE), slot_offset(1) + 130, 1).expect("it is there");
    let error = open(&vfs).err().expect("both are lost");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!((error.path(), error.offset()), (Some(Path::new(STATE)), Some(FileOffset(0))));
    assert!(error.message().contains("checksum"), "{error}");
}

#[test]
fn a_zeroed_file_of_full_length_is_corrupt_and_not_fresh() {
    let vfs = MemVfs::new();
    vfs.set_file_bytes(Path::new(STATE), &[0; 262_144]).expect("it is written");
    assert_eq!(open(&vfs).err().map(|error| error.kind()), Some(ErrorKind::Corrupt));
    vfs.set_file_bytes(Path::new(STATE), &[0; 4096]).expect("it is written");
    assert_eq!(open(&vfs).expect("never finished").case(), &SlotsCase::Fresh);
}

#[test]
fn a_foreign_file_is_not_taken_for_a_fresh_one() {
    let vfs = MemVfs::new();
    vfs.set_file_bytes(Path::new(STATE), b"dear diary, today").expect("it is written");
    assert_eq!(open(&vfs).err().map(|error| error.kind()), Some(ErrorKind::Corrupt));
    vfs.set_file_bytes(Path::new(STATE), &MAGIC[..5]).expect("it is written");
    assert_eq!(open(&vfs).expect("a torn creation").case(), &SlotsCase::Fresh);
}

#[test]
fn slots_of_two_logs_are_corrupt() {
    let vfs = MemVfs::new();
    let mut state = created(&vfs);
    let stranger = Slot { uuid: [9; 16], ..slot(&[(b"vote", b"1")]) };
    state.write(stranger).expect("the file does not judge what it is told");
    let error = open(&vfs).err().expect("they contradict each other");
    assert_eq!((error.kind(), error.offset()), (ErrorKind::Corrupt, Some(FileOffset(131_072))));
}

/// An older program must not go on from the slot the newer one has left behind.
#[test]
fn one_slot_of_a_later_version_makes_the_file_unsupported() {
    let vfs = MemVfs::new();
    created(&vfs);
    let mut bytes = vfs.file_bytes(Path::new(STATE)).expect("it is there");
    let second = slot_offset(1) as usize;
    bytes[second + 8] = 2;
    vfs.set_file_bytes(Path::new(STATE), &bytes).expect("it is written");
    let state = open(&vfs).expect("without a checksum it is rot");
    assert!(matches!(state.case(), SlotsCase::OneLost(_)));
    // In both slots it is no accident, even if a later version has another checksum.
    bytes[8] = 2;
    vfs.set_file_bytes(Path::new(STATE), &bytes).expect("it is written");
    assert_eq!(open(&vfs).err().map(|error| error.kind()), Some(ErrorKind::Unsupported));
    bytes[8] = 1;
    let used = used_bytes(&bytes[second..]);
    bytes[second + 12..second + 16].fill(0);
    let crc = crate::checksum::crc32(0, &bytes[second..second + used]);
    bytes[second + 12..second + 16].copy_from_slice(&crc.to_le_bytes());
    vfs.set_file_bytes(Path::new(STATE), &bytes).expect("it is written");
    assert_eq!(open(&vfs).err().map(|error| error.kind()), Some(ErrorKind::Unsupported));
}

#[test]
fn unreadable_slots_are_an_error_of_the_system() {
    let vfs = FaultVfs::over_memory(MemVfs::new());
    created(&vfs);
    vfs.fail_from(Operation::Read, 1, Fault::Fail(libc::EIO));
    let error = open(&vfs).err().expect("nothing can be read");
    assert_eq!((error.kind(), error.os_errno()), (ErrorKind::Io, Some(libc::EIO)));
}

/// A state file may have been made up with numbers near their end. The watermark of a quiet log
/// found none left in the background and poisoned the log, long after it had opened.
#[test]
fn a_state_whose_numbers_run_out_refuses_changes_and_poisons_nothing() {
    let opened = |memory: &MemVfs| {
        crate::Log::open_with(Arc::new(memory.clone()), "/log", crate::Options::default())
    };
    let mut refused = 0;
    for left in [0, 1, 2, 3, 4, 6] {
        let memory = MemVfs::new();
        let (log, _) = opened(&memory).expect("it is made");
        log.append(b"kept").expect("it appends");
        log.close().expect("it closes");
        drop(log);
        let path = Path::new("/log/STATE");
        let file = memory.open(path, Access::Write).expect("it is there");
        let state = StateFile::open(Arc::clone(&file), path).expect("it is sound");
        let slot =
            Slot { seq: u64::MAX - 1 - left, ..state.newest().expect("it is there").clone() };
        StateFile::rebuild(file, path, slot).expect("it is made up");
        let Ok((log, _)) = opened(&memory) else { continue };
        let full = loop {
            if let Err(error) = log.values().set(b"term", b"1") {
                break error;
            }
        };
        assert_eq!(full.kind(), ErrorKind::Full, "{left} left: {full:?}");
        log.append(b"more").expect("a record needs no number");
        std::thread::sleep(std::time::Duration::from_millis(1200));
        assert!(log.stats().expect("it tells").poisoned.is_none(), "{left} left, and quiet");
        refused += 1;
    }
    assert!(refused >= 2, "{refused}");
}
