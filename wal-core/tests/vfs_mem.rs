//! The file system in memory: what a crash may and may not leave behind.

#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::io::{self, ErrorKind, IoSlice};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use proptest::prelude::*;
use wal_core::vfs::{Access, File, Lock, MemVfs, Vfs};

fn path(path: &str) -> &Path {
    Path::new(path)
}

fn create(vfs: &MemVfs, name: &str) -> Arc<dyn File> {
    vfs.open(path(name), Access::Create).expect("the file is created")
}

fn write(file: &Arc<dyn File>, bytes: &[u8], offset: u64) {
    assert_eq!(file.write_at(&[IoSlice::new(bytes)], offset).expect("it writes"), bytes.len());
}

fn error_of<T>(result: io::Result<T>) -> ErrorKind {
    result.err().expect("this is refused").kind()
}

/// Everything a crash right now may leave, as `view` sees it: each answer of the chooser is tried,
/// for as many questions as it asks.
fn crash_views<T: Ord>(vfs: &MemVfs, view: impl Fn(&MemVfs) -> T) -> BTreeSet<T> {
    let mut views = BTreeSet::new();
    let mut answers: Vec<(usize, usize)> = Vec::new();
    loop {
        let mut asked = 0;
        let found = vfs.crash_at(vfs.op_count(), &mut |choices| {
            if asked == answers.len() {
                answers.push((0, choices));
            }
            assert_eq!(answers[asked].1, choices, "the same answers lead to the same question");
            asked += 1;
            answers[asked - 1].0
        });
        views.insert(view(&found));
        while answers.last().is_some_and(|&(answer, choices)| answer + 1 == choices) {
            answers.pop();
        }
        match answers.last_mut() {
            Some((answer, _)) => *answer += 1,
            None => return views,
        }
    }
}

fn names(vfs: &MemVfs, dir: &str) -> BTreeSet<String> {
    let list = vfs.list(path(dir)).expect("it is listed");
    list.into_iter().map(|name| name.to_string_lossy().into_owned()).collect()
}

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.into_iter().map(String::from).collect()
}

#[test]
fn the_wrong_access_is_refused() {
    let vfs = MemVfs::new();
    vfs.create_dir_all(path("dir")).expect("it is made");
    assert_eq!(error_of(vfs.open(path("dir"), Access::Read)), ErrorKind::InvalidInput);
    assert_eq!(error_of(vfs.open(path("dir/none"), Access::Write)), ErrorKind::NotFound);
    assert_eq!(error_of(vfs.open(path("none/file"), Access::Create)), ErrorKind::NotFound);
    write(&create(&vfs, "dir/file"), b"bytes", 0);
    assert_eq!(error_of(vfs.open(path("dir/./file"), Access::Create)), ErrorKind::AlreadyExists);
    assert_eq!(error_of(vfs.open(path("dir/file/x"), Access::Create)), ErrorKind::NotADirectory);
    assert_eq!(error_of(vfs.create_dir_all(path("dir/file"))), ErrorKind::NotADirectory);
    assert_eq!(error_of(vfs.remove_dir(path("dir"))), ErrorKind::DirectoryNotEmpty);
    assert_eq!(error_of(vfs.remove(path("dir"))), ErrorKind::IsADirectory);
    let reader = vfs.open(path("dir/file"), Access::Read).expect("it opens");
    assert!(reader.write_at(&[IoSlice::new(b"x")], 0).is_err());
    assert!(reader.set_len(0).is_err());
    assert_eq!(error_of(reader.try_lock(Lock::Exclusive)), ErrorKind::InvalidInput);
    let direct = vfs.open(path("dir/file"), Access::WriteDirect).expect("it opens");
    assert_eq!(error_of(direct.write_at(&[IoSlice::new(b"x")], 0)), ErrorKind::InvalidInput);
    assert_eq!(vfs.file_bytes(path("dir/file")).expect("it is there"), b"bytes");
}

