//! Whatever stands in a log's directory, nothing panics, nothing runs for ever, and nothing takes
//! more memory than the files are large.

#![allow(missing_docs, unsafe_code, clippy::unwrap_used)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, Once, PoisonError};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::sample::{Index, select};
use wal_core::vfs::{MemVfs, RealVfs, Vfs};
use wal_core::{
    Error, ErrorKind, Log, Lsn, Options, Position, RecoveryReport, ReplayOptions, Result, check,
};

/// The system's allocator, and how much of it is in use.
struct Counting;

static LIVE_BYTES: AtomicUsize = AtomicUsize::new(0);
static PEAK_BYTES: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

impl Counting {
    fn grow(bytes: usize) {
        let live = LIVE_BYTES.fetch_add(bytes, Ordering::Relaxed) + bytes;
        PEAK_BYTES.fetch_max(live, Ordering::Relaxed);
    }
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Counting::grow(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Counting::grow(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE_BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        Counting::grow(bytes);
        LIVE_BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(pointer, layout, bytes) }
    }
}

/// The files of a log's directory, by name.
type Image = BTreeMap<String, Vec<u8>>;

#[derive(Clone, Debug)]
enum Damage {
    Flip {
        file: Index,
        at: Index,
        mask: u8,
    },
    Overwrite {
        file: Index,
        at: Index,
        bytes: Vec<u8>,
    },
    Insert {
        file: Index,
        at: Index,
        bytes: Vec<u8>,
    },
    Delete {
        file: Index,
        at: Index,
        len: usize,
    },
    Zero {
        file: Index,
        at: Index,
        len: usize,
    },
    CopyBlock {
        from: Index,
        to: Index,
        source: Index,
        target: Index,
    },
    Cut {
        file: Index,
        at: Index,
    },
    Extend {
        file: Index,
        byte: u8,
        len: usize,
    },
    Swap {
        one: Index,
        other: Index,
    },
    CopyOver {
        from: Index,
        to: Index,
    },
    Remove {
        file: Index,
    },
    Rename {
        file: Index,
        id: u64,
    },
    Replace {
        file: Index,
        bytes: Vec<u8>,
        len: usize,
    },
    /// A field of a header, slot, frame, trailer or footer.
    Field {
        file: Index,
        field: Index,
        value: u64,
        width: usize,
    },
}

#[derive(Clone, Debug)]
struct Case {
    base: usize,
    damages: Vec<Damage>,
    /// Whether all checksums and chain values are made right again.
    reseals: bool,
    is_on_disk: bool,
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 1..40)
}

fn number() -> impl Strategy<Value = u64> {
    let top = u64::MAX;
    let edges = vec![
        0,
        1,
        2,
        3,
        4,
        7,
        8,
        16,
        64,
        4095,
        4096,
        8192,
        8200,
        65_536,
        65_528,
        1 << 20,
        1 << 26,
        1 << 28,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_fff0,
        0xffff_ffff,
        1 << 32,
        1 << 62,
        (1 << 63) - 2,
        (1 << 63) - 1,
        1 << 63,
        (1 << 63) + 1,
        top - 4096,
        top - 7,
        top - 1,
        top,
    ];
    prop_oneof![4 => select(edges), 1 => 0u64..300, 1 => any::<u64>()]
}

fn damage() -> impl Strategy<Value = Damage> {
    let i = any::<Index>;
    prop_oneof![
        3 => (i(), i(), 1u8..=255).prop_map(|(file, at, mask)| Damage::Flip { file, at, mask }),
        2 => (i(), i(), bytes())
            .prop_map(|(file, at, bytes)| Damage::Overwrite { file, at, bytes }),
        1 => (i(), i(), bytes()).prop_map(|(file, at, bytes)| Damage::Insert { file, at, bytes }),
        1 => (i(), i(), 1usize..5000).prop_map(|(file, at, len)| Damage::Delete { file, at, len }),
        2 => (i(), i(), 1usize..9000).prop_map(|(file, at, len)| Damage::Zero { file, at, len }),
        2 => (i(), i(), i(), i())
            .prop_map(|(from, to, source, target)| Damage::CopyBlock { from, to, source, target }),
        2 => (i(), i()).prop_map(|(file, at)| Damage::Cut { file, at }),
        1 => (i(), any::<u8>(), 1usize..70_000)
            .prop_map(|(file, byte, len)| Damage::Extend { file, byte, len }),
        1 => (i(), i()).prop_map(|(one, other)| Damage::Swap { one, other }),
        1 => (i(), i()).prop_map(|(from, to)| Damage::CopyOver { from, to }),
        1 => i().prop_map(|file| Damage::Remove { file }),
        1 => (i(), number()).prop_map(|(file, id)| Damage::Rename { file, id }),
        1 => (i(), bytes(), 0usize..300_000)
            .prop_map(|(file, bytes, len)| Damage::Replace { file, bytes, len }),
        12 => (i(), i(), number(), select(vec![1usize, 2, 4, 8]))
            .prop_map(|(file, field, value, width)| Damage::Field { file, field, value, width }),
    ]
}

