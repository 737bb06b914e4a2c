//! A workload and its run on a file system in memory that remembers every operation.

use std::sync::Arc;
use std::time::Duration;

use wal_core::vfs::MemVfs;
use wal_core::{AppendOptions, Level, Log, Lsn, Options};

use super::model::{Effect, Model, Payload};

/// One operation of a workload.
#[derive(Clone, Debug)]
pub enum Step {
    Append(usize),
    AppendAt(Level, usize),
    Batch(Vec<usize>),
    /// Submits them all before waiting for any.
    Submit(Level, Vec<usize>),
    /// Appends while the disk is full.
    AppendToFull(usize),
    /// Truncates this many records while the disk is full.
    TruncateFull(u64),
    /// Trims so that this many records stay.
    TrimKeeping(u64),
    /// Trims to the start of the newest segment.
    TrimToSegment,
    /// Truncates this many records.
    Truncate(u64),
    /// Truncates to the start of the segment that is this many before the newest.
    TruncateToSegment(usize),
    /// Truncates everything.
    TruncateAll,
    /// Resets to this far beyond the next LSN.
    ResetAhead(u64),
    /// Resets to this LSN.
    ResetTo(u64),
    Set(u8, usize),
    SetSeveral(Vec<(u8, usize)>),
    Delete(u8),
    Sync,
    /// Closes and opens again.
    Reopen,
    /// Lets background work be done.
    Pause,
}

/// A script and the options it runs with.
#[derive(Clone)]
pub struct Workload {
    pub name: String,
    pub options: Options,
    pub steps: Vec<Step>,
}

/// What a run left: the file system and when each operation began and was acknowledged, in
/// operations of the file system.
pub struct Trace {
    pub name: String,
    pub options: Options,
    pub vfs: MemVfs,
    pub effects: Vec<Timed>,
    pub recycled: u64,
    /// Whether a segment was ever opened to be written past the page cache.
    pub was_direct: bool,
}

pub struct Timed {
    pub begun: usize,
    pub acknowledged: usize,
    pub effect: Effect,
}

impl Trace {
    /// What the log may be when everything stopped after `op` operations.
    pub fn candidates(&self, op: usize) -> Vec<Model> {
        let mut model = Model::new(self.options.first_lsn.get());
        for timed in &self.effects {
            if timed.acknowledged <= op {
                model.apply(&timed.effect, true);
                continue;
            }
            if timed.begun > op {
                break;
            }
            let mut after = model.clone();
            after.apply(&timed.effect, false);
            return vec![model, after];
        }
        vec![model]
    }
}

/// Runs the script once, without any crash.
pub fn run(workload: &Workload) -> Trace {
    let vfs = MemVfs::new();
    let mut runner = Runner {
        vfs: vfs.clone(),
        options: workload.options.clone(),
        log: None,
        model: Model::new(workload.options.first_lsn.get()),
        effects: Vec::new(),
        recycled: 0,
        was_direct: false,
        appended: 0,
    };
    runner.open();
    for step in &workload.steps {
        runner.step(step);
        runner.was_direct |= runner.log().stats().unwrap().direct_io;
    }
    let recycled = runner.recycled + runner.log().stats().unwrap().counters.recycled;
    drop(runner.log.take());
    Trace {
        name: workload.name.clone(),
        options: workload.options.clone(),
        vfs,
        effects: runner.effects,
        recycled,
        was_direct: runner.was_direct,
    }
}

/// The bytes of the `number`th record: its own, and never those of another one.
pub fn payload(number: u64, len: usize) -> Payload {
    let mut bytes: Vec<u8> =
        (0..len as u64).map(|at| (number.wrapping_mul(31).wrapping_add(at * 7)) as u8).collect();
    let tag = number.to_le_bytes();
    let tagged = len.min(tag.len());
    bytes[..tagged].copy_from_slice(&tag[..tagged]);
    bytes.into()
}

struct Runner {
    vfs: MemVfs,
    options: Options,
    log: Option<Log>,
    model: Model,
    effects: Vec<Timed>,
    recycled: u64,
    was_direct: bool,
    appended: u64,
}

impl Runner {
    fn log(&self) -> Log {
        self.log.clone().unwrap()
    }

    fn open(&mut self) {
        let vfs = Arc::new(self.vfs.clone());
        self.timed(Effect::Sync, |runner| {
            runner.log = Some(Log::open_with(vfs, "/log", runner.options.clone()).unwrap().0);
        });
    }

    fn timed(&mut self, effect: Effect, act: impl FnOnce(&mut Runner)) {
        let begun = self.vfs.op_count();
        act(self);
        let acknowledged = self.vfs.op_count();
        self.model.apply(&effect, true);
        self.effects.push(Timed { begun, acknowledged, effect });
    }

    fn append(&mut self, level: Level, lens: &[usize]) {
        let records: Vec<Payload> = lens.iter().map(|&len| self.payload(len)).collect();
        let expected = self.model.next();
        let effect = Effect::Append { records: records.clone(), level };
        self.timed(effect, |runner| {
            let options = AppendOptions { level: Some(level), ..AppendOptions::default() };
            let lsns = runner.log().with(options).append_batch(&records).unwrap();
            assert_eq!(lsns.first.get(), expected, "LSNs are dense");
        });
    }