#[test]
fn a_lock_is_refused_to_a_second_opener_and_gone_after_a_crash() {
    let vfs = MemVfs::new();
    let holder = create(&vfs, "file");
    let other = vfs.open(path("file"), Access::Write).expect("it opens");
    assert!(holder.try_lock(Lock::Exclusive).expect("asked"));
    assert!(!other.try_lock(Lock::Exclusive).expect("asked"));
    assert!(!other.try_lock(Lock::Shared).expect("asked"));
    vfs.rename(path("file"), path("other")).expect("it is renamed");
    let renamed = vfs.open(path("other"), Access::Write).expect("it opens");
    assert!(!renamed.try_lock(Lock::Shared).expect("asked"), "the lock is the inode's");
    assert!(create(&vfs, "file").try_lock(Lock::Exclusive).expect("asked"), "another inode");
    let killed = vfs.kill_at(vfs.op_count());
    let found = killed.open(path("other"), Access::Write).expect("it opens");
    assert!(found.try_lock(Lock::Exclusive).expect("asked"));
    drop(holder);
    assert!(other.try_lock(Lock::Shared).expect("asked"));
    assert!(renamed.try_lock(Lock::Shared).expect("asked"));
    assert!(!other.try_lock(Lock::Exclusive).expect("asked"));
}

#[test]
fn no_room_is_a_short_write_and_then_an_error() {
    let vfs = MemVfs::new();
    let file = create(&vfs, "file");
    vfs.set_capacity(Some(8192));
    let bytes = [1; 10_000];
    assert_eq!(file.write_at(&[IoSlice::new(&bytes)], 100).expect("some fits"), 8092);
    assert_eq!(error_of(file.write_at(&[IoSlice::new(&bytes)], 8192)), ErrorKind::StorageFull);
    assert_eq!(error_of(file.set_len(20_000)), ErrorKind::StorageFull);
    write(&file, b"what is allocated can be overwritten", 4000);
    // A removed file gives its room back when the last handle closes.
    vfs.remove(path("file")).expect("it is removed");
    let other = create(&vfs, "other");
    assert_eq!(error_of(other.write_at(&[IoSlice::new(b"x")], 0)), ErrorKind::StorageFull);
    drop(file);
    write(&other, &bytes[..8192], 0);
}

#[test]
fn an_unsynced_name_may_be_lost_though_the_file_was_synced() {
    let vfs = MemVfs::new();
    let file = create(&vfs, "file");
    write(&file, b"bytes", 0);
    file.sync().expect("it syncs");
    let views = crash_views(&vfs, |found| found.file_bytes(path("file")).ok());
    assert_eq!(views, [None, Some(b"bytes".to_vec())].into());
    vfs.sync_dir(path("")).expect("it syncs");
    let views = crash_views(&vfs, |found| found.file_bytes(path("file")).ok());
    assert_eq!(views, [Some(b"bytes".to_vec())].into());
}

#[test]
fn each_sector_arrives_or_not_and_may_tear() {
    let vfs = MemVfs::new();
    let file = create(&vfs, "file");
    write(&file, &[1; 1024], 0);
    file.sync().expect("it syncs");
    vfs.sync_dir(path("")).expect("it syncs");
    write(&file, &[2; 1024], 0);
    let views = crash_views(&vfs, |found| {
        let bytes = found.file_bytes(path("file")).expect("it is there");
        assert_eq!(bytes.len(), 1024);
        let newer = |half: &[u8]| {
            let newer = half.iter().take_while(|&&byte| byte == 2).count();
            assert!(half[newer..].iter().all(|&byte| byte == 1), "torn once, from the front");
            newer
        };
        (newer(&bytes[..512]), newer(&bytes[512..]))
    });
    assert_eq!(views.len(), 513 * 513, "every tear of either sector, independently");
}