fn case() -> impl Strategy<Value = Case> {
    let damages = prop::collection::vec(damage(), 1..4);
    (0..BASES.len(), damages, prop::bool::weighted(0.7), prop::bool::weighted(0.3)).prop_map(
        |(base, damages, reseals, is_on_disk)| Case { base, damages, reseals, is_on_disk },
    )
}

/// Sound logs of several histories.
static BASES: LazyLock<Vec<Image>> = LazyLock::new(|| {
    vec![
        base(|vfs| {
            let log = fill(vfs, 40);
            log.trim(lsn(12)).unwrap();
            log.append_batch(&["a", "bb", "ccc"]).unwrap();
            log.close().unwrap();
            let log = open(vfs);
            log.append(b"reopened").unwrap();
            log.close().unwrap();
            vfs.clone()
        }),
        base(|vfs| {
            let _log = fill(vfs, 25);
            vfs.kill_at(vfs.op_count())
        }),
        base(|vfs| {
            let log = fill(vfs, 30);
            log.truncate(lsn(17)).unwrap();
            log.append(&[7; 500]).unwrap();
            vfs.kill_at(vfs.op_count())
        }),
        base(|vfs| {
            let log = fill(vfs, 10);
            log.reset_to(lsn(1 << 40)).unwrap();
            log.append(&[0; 3000]).unwrap();
            log.append(&[9; 100_000]).unwrap();
            log.close().unwrap();
            vfs.clone()
        }),
        base(|vfs| {
            open(vfs).append(b"one").unwrap();
            vfs.clone()
        }),
        Image::from([("STATE".into(), vec![]), (segment_name(1), vec![])]),
    ]
});

fn base(history: impl Fn(&MemVfs) -> MemVfs) -> Image {
    let vfs = history(&MemVfs::new());
    let names = vfs.list(Path::new(DIRECTORY)).unwrap();
    let names = names.into_iter().map(|name| name.into_string().unwrap());
    names.map(|name| (name.clone(), vfs.file_bytes(&path(&name)).unwrap())).collect()
}

fn options() -> Options {
    Options { segment_bytes: 64 * 1024, ring_bytes: 64 * 1024, ..Options::default() }
}

fn open(vfs: &MemVfs) -> Log {
    Log::open_with(Arc::new(vfs.clone()), DIRECTORY, options()).unwrap().0
}

fn fill(vfs: &MemVfs, records: usize) -> Log {
    let log = open(vfs);
    log.values().set(b"term", b"3").unwrap();
    for size in 0..records {
        log.append(&vec![size as u8; size * 199]).unwrap();
    }
    log.values().set(b"vote", &[1; 300]).unwrap();
    log
}

fn lsn(number: u64) -> Lsn {
    Lsn::new(number).unwrap()
}

fn path(name: &str) -> PathBuf {
    Path::new(DIRECTORY).join(name)
}

fn segment_name(id: u64) -> String {
    format!("{id:020}.wal")
}