    fn submit(&mut self, level: Level, lens: &[usize]) {
        let records: Vec<Payload> = lens.iter().map(|&len| self.payload(len)).collect();
        let effect = Effect::Submit { records: records.clone(), level };
        self.timed(effect, |runner| {
            let log = runner.log();
            let options = AppendOptions { level: Some(level), ..AppendOptions::default() };
            let submit = |record: &Payload| log.with(options).submit(record).unwrap();
            let tickets: Vec<_> = records.iter().map(submit).collect();
            tickets.iter().for_each(|ticket| assert!(ticket.wait().is_ok()));
        });
    }

    /// Does something while there is no room on the disk; what finds none has done nothing.
    fn without_room(&mut self, effect: Effect, act: impl FnOnce(&Log) -> wal_core::Result<()>) {
        let log = self.log();
        // What is acknowledged but not written would have nowhere to go.
        self.timed(Effect::Sync, |_| assert!(log.sync().is_ok()));
        let begun = self.vfs.op_count();
        self.vfs.set_capacity(Some(0));
        let result = act(&log);
        self.vfs.set_capacity(None);
        let effect = match result {
            Ok(()) => effect,
            Err(error) => {
                assert_eq!(error.kind(), wal_core::ErrorKind::Full, "{error:?}");
                Effect::Nothing
            }
        };
        assert!(log.stats().unwrap().poisoned.is_none());
        self.model.apply(&effect, true);
        let acknowledged = self.vfs.op_count();
        self.effects.push(Timed { begun, acknowledged, effect });
    }

    fn payload(&mut self, len: usize) -> Payload {
        self.appended += 1;
        payload(self.appended, len)
    }

    fn trim(&mut self, before: u64) {
        let before = before.clamp(self.model.first, self.model.next());
        self.timed(Effect::Trim { before }, |runner| {
            runner.log().trim(Lsn::new(before).unwrap()).unwrap();
        });
    }

    fn truncate(&mut self, after: u64) {
        let after = after.max(self.model.first - 1);
        let Some(lsn) = Lsn::new(after) else { return };
        self.timed(Effect::Truncate { after }, |runner| runner.log().truncate(lsn).unwrap());
    }

    fn reset(&mut self, next: u64) {
        self.timed(Effect::Reset { next }, |runner| {
            runner.log().reset_to(Lsn::new(next).unwrap()).unwrap();
        });
    }

    fn set(&mut self, changes: Vec<(Vec<u8>, Option<Vec<u8>>)>) {
        self.timed(Effect::Values { changes: changes.clone() }, |runner| {
            let changes: Vec<_> =
                changes.iter().map(|(key, value)| (&key[..], value.as_deref())).collect();
            runner.log().values().update(&changes).unwrap();
        });
    }

    /// First LSN of the segment that is `back` before the newest.
    fn segment_start(&self, back: usize) -> u64 {
        let segments = self.log().stats().unwrap().segments;
        let at = segments.len().saturating_sub(1 + back);
        segments.get(at).map_or(self.model.first, |segment| segment.first_lsn.get())
    }

    fn value(&mut self, key: u8, len: usize) -> (Vec<u8>, Option<Vec<u8>>) {
        (vec![b'k', key], Some(self.payload(len).to_vec()))
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Append(len) => self.append(self.options.level, &[*len]),
            Step::AppendAt(level, len) => self.append(*level, &[*len]),
            Step::Batch(lens) => self.append(self.options.level, lens),
            Step::Submit(level, lens) => self.submit(*level, lens),
            Step::AppendToFull(len) => {
                let record = self.payload(*len);
                let records = vec![record.clone()];
                let effect = Effect::Append { records, level: Level::Disk };
                let options =
                    AppendOptions { level: Some(Level::Disk), ..AppendOptions::default() };
                self.without_room(effect, |log| log.with(options).append(&record).map(|_| ()));
            }
            Step::TruncateFull(count) => {
                let after = (self.model.next() - 1).saturating_sub(*count);
                let after = after.max(self.model.first - 1);
                if let Some(lsn) = Lsn::new(after) {
                    self.without_room(Effect::Truncate { after }, |log| log.truncate(lsn));
                }
            }
            Step::TrimKeeping(kept) => self.trim(self.model.next().saturating_sub(*kept).max(1)),
            Step::TrimToSegment => self.trim(self.segment_start(0)),
            Step::Truncate(count) => {
                self.truncate((self.model.next() - 1).saturating_sub(*count));
            }
            Step::TruncateToSegment(back) => self.truncate(self.segment_start(*back) - 1),
            Step::TruncateAll => self.truncate(self.model.first - 1),
            Step::ResetAhead(far) => self.reset(self.model.next() + far),
            Step::ResetTo(next) => self.reset(*next),
            Step::Set(key, len) => {
                let change = self.value(*key, *len);
                self.set(vec![change]);
            }
            Step::SetSeveral(values) => {
                let changes = values.iter().map(|&(key, len)| self.value(key, len)).collect();
                self.set(changes);
            }
            Step::Delete(key) => self.set(vec![(vec![b'k', *key], None)]),
            Step::Sync => self.timed(Effect::Sync, |runner| assert!(runner.log().sync().is_ok())),
            Step::Reopen => {
                self.recycled += self.log().stats().unwrap().counters.recycled;
                self.timed(Effect::Sync, |runner| runner.log.take().unwrap().close().unwrap());
                self.open();
            }
            Step::Pause => std::thread::sleep(Duration::from_millis(3)),
        }
    }
}