#[test]
fn a_sector_written_twice_holds_any_of_its_states() {
    let vfs = MemVfs::new();
    let file = create(&vfs, "file");
    vfs.sync_dir(path("")).expect("it syncs");
    file.set_len(2).expect("it grows");
    file.sync().expect("it syncs");
    write(&file, b"a", 0);
    write(&file, b"b", 1);
    let views = crash_views(&vfs, |found| found.file_bytes(path("file")).expect("it is there"));
    let expected: BTreeSet<Vec<u8>> = [b"\0\0".to_vec(), b"a\0".to_vec(), b"ab".to_vec()].into();
    assert_eq!(views, expected);
}

#[test]
fn an_unsynced_length_may_be_any_of_those_the_file_had() {
    let vfs = MemVfs::new();
    let file = create(&vfs, "file");
    vfs.sync_dir(path("")).expect("it syncs");
    write(&file, b"abcdef", 0);
    file.sync().expect("it syncs");
    file.set_len(2).expect("it shrinks");
    file.set_len(4).expect("it grows");
    let views = crash_views(&vfs, |found| found.file_bytes(path("file")).expect("it is there"));
    let expected: BTreeSet<Vec<u8>> =
        [b"abcdef".to_vec(), b"ab".to_vec(), b"ab\0\0".to_vec()].into();
    assert_eq!(views, expected, "what was cut off does not come back");
    file.sync().expect("it syncs");
    let views = crash_views(&vfs, |found| found.file_bytes(path("file")).expect("it is there"));
    assert_eq!(views, [b"ab\0\0".to_vec()].into());
}

#[test]
fn bytes_cut_off_before_they_arrived_do_not_come_back_with_the_cut() {
    let vfs = MemVfs::new();
    let file = create(&vfs, "file");
    vfs.sync_dir(path("")).expect("it syncs");
    write(&file, b"abcd", 0);
    file.set_len(2).expect("it shrinks");
    file.set_len(3).expect("it grows");
    let views = crash_views(&vfs, |found| found.file_bytes(path("file")).expect("it is there"));
    let expected: [&[u8]; 9] =
        [b"", b"\0\0", b"a\0", b"ab", b"\0\0\0", b"a\0\0", b"ab\0", b"\0\0\0\0", b"abcd"];
    for view in expected {
        assert!(views.contains(view), "{view:?} may be found");
    }
    assert!(!views.iter().any(|view| view.len() == 3 && view[2] != 0), "{views:?}");
}

#[test]
fn a_renaming_leaves_the_old_or_the_new_name_and_never_none() {
    let vfs = MemVfs::new();
    for (name, bytes) in [("old", b"1"), ("target", b"0")] {
        let file = create(&vfs, name);
        write(&file, bytes, 0);
        file.sync().expect("it syncs");
    }
    vfs.sync_dir(path("")).expect("it syncs");
    vfs.rename(path("old"), path("target")).expect("it is renamed");
    let file = vfs.open(path("target"), Access::Write).expect("it opens");
    write(&file, b"2", 0);
    file.sync().expect("it syncs");
    let views = crash_views(&vfs, |found| {
        (found.file_bytes(path("old")).ok(), found.file_bytes(path("target")).ok())
    });
    let old_name_with_new_bytes = (Some(b"2".to_vec()), Some(b"0".to_vec()));
    assert_eq!(views, [old_name_with_new_bytes, (None, Some(b"2".to_vec()))].into());
}

#[test]
fn unsynced_names_survive_in_any_possible_subset() {
    let vfs = MemVfs::new();
    create(&vfs, "a");
    vfs.sync_dir(path("")).expect("it syncs");
    vfs.remove(path("a")).expect("it is removed");
    create(&vfs, "b");
    vfs.create_dir_all(path("dir")).expect("it is made");
    create(&vfs, "dir/c");
    // Making a directory is durable at once, and syncs what else happened beside it.
    let views = crash_views(&vfs, |found| (names(found, ""), names(found, "dir")));
    assert_eq!(views, [(set(["b", "dir"]), set([])), (set(["b", "dir"]), set(["c"]))].into());
    vfs.remove(path("b")).expect("it is removed");
    create(&vfs, "d");
    let views = crash_views(&vfs, |found| names(found, ""));
    let expected = [set(["b", "dir"]), set(["dir"]), set(["b", "d", "dir"]), set(["d", "dir"])];
    assert_eq!(views, expected.into());
}