impl Damage {
    fn apply(&self, image: &mut Image) {
        let names: Vec<_> = image.keys().cloned().collect();
        if names.is_empty() {
            return;
        }
        let name = |file: &Index| names[file.index(names.len())].clone();
        match self {
            Damage::Flip { file, at, mask } => {
                if let Some(byte) = byte_at(image, &name(file), at) {
                    *byte ^= mask;
                }
            }
            Damage::Overwrite { file, at, bytes } => put(image, &name(file), at, bytes),
            Damage::Insert { file, at, bytes } => {
                let content = image.get_mut(&name(file)).unwrap();
                let at = at.index(used(content) + 1);
                content.splice(at..at, bytes.iter().copied());
            }
            Damage::Delete { file, at, len } => {
                let content = image.get_mut(&name(file)).unwrap();
                let at = at.index(used(content) + 1);
                content.drain(at..content.len().min(at + len));
            }
            Damage::Zero { file, at, len } => put(image, &name(file), at, &vec![0; *len]),
            Damage::CopyBlock { from, to, source, target } => {
                let content = &image[&name(from)];
                let start = source.index(content.len() / BLOCK + 1) * BLOCK;
                let block = content[start..content.len().min(start + BLOCK)].to_vec();
                let content = image.get_mut(&name(to)).unwrap();
                let start = target.index(content.len() / BLOCK + 1) * BLOCK;
                content.resize(content.len().max(start + block.len()), 0);
                content[start..start + block.len()].copy_from_slice(&block);
            }
            Damage::Cut { file, at } => {
                let content = image.get_mut(&name(file)).unwrap();
                content.truncate(at.index(content.len() + 1));
            }
            Damage::Extend { file, byte, len } => {
                let content = image.get_mut(&name(file)).unwrap();
                content.resize(content.len() + len, *byte);
            }
            Damage::Swap { one, other } => {
                let (one, other) = (name(one), name(other));
                let (first, second) = (image[&one].clone(), image[&other].clone());
                image.insert(one, second);
                image.insert(other, first);
            }
            Damage::CopyOver { from, to } => {
                let content = image[&name(from)].clone();
                image.insert(name(to), content);
            }
            Damage::Remove { file } => {
                image.remove(&name(file));
            }
            Damage::Rename { file, id } => {
                let mut content = image.remove(&name(file)).unwrap();
                if content.len() >= 8192 {
                    content[40..48].copy_from_slice(&id.to_le_bytes());
                }
                image.insert(segment_name(*id), content);
            }
            Damage::Replace { file, bytes, len } => {
                let content = bytes.iter().copied().cycle().take(*len).collect();
                image.insert(name(file), content);
            }
            Damage::Field { file, field, value, width } => {
                let name = name(file);
                let content = image.get_mut(&name).unwrap();
                let fields = if name == "STATE" { slot_fields() } else { fields(content) };
                let at = fields[field.index(fields.len())];
                if let Some(place) = content.get_mut(at..at + width) {
                    place.copy_from_slice(&value.to_le_bytes()[..*width]);
                }
            }
        }
    }
}

/// Most of a file is zeros at its end, where damage is dull.
fn used(content: &[u8]) -> usize {
    content.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1)
}

fn byte_at<'a>(image: &'a mut Image, name: &str, at: &Index) -> Option<&'a mut u8> {
    let content = image.get_mut(name)?;
    let at = at.index(used(content) + 1);
    content.get_mut(at)
}

fn put(image: &mut Image, name: &str, at: &Index, bytes: &[u8]) {
    let content = image.get_mut(name).unwrap();
    let at = at.index(used(content) + 1);
    let end = content.len().min(at + bytes.len());
    content[at..end].copy_from_slice(&bytes[..end - at]);
}

fn slot_fields() -> Vec<usize> {
    let slot = (8..160).step_by(4);
    slot.clone().chain(slot.map(|at| at + SLOT)).collect()
}

/// Where the fields of a segment stand.
fn fields(content: &[u8]) -> Vec<usize> {
    let mut fields: Vec<_> = (8..168).step_by(4).collect();
    for frame in frames(content) {
        fields.extend([frame + 4, frame + 8, frame + 9, frame + 10, frame + 12]);
        match content[frame + 8] {
            COMMIT => fields.extend((16..64).step_by(4).map(|at| frame + at)),
            OPENING => fields.extend([frame + 16, frame + 24]),
            FOOTER => fields.extend((16..100).step_by(4).map(|at| frame + at)),
            _ => {}
        }
    }
    fields
}

fn frames(content: &[u8]) -> Vec<usize> {
    let mut frames = Vec::new();
    let mut at = DATA_START;
    while let Some(len) = frame_len(content, at) {
        frames.push(at);
        at += len.next_multiple_of(8);
    }
    frames
}

