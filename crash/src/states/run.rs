//! A workload, played once.

use std::sync::Arc;
use std::time::Duration;

use wal_core::vfs::MemVfs;
use wal_core::{AppendOptions, Error, Level, Log, Lsn, Options, simulation};

use super::Letter;
use crate::model::{Effect, Model, Timed, digest};

/// What the last operation of a workload did, and everything that may have been left of it.
pub struct Run {
    /// The file system, which remembers every operation.
    pub vfs: MemVfs,
    /// The log before the last operation.
    pub before: Model,
    /// The last operation, piece by piece.
    pub timeline: Vec<Timed>,
    /// Operations of the file system before the last operation.
    pub start: usize,
    log: Option<Log>,
    model: Model,
    appended: u64,
}

/// Small enough that a rotation is one append away, and large enough that a closed segment is gone
/// on with.
pub fn options() -> Options {
    Options { segment_bytes: 32 * 1024, ring_bytes: 32 * 1024, ..Options::default() }
}

impl Run {
    /// Plays a workload without any crash.
    ///
    /// # Errors
    ///
    /// What the engine refuses, in words: nothing is to be refused here.
    pub fn play(letters: &[Letter]) -> Result<Run, String> {
        simulation::forget();
        simulation::seed(FIRST_PROCESS);
        let mut run = Run {
            vfs: MemVfs::new(),
            before: Model::new(1),
            timeline: Vec::new(),
            start: 0,
            log: None,
            model: Model::new(1),
            appended: 0,
        };
        run.open().map_err(|error| format!("opening a new log: {error}"))?;
        for letter in letters {
            run.timeline.clear();
            run.before = run.model.clone();
            run.start = run.vfs.op_count();
            run.step(*letter).map_err(|error| format!("{letter}: {error}"))?;
        }
        run.vfs.power_off();
        run.log = None;
        simulation::forget();
        Ok(run)
    }

    fn step(&mut self, letter: Letter) -> Result<(), Error> {
        if self.log.is_none() && letter != Letter::Reopen {
            self.open()?;
        }
        match letter {
            Letter::Append => self.append(Level::Disk, &[40]),
            Letter::Large => self.append(Level::Disk, &[9000]),
            Letter::Batch => self.append(Level::Disk, &[300, 500, 10]),
            Letter::Os => self.append(Level::Os, &[40]),
            Letter::Sync => self.timed(Effect::Sync, |log| log.sync().map(drop)),
            Letter::Rotate => self.append(Level::Disk, &[ROTATING_BYTES]),
            Letter::Trim => self.trim(self.model.next() - 1),
            Letter::Truncate => self.truncate(),
            Letter::Recycle => {
                // The spare that the first record asks for is taken by the second one, so that the
                // file that is left over is the next.
                self.append(Level::Disk, &[20_000])?;
                simulation::pass(Duration::from_millis(3));
                self.append(Level::Disk, &[6000])?;
                self.trim(self.model.next() - 1)?;
                simulation::pass(Duration::from_millis(3));
                Ok(())
            }
            Letter::Value => self.change_values(),
            Letter::Close => {
                let result = self.timed(Effect::Sync, Log::close);
                self.log = None;
                result
            }
            Letter::Reopen => self.die_and_open(),
        }
    }

    fn open(&mut self) -> Result<(), Error> {
        let begun = self.vfs.op_count();
        self.log = Some(Log::open_with(Arc::new(self.vfs.clone()), "/log", options())?.0);
        self.note(begun, Effect::Sync);
        Ok(())
    }

    /// What died is a file system of its own: nothing of its operations is looked at again.
    fn die_and_open(&mut self) -> Result<(), Error> {
        let found = self.vfs.kill_at(self.vfs.op_count());
        self.vfs.power_off();
        self.log = None;
        simulation::forget();
        self.vfs = found;
        self.start = 0;
        self.open()
    }

    fn append(&mut self, level: Level, lens: &[usize]) -> Result<(), Error> {
        let records: Vec<Vec<u8>> = lens.iter().map(|&len| self.payload(len)).collect();
        let digests = records.iter().map(|record| digest(record)).collect();
        let effect = Effect::Append { records: digests, is_batch: true, level };
        let options = AppendOptions { level: Some(level), ..AppendOptions::default() };
        self.timed(effect, |log| match &records[..] {
            [record] => log.with(options).append(record).map(drop),
            records => log.with(options).append_batch(records).map(drop),
        })
    }

    fn trim(&mut self, before: u64) -> Result<(), Error> {
        let before = before.max(self.model.first());
        let Some(lsn) = Lsn::new(before) else { return Ok(()) };
        self.timed(Effect::Trim(before), |log| log.trim(lsn).map(drop))
    }

    /// Without a record there is nothing to truncate.
    fn truncate(&mut self) -> Result<(), Error> {
        let next = self.model.next() - 1;
        let Some(after) = Lsn::new(next - 1).filter(|_| next >= self.model.first()) else {
            return Ok(());
        };
        self.timed(Effect::Truncate(next), |log| log.truncate(after))
    }

    fn change_values(&mut self) -> Result<(), Error> {
        let (first, second) = (self.payload(30), self.payload(600));
        let changes = vec![(b'a', Some(digest(&first))), (b'b', Some(digest(&second)))];
        self.timed(Effect::Values(changes), |log| {
            log.values().update(&[(b"a", Some(&first)), (b"b", Some(&second))])
        })
    }

    fn timed(
        &mut self,
        effect: Effect,
        act: impl FnOnce(&Log) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Some(log) = &self.log else { return Ok(()) };
        let begun = self.vfs.op_count();
        act(log)?;
        self.note(begun, effect);
        Ok(())
    }

    fn note(&mut self, begun: usize, effect: Effect) {
        self.model.apply(&effect, true);
        let acknowledged = self.vfs.op_count();
        self.timeline.push(Timed { begun, acknowledged, effect, meanwhile: None });
    }

    fn payload(&mut self, len: usize) -> Vec<u8> {
        self.appended += 1;
        payload(self.appended, len)
    }
}

/// The bytes of a record: its own, and never those of another one. In a long one zeros lie between
/// them, which are there before they are written: no crash can leave them out, and so the sectors
/// that matter are few enough for every subset of them.
pub fn payload(number: u64, len: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..len as u64).map(|at| (number * 31 + at * 7 + 1) as u8).collect();
    if len > 1000 {
        bytes[16..len - 16].fill(0);
    }
    let tag = number.to_le_bytes();
    let tagged = len.min(tag.len());
    bytes[..tagged].copy_from_slice(&tag[..tagged]);
    bytes
}

/// No segment has room for it beside another record.
const ROTATING_BYTES: usize = 24_200;
const FIRST_PROCESS: u64 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotations_rotate_and_recycling_gives_a_file_another_name() {
        let ops = |letters: &[Letter]| Run::play(letters).map(|run| run.vfs.ops().join("; "));
        let rotated = ops(&[Letter::Rotate, Letter::Rotate]).expect("nothing is refused");
        assert!(rotated.contains("create /log/00000000000000000002.wal"), "{rotated}");
        let recycled = ops(&[Letter::Recycle]).expect("nothing is refused");
        assert!(recycled.contains("rename /log/00000000000000000001.wal"), "{recycled}");
    }
}