#[test]
fn a_directory_left_unsynced_by_a_dead_process_is_synced_by_the_next_one() {
    let vfs = MemVfs::new();
    vfs.create_dir_all(path("a/b")).expect("they are made");
    let made = vfs.ops().iter().position(|op| op == "create_dir a/b").expect("it was made");
    let next = vfs.kill_at(made + 1);
    next.create_dir_all(path("a/b")).expect("they exist");
    assert_eq!(crash_views(&next, |found| names(found, "a")), [set(["b"])].into());
}

#[test]
fn after_a_failed_sync_a_later_one_saves_only_what_is_written_again() {
    let vfs = MemVfs::new();
    let file = create(&vfs, "file");
    vfs.sync_dir(path("")).expect("it syncs");
    write(&file, b"0000", 0);
    file.sync().expect("it syncs");
    write(&file, b"12345", 0);
    vfs.fail_next_sync();
    assert_eq!(file.sync().err().and_then(|error| error.raw_os_error()), Some(libc::EIO));
    file.sync().expect("it says it synced");
    assert_eq!(vfs.file_bytes(path("file")).expect("it is there"), b"12345");
    let found = |vfs: &MemVfs| {
        crash_views(vfs, |found| found.file_bytes(path("file")).expect("it is there"))
    };
    assert_eq!(found(&vfs), [b"0000\0".to_vec()].into(), "the length is the inode's");
    write(&file, b"34", 2);
    file.sync().expect("it syncs");
    assert_eq!(found(&vfs), [b"0034\0".to_vec()].into());
    assert_eq!(found(&vfs.kill_at(vfs.op_count())), [b"0034\0".to_vec()].into());
    write(&file, b"12345", 0);
    vfs.drop_unsynced(path("file")).expect("it is there");
    write(&file, b"12345", 0);
    file.sync().expect("it syncs");
    assert_eq!(found(&vfs), [b"12345".to_vec()].into());
}

#[test]
fn a_killed_process_leaves_everything_visible_and_no_more_durable() {
    let vfs = MemVfs::new();
    let file = create(&vfs, "file");
    vfs.sync_dir(path("")).expect("it syncs");
    write(&file, b"a", 0);
    let op = vfs.op_count();
    write(&file, b"b", 0);
    let killed = vfs.kill_at(op);
    assert_eq!(killed.file_bytes(path("file")).expect("it is there"), b"a");
    assert_eq!(killed.op_count(), 0);
    let lost = killed.crash_at(0, &mut |_| 0);
    assert_eq!(lost.file_bytes(path("file")).expect("it is there"), b"");
    assert_eq!(vfs.file_bytes(path("file")).expect("it is there"), b"b");
}

#[test]
fn a_removed_file_stays_usable_while_it_is_open() {
    let vfs = MemVfs::new();
    let file = create(&vfs, "file");
    write(&file, b"bytes", 0);
    vfs.remove(path("file")).expect("it is removed");
    vfs.sync_dir(path("")).expect("it syncs");
    let mut found = [0; 9];
    assert_eq!(file.read_at(&mut found, 0).expect("it reads"), 5);
    assert_eq!(file.len().expect("it has one"), 5);
    assert_eq!(names(&vfs, ""), set([]));
}

#[test]
fn damage_is_where_it_was_made_and_durable() {
    let vfs = MemVfs::new();
    vfs.set_file_bytes(path("dir/file"), b"abc").expect("it is created");
    vfs.corrupt(path("dir/file"), 1, 0x20).expect("it is there");
    vfs.corrupt(path("dir/file"), 9, 0x20).expect("past the end is nothing");
    let found = vfs.crash_at(vfs.op_count(), &mut |_| 0);
    assert_eq!(found.file_bytes(path("dir/file")).expect("it is there"), b"aBc");
    assert_eq!(error_of(vfs.corrupt(path("none"), 0, 1)), ErrorKind::NotFound);
}