fn frame_len(content: &[u8], at: usize) -> Option<usize> {
    let header = content.get(at..at + 16)?;
    let len = 16 + u32_at(header, 4) as usize;
    let is_there = header.iter().any(|&byte| byte != 0) && at + len <= content.len();
    is_there.then_some(len)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

fn crc(start: u32, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(start);
    hasher.update(bytes);
    hasher.finalize()
}

fn seal_with(content: &mut [u8], at: usize, checksum: u32) {
    content[at..at + 4].copy_from_slice(&checksum.to_le_bytes());
}

/// Makes every checksum and chain value right, so that what is wrong is found by its meaning only.
fn reseal(image: &mut Image) {
    let mut chains = BTreeMap::new();
    let names: Vec<_> = image.keys().filter(|name| *name != "STATE").cloned().collect();
    for name in names {
        let content = image.get_mut(&name).unwrap();
        if content.len() < DATA_START || content[..DATA_START].iter().all(|&byte| byte == 0) {
            continue;
        }
        if let Some(&chain) = chains.get(&(u64_at(content, 80), u64_at(content, 88)))
            && u32_at(content, 112) != 0
        {
            seal_with(content, 112, chain);
        }
        let id = u64_at(content, 40);
        reseal_segment(content, |end, chain| {
            chains.insert((id, end as u64), chain);
        });
    }
    let Some(state) = image.get_mut("STATE") else { return };
    for slot in state.chunks_exact_mut(SLOT) {
        if let Some(&chain) = chains.get(&(u64_at(slot, 80), u64_at(slot, 88)))
            && slot[28] & 1 != 0
        {
            seal_with(slot, 104, chain);
        }
        let used = u32_at(slot, 24) as usize;
        if (136..=SLOT).contains(&used) {
            seal_with(slot, 12, 0);
            let checksum = crc(0, &slot[..used]);
            seal_with(slot, 12, checksum);
        }
    }
}

/// Calls `ended` with the place and the chain value at the end of each commit.
fn reseal_segment(content: &mut [u8], mut ended: impl FnMut(usize, u32)) {
    let checksum = crc(0, &content[..4092]);
    seal_with(content, 4092, checksum);
    content.copy_within(0..BLOCK, BLOCK);
    let seed_of = |content: &[u8], epoch_salt: &[u8]| {
        crc(crc(crc(0, &content[24..40]), &content[40..48]), epoch_salt)
    };
    let header_seed = seed_of(content, &[&content[56..64], &content[64..72]].concat());
    let (mut seed, mut chain, mut commit_start) = (header_seed, checksum, DATA_START);
    for at in frames(content) {
        let len = frame_len(content, at).unwrap();
        let kind = content[at + 8];
        if kind == COMMIT && len >= 64 {
            chain = crc(chain, &content[commit_start..at]);
            seal_with(content, at + 28, chain);
            commit_start = at + len.next_multiple_of(8);
            ended(commit_start, chain);
        }
        if kind == FOOTER && len >= 64 {
            seal_with(content, at + 56, chain);
        }
        let start = if kind == FOOTER { header_seed } else { seed };
        let checksum = crc(start ^ (at / 8) as u32, &content[at + 4..at + len]);
        seal_with(content, at, checksum);
        if kind == OPENING && len == 32 {
            let epoch_salt = content[at + 16..at + 32].to_vec();
            seed = seed_of(content, &epoch_salt);
        }
        if kind == FOOTER {
            break;
        }
    }
}

/// What a run may answer: anything but a bug or a panic.
fn judge<T>(what: &str, result: Result<T>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            assert_ne!(error.kind(), ErrorKind::Internal, "{what}: {error:?}");
            if error.kind() == ErrorKind::Corrupt {
                assert!(error.path().is_some() && error.offset().is_some(), "{what}: {error:?}");
            }
            None
        }
    }
}

fn read_everything(opened: Result<(Log, RecoveryReport)>, file_bytes: usize) {
    let Some((log, _report)) = judge("opening to read", opened) else { return };
    let records_max = file_bytes / 16 + 1;
    let mut cursor = log.cursor(Position::First).unwrap();
    let mut count = 0;
    while let Some(Some(_)) = judge("next", cursor.next()) {
        count += 1;
        assert!(count <= records_max, "more records than fit the files");
        if count % 16 == 0 {
            judge("time", cursor.time());
        }
    }
    let mut cursor = log.cursor(Position::End).unwrap();
    let mut count = 0;
    while let Some(Some(_)) = judge("prev", cursor.prev()) {
        count += 1;
        assert!(count <= records_max, "more records than fit the files");
    }
    let (first, last) = (log.first_lsn(), log.last_lsn());
    let ends = first.into_iter().chain(last);
    for lsn in ends.chain(Lsn::new(1)).chain(Lsn::new(20)).chain([Lsn::MAX]) {
        judge("read", log.read(lsn));
        judge("time of", log.time_of(lsn));
        judge("seek", log.cursor(lsn));
    }
    judge("seek by time", cursor.seek_time(std::time::SystemTime::UNIX_EPOCH));
    judge("seek by time", cursor.seek_time(std::time::SystemTime::now()));
    let options = ReplayOptions { threads: 2, in_order: true };
    let replayed =
        log.replay_parallel::<Error>(Position::First, options, |_| Ok(ControlFlow::Continue(())));
    judge("replay", replayed);
    judge("value", log.values().get(b"term"));
}

/// What was appended to a log that opened is there when it is opened again.
fn write_on(vfs: &MemVfs) {
    let open = || Log::open_with(Arc::new(vfs.clone()), DIRECTORY, options());
    let Some((log, _)) = judge("opening to write", open()) else { return };
    judge("truncate", log.last_lsn().and_then(Lsn::previous).map_or(Ok(()), |at| log.truncate(at)));
    let appended = judge("append", log.append(b"after the damage"));
    judge("value", log.values().set(b"term", b"4"));
    judge("batch", log.append_batch(&[[1; 100], [2; 100]]));
    judge("trim", log.first_lsn().and_then(Lsn::next).map_or(Ok(None), |at| log.trim(at)));
    let is_closed = judge("close", log.close()).is_some();
    let Some(appended) = appended.filter(|_| is_closed) else { return };
    drop(log);
    // Made-up numbers may be at the end of their range: then nothing more is written.
    let again = open().map(|(log, _)| log.close());
    assert!(
        again.as_ref().is_ok_and(Result::is_ok)
            || again.as_ref().is_err_and(|error| error.kind() == ErrorKind::Full),
        "what was closed opens: {again:?}"
    );
    let vfs = Arc::new(vfs.clone());
    let (log, _) = Log::open_read_only_with(vfs, DIRECTORY, options()).unwrap();
    if log.first_lsn().is_some_and(|first| first <= appended) {
        assert_eq!(&log.read(appended).unwrap()[..], b"after the damage");
    }
}

/// A repair that did not refuse leaves a log that opens, reads and needs no other repair.
fn check_and_repair(vfs: &MemVfs) {
    let storage = || Arc::new(vfs.clone());
    judge("info", check::info_with(storage(), DIRECTORY));
    judge("verify", check::verify_with(storage(), DIRECTORY, |_, _| {}));
    let planned = judge("plan", check::repair_with(storage(), DIRECTORY, true));
    let repaired = judge("repair", check::repair_with(storage(), DIRECTORY, false));
    let (Some(planned), Some(repaired)) = (planned, repaired) else { return };
    assert_eq!(planned.lost, repaired.lost);
    let opened = Log::open_read_only_with(storage(), DIRECTORY, options());
    let (log, _) = opened.unwrap_or_else(|error| panic!("{repaired:?}, but then: {error:?}"));
    for record in log.cursor(Position::First).unwrap() {
        record.unwrap_or_else(|error| panic!("{repaired:?}, but then: {error:?}"));
    }
    let again = check::repair_with(storage(), DIRECTORY, false).unwrap();
    assert!(!again.changed, "{again:?} after {repaired:?}");
}

/// The memory one opening and all that is done with it may take at the most.
fn within_memory(what: &str, case: &dyn Debug, bytes_max: usize, work: impl FnOnce()) {
    let before = LIVE_BYTES.load(Ordering::SeqCst);
    PEAK_BYTES.store(before, Ordering::SeqCst);
    work();
    let peak = PEAK_BYTES.load(Ordering::SeqCst).saturating_sub(before);
    assert!(peak <= bytes_max, "{what} took {peak} bytes of {bytes_max}: {case:?}");
}

fn run(case: &Case) {
    let mut image = BASES[case.base].clone();
    case.damages.iter().for_each(|damage| damage.apply(&mut image));
    if case.reseals {
        reseal(&mut image);
    }
    survive(case, &image, case.is_on_disk);
}