#[test]
fn the_clock_is_the_same_in_every_run() {
    let (one, two) = (MemVfs::new(), MemVfs::new());
    assert_eq!(one.now(), two.now());
    assert_eq!(one.now().duration_since(two.now()).expect("equal"), Duration::ZERO);
    one.set_now(SystemTime::UNIX_EPOCH);
    assert_eq!(one.now(), SystemTime::UNIX_EPOCH + Duration::from_micros(1));
}

#[test]
fn operations_are_listed_and_can_be_forgotten() {
    let vfs = MemVfs::new();
    let file = create(&vfs, "file");
    write(&file, b"bytes", 7);
    file.sync().expect("it syncs");
    assert_eq!(vfs.ops(), ["create file", "write file offset 7 bytes 5", "sync file"]);
    vfs.forget_ops();
    write(&file, b"more", 0);
    assert_eq!((vfs.op_count(), vfs.ops().len()), (4, 1));
    assert_eq!(
        vfs.kill_at(3).file_bytes(path("file")).expect("it is there"),
        b"\0\0\0\0\0\0\0bytes"
    );
    assert!(std::panic::catch_unwind(|| vfs.kill_at(2)).is_err());
}

#[test]
fn crashes_of_a_log_of_usual_size_are_cheap() {
    let vfs = MemVfs::new();
    let file = create(&vfs, "log");
    vfs.sync_dir(path("")).expect("it syncs");
    write(&file, &vec![0; 256 * 1024], 0);
    file.sync().expect("it syncs");
    for number in 0..1000 {
        write(&file, &[number as u8; 200], number * 200);
        file.sync().expect("it syncs");
    }
    let start = Instant::now();
    let mut random = 1_u64;
    for op in 0..vfs.op_count() {
        let found = vfs.crash_at(op, &mut |choices| {
            random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (random >> 33) as usize % choices
        });
        assert_eq!(found.op_count(), 0);
    }
    let each = start.elapsed() / vfs.op_count() as u32;
    assert!(each < Duration::from_millis(1), "{each:?} each");
}

/// All states of one moment, as the campaign of crash states goes through them.
fn whole_sectors(vfs: &MemVfs, op: usize) -> BTreeSet<Vec<u8>> {
    let mut moment = vfs.moment(op);
    let mut found = BTreeSet::new();
    for answers in 0..1 << 6_u32 {
        let mut at = 0;
        let left = moment.power_loss(&mut |part| {
            assert!(part.choices > 1, "{part} is no choice");
            at += 1;
            answers >> (at - 1) & 1
        });
        found.extend(left.file_bytes(path("file")).ok());
    }
    found
}

#[test]
fn a_moment_knows_every_subset_of_whole_sectors_and_nothing_else() {
    let vfs = MemVfs::new();
    let file = create(&vfs, "file");
    write(&file, &[1; 2048], 0);
    file.sync().expect("it syncs");
    vfs.sync_dir(path("")).expect("it syncs");
    // The first sector is written with what it holds: no crash makes a difference there.
    write(&file, &[1; 512], 0);
    write(&file, &[2; 1024], 512);
    let states = whole_sectors(&vfs, vfs.op_count());
    assert_eq!(states.len(), 4);
    for state in states {
        let sectors: Vec<_> = state.chunks(512).map(|sector| (sector[0], sector[511])).collect();
        assert!(matches!(sectors[..], [(1, 1), (1, 1) | (2, 2), (1, 1) | (2, 2), (1, 1)]));
    }
    assert_eq!(whole_sectors(&vfs, vfs.op_count() - 1).len(), 1, "nothing had changed yet");
    let mut words = Vec::new();
    let _ = vfs.moment(vfs.op_count()).power_loss(&mut |part| {
        words.push(part.to_string());
        0
    });
    assert_eq!(words, ["file bytes 512..1024", "file bytes 1024..1536"]);
}