/// Does with these files all that can be done with a log.
fn survive(case: &dyn Debug, image: &Image, is_on_disk: bool) {
    *AT_WORK.lock().unwrap() = Some((Instant::now(), format!("{case:?}")));
    let file_bytes: usize = image.values().map(Vec::len).sum();
    let memory_max = 6 * file_bytes + (3 << 20);
    if is_on_disk {
        let directory = tempfile::tempdir().unwrap();
        for (name, content) in image {
            std::fs::write(directory.path().join(name), content).unwrap();
        }
        within_memory("reading a mapping", case, memory_max, || {
            let opened = Log::open_read_only_with(Arc::new(RealVfs), directory.path(), options());
            read_everything(opened, file_bytes);
        });
        *AT_WORK.lock().unwrap() = None;
        return;
    }
    let files = || {
        let vfs = MemVfs::new();
        vfs.create_dir_all(Path::new(DIRECTORY)).unwrap();
        for (name, content) in image {
            vfs.set_file_bytes(&path(name), content).unwrap();
        }
        vfs.forget_ops();
        vfs
    };
    let vfs = files();
    within_memory("reading", case, memory_max, || {
        let vfs = Arc::new(vfs.clone());
        read_everything(Log::open_read_only_with(vfs, DIRECTORY, options()), file_bytes);
    });
    within_memory("writing", case, memory_max, || write_on(&vfs));
    drop(vfs);
    let vfs = files();
    // The copies a repair keeps lie in the same memory.
    within_memory("repairing", case, 3 * memory_max, || check_and_repair(&vfs));
    *AT_WORK.lock().unwrap() = None;
}

/// What is at work and since when, for the watchdog.
static AT_WORK: Mutex<Option<(Instant, String)>> = Mutex::new(None);

/// Lets one test run at a time, as another one's memory would be counted too. Ends the process, and
/// says at what, when one case takes longer than any can.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    static WATCHDOG: Once = Once::new();
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    WATCHDOG.call_once(watch);
    turn
}

fn watch() {
    std::thread::spawn(|| {
        loop {
            std::thread::sleep(Duration::from_millis(500));
            let at_work = AT_WORK.lock().unwrap();
            if let Some((since, case)) = &*at_work
                && since.elapsed() > CASE_TIME_MAX
            {
                let message = format!("no end after {CASE_TIME_MAX:?}: {case}\n");
                let _ = std::io::Write::write_all(&mut std::io::stderr(), message.as_bytes());
                std::process::abort();
            }
        }
    });
}

/// Otherwise the damage behind right checksums would be no deeper than that behind wrong ones.
fn check_that_resealing_a_sound_log_changes_nothing() {
    for base in BASES.iter() {
        let mut image = base.clone();
        reseal(&mut image);
        for (name, content) in base {
            let both = content.iter().zip(&image[name]).enumerate();
            let differs: Vec<_> = both.filter(|(_, (old, new))| old != new).collect();
            assert!(differs.is_empty(), "{name}: {differs:?}");
        }
    }
}

#[test]
fn no_directory_makes_opening_panic() {
    let _turn = alone();
    check_that_resealing_a_sound_log_changes_nothing();
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let config = ProptestConfig {
        cases: cases.unwrap_or(400),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(case in case())| {
        run(&case);
    });
}

/// A sound log with some bytes changed and every checksum made right.
fn resealed(base: usize, changes: &[(&str, usize, &[u8])]) -> Image {
    let mut image = BASES[base].clone();
    for &(name, at, bytes) in changes {
        image.get_mut(name).unwrap()[at..at + bytes.len()].copy_from_slice(bytes);
    }
    reseal(&mut image);
    image
}

fn survive_everywhere(case: &str, image: &Image) {
    survive(&case, image, false);
    survive(&case, image, true);
}

/// The search for a whole frame behind damage went on up to the end the next header names, though
/// the file ended gigabytes before it.
#[test]
fn an_end_far_behind_the_file_is_not_searched_for() {
    let _turn = alone();
    let footer_at = footer_of(&BASES[1][FIRST]);
    for end in [1 << 44, u64::MAX - 4096, u64::MAX] {
        let end = &end.to_le_bytes();
        let image = resealed(1, &[(SECOND, PREDECESSOR_END, end), (FIRST, footer_at, &[0; 200])]);
        survive_everywhere("an end far behind the file", &image);
        let image = resealed(1, &[(SECOND, PREDECESSOR_END, end)]);
        survive_everywhere("an end far behind the file", &image);
    }
}

/// A trailer behind a hole knew of a newer state. Looked at once more without the state, the hole
/// passed for a torn tail and nothing was repaired; an opening refused it all the same.
#[test]
fn a_hole_before_the_proof_of_a_stale_state_is_repaired() {
    let _turn = alone();
    let sequence = &(1u64 << 62).to_le_bytes();
    let mut image = resealed(4, &[(FIRST, DATA_START + 24 + 16 + 40, sequence)]);
    image.get_mut(FIRST).unwrap()[DATA_START + 16] ^= 1;
    survive_everywhere("a stale state behind a hole", &image);
}

/// A record frame with a later LSN made the rebuilt index lose the records up to that LSN, which a
/// repair had kept.
#[test]
fn a_record_with_a_wrong_lsn_costs_no_other_record() {
    let _turn = alone();
    let torn_at = 28_672;
    let delta = &2u32.to_le_bytes();
    let image = resealed(1, &[(FIRST, DATA_START + 12, delta), (FIRST, torn_at, &[0xff; BLOCK])]);
    survive_everywhere("a record with a wrong LSN", &image);
}

/// All records were trimmed, so none was lost with a segment amid them; a repair removed its file
/// and left the segments before it, which an opening then missed it from.
#[test]
fn a_gap_among_trimmed_segments_is_trimmed_away() {
    let _turn = alone();
    let first_lsn = &(1u64 << 33).to_le_bytes();
    let mut image = resealed(0, &[("STATE", 64, first_lsn), ("STATE", SLOT + 64, first_lsn)]);
    image.get_mut(SECOND).unwrap().clear();
    survive_everywhere("a gap among trimmed segments", &image);
}

/// The footer behind a cut was held against nothing, and readers went by it.
#[test]
fn a_footer_behind_a_cut_that_misleads_is_found_and_undone() {
    let _turn = alone();
    let entry_at = footer_of(&BASES[2][FIRST]) + 16 + 48 + 5 * 4;
    let image = resealed(2, &[(FIRST, entry_at, &1024u32.to_le_bytes())]);
    survive_everywhere("a misleading footer", &image);
    let vfs = MemVfs::new();
    vfs.create_dir_all(Path::new(DIRECTORY)).unwrap();
    image.iter().for_each(|(name, content)| vfs.set_file_bytes(&path(name), content).unwrap());
    let report = check::repair_with(Arc::new(vfs.clone()), DIRECTORY, false).unwrap();
    assert!(report.changed && report.lost.is_empty(), "{report:?}");
    let log = open(&vfs);
    let records = log.cursor(Position::First).unwrap().map(|record| record.unwrap().len());
    assert_eq!(
        records.collect::<Vec<_>>(),
        (0..17).map(|n| n * 199).chain([500]).collect::<Vec<_>>()
    );
}

/// A state with records but without the name of a segment was believed, and a reader was told of a
/// bug.
#[test]
fn records_in_no_segment_are_missed() {
    let _turn = alone();
    let fields =
        [0, SLOT].map(|slot| [(slot + 64, 1u64), (slot + 72, 0), (slot + 80, 0), (slot + 96, 9)]);
    let fields = fields.as_flattened().iter().map(|&(at, value)| (at, value.to_le_bytes()));
    let fields: Vec<_> = fields.collect();
    let changes: Vec<_> = fields.iter().map(|(at, value)| ("STATE", *at, &value[..])).collect();
    let mut image = resealed(4, &changes);
    image.remove(FIRST);
    survive_everywhere("records in no segment", &image);
}

/// A segment that began at a later LSN than the one before had records was taken for its
/// continuation by a repair, and a reader missed the records between.
#[test]
fn records_that_only_the_next_segment_speaks_of_are_missed_by_a_repair() {
    let _turn = alone();
    for next in [30u64, 512, 8192] {
        let next = &next.to_le_bytes();
        let image = resealed(1, &[(SECOND, 48, next), (SECOND, 96, next)]);
        survive_everywhere("records in between", &image);
    }
}