#[test]
fn a_machine_without_power_refuses_everything_and_keeps_what_it_has() {
    let vfs = MemVfs::new();
    let file = create(&vfs, "file");
    write(&file, b"kept", 0);
    let (ops, digest) = (vfs.op_count(), vfs.digest());
    vfs.power_off();
    assert_eq!(file.write_at(&[IoSlice::new(b"lost")], 0).unwrap_err().raw_os_error(), Some(5));
    assert!(file.sync().is_err() && file.set_len(0).is_err() && file.len().is_err());
    assert!(file.read_at(&mut [0; 4], 0).is_err() && file.try_lock(Lock::Shared).is_err());
    assert!(vfs.open(path("file"), Access::Read).is_err() && vfs.list(path("")).is_err());
    assert!(vfs.remove(path("file")).is_err() && vfs.sync_dir(path("")).is_err());
    assert_eq!((vfs.op_count(), vfs.digest()), (ops, digest));
    assert_eq!(vfs.kill_at(ops).file_bytes(path("file")).unwrap(), b"kept");
}

#[test]
fn file_systems_that_differ_have_other_digests_and_copies_have_the_same() {
    let vfs = MemVfs::new();
    let file = create(&vfs, "file");
    let mut digests = BTreeSet::from([vfs.digest()]);
    write(&file, &[0; 5000], 0);
    assert!(digests.insert(vfs.digest()), "longer");
    write(&file, &[1], 4999);
    assert!(digests.insert(vfs.digest()), "another byte");
    file.sync().expect("it syncs");
    assert!(digests.insert(vfs.digest()), "durable");
    vfs.overwrite(path("file"), 4098, &[0, 1]).expect("it is there");
    assert!(digests.insert(vfs.digest()), "a byte at another place");
    vfs.rename(path("file"), path("other")).expect("it is renamed");
    assert!(digests.insert(vfs.digest()), "another name");
    assert_eq!(vfs.kill_at(vfs.op_count()).digest(), vfs.digest());
    assert_eq!(vfs.written_by(2), Some((path("file").into(), 0, vec![0; 5000])));
    assert_eq!((vfs.written_by(1), vfs.written_by(99)), (None, None));
}

proptest! {
    /// The two extremes are states every test may rely on: all that was synced, all that was done.
    #[test]
    fn a_crash_lies_between_what_was_synced_and_what_was_done(
        writes in proptest::collection::vec(
            (0_u8..8, 0_u64..3000, 1_usize..1500, 1_u8..=255), 1..24),
    ) {
        let vfs = MemVfs::new();
        let file = create(&vfs, "file");
        vfs.sync_dir(path("")).expect("it syncs");
        let (mut visible, mut durable) = (Vec::new(), Vec::new());
        for (kind, offset, len, byte) in writes {
            match kind {
                0 => {
                    file.sync().expect("it syncs");
                    durable = visible.clone();
                }
                1 => {
                    file.set_len(offset).expect("it has room");
                    visible.resize(offset as usize, 0);
                }
                _ => {
                    write(&file, &vec![byte; len], offset);
                    let end = offset as usize + len;
                    visible.resize(visible.len().max(end), 0);
                    visible[offset as usize..end].fill(byte);
                }
            }
            let now = vfs.op_count();
            let bytes = |vfs: &MemVfs| vfs.file_bytes(path("file")).expect("it is there");
            prop_assert_eq!(bytes(&vfs.crash_at(now, &mut |_| 0)), durable.clone());
            prop_assert_eq!(bytes(&vfs.crash_at(now, &mut |choices| choices - 1)), visible.clone());
            prop_assert_eq!(bytes(&vfs.kill_at(now)), visible.clone());
        }
    }
}