/// A segment that begins at LSN 0, or whose records pass the last LSN, was found sound by a check
/// and an opening, and a reader was told of a bug.
#[test]
fn a_segment_that_begins_at_no_lsn_is_none() {
    let _turn = alone();
    for first_lsn in [0u64, (1 << 63) - 3, (1 << 63) - 1, 1 << 63, u64::MAX - 2] {
        let image = resealed(2, &[(FIRST, 48, &first_lsn.to_le_bytes())]);
        survive_everywhere("a first LSN that is none", &image);
        let image = resealed(4, &[(FIRST, 48, &first_lsn.to_le_bytes())]);
        survive_everywhere("a first LSN that is none", &image);
        let trailer = DATA_START + 24 + 16;
        let lsn = &first_lsn.to_le_bytes();
        let image = resealed(4, &[(FIRST, 48, lsn), (FIRST, trailer, lsn)]);
        survive_everywhere("a first LSN that is none", &image);
    }
}

/// Each checksum was taken over all that a made-up header called its own: a second for each
/// kilobyte.
#[test]
fn bytes_that_look_like_long_frames_everywhere_take_no_longer_than_others() {
    let _turn = alone();
    for kind in [1, 2, 5, 128] {
        // Read from any multiple of eight: a frame of this kind of half a mebibyte.
        let word = [kind, 0, 0, 0, 0, 0, 8, 0];
        let noise: Vec<u8> = word.into_iter().cycle().take(2 << 20).collect();
        let mut image = BASES[1].clone();
        for (name, content) in image.iter_mut().filter(|(name, _)| *name != "STATE") {
            let damaged_at = if name == FIRST { 40_000 } else { used(content).next_multiple_of(8) };
            content.truncate(damaged_at);
            content.extend_from_slice(&noise);
        }
        let end = &(image[FIRST].len() as u64).to_le_bytes();
        image.get_mut(SECOND).unwrap()[PREDECESSOR_END..PREDECESSOR_END + 8].copy_from_slice(end);
        let second = image.get_mut(SECOND).unwrap();
        let checksum = crc(0, &second[..4092]);
        seal_with(second, 4092, checksum);
        second.copy_within(0..BLOCK, BLOCK);
        survive_everywhere("long frames everywhere", &image);
    }
}

/// Behind each broken commit the whole rest of the segment was read again.
#[test]
fn a_segment_broken_at_every_commit_is_checked_to_an_end() {
    let _turn = alone();
    let mut image = BASES[4].clone();
    let content = image.get_mut(FIRST).unwrap();
    let seed = crc(0, &[&content[24..40], &content[40..48], &content[56..72]].concat());
    let trailer_at = DATA_START + 24;
    let mut at = trailer_at + 64;
    let mut trailer = content[trailer_at..at].to_vec();
    trailer[16..24].copy_from_slice(&2u64.to_le_bytes());
    trailer[24..28].copy_from_slice(&0u32.to_le_bytes());
    // Proof that none of it is a torn tail.
    trailer[40..48].copy_from_slice(&1u64.to_le_bytes());
    trailer[48..56].copy_from_slice(&u64::MAX.to_le_bytes());
    content.resize(at + (2 << 20), 0);
    while at + 64 <= content.len() {
        trailer[28..32].copy_from_slice(&(at as u32).to_le_bytes());
        let checksum = crc(seed ^ (at / 8) as u32, &trailer[4..]);
        seal_with(&mut trailer, 0, checksum);
        content[at..at + 64].copy_from_slice(&trailer);
        at += 64;
    }
    survive_everywhere("broken at every commit", &image);
}

/// Where the seal footer of a segment stands.
fn footer_of(content: &[u8]) -> usize {
    frames(content).into_iter().find(|&at| content[at + 8] == FOOTER).unwrap()
}

const DIRECTORY: &str = "/log";
const FIRST: &str = "00000000000000000001.wal";
const SECOND: &str = "00000000000000000002.wal";
const BLOCK: usize = 4096;
/// Where a header says where the segment before ends.
const PREDECESSOR_END: usize = 88;
const SLOT: usize = 131_072;
const DATA_START: usize = 8192;
const COMMIT: u8 = 2;
const OPENING: u8 = 4;
const FOOTER: u8 = 5;
/// Far above what a case takes on a slow machine.
const CASE_TIME_MAX: Duration = Duration::from_secs(60);
