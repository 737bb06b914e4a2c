//! Plays a history, and holds the log against the oracle on the way.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use wal_core::vfs::{FaultVfs, MemVfs};
use wal_core::{Error, ErrorKind, Log, simulation};

use super::history::History;
use super::loss::Loss;
use super::probe;
use super::step::Step;
use crate::model::{Effect, End, Found, Model, Refusal, Timed, candidates, open, words};

/// What was looked at in a history.
#[derive(Clone, Copy, Debug, Default)]
pub struct Played {
    /// States that were opened and judged.
    pub states: u64,
    /// Faults that were planted.
    pub faults: u64,
    /// Crashes that the history went on after.
    pub crashes: u64,
}

/// A broken promise.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Up to this step the history is part of it.
    pub step: usize,
    /// The step that is to blame, where it is an earlier one that looked.
    pub probe: Option<usize>,
    /// What was expected and what was found.
    pub text: String,
    /// The last calls to the file system before it.
    pub ops: Vec<String>,
}

/// A log in the middle of a history.
pub(super) struct Player<'h> {
    pub(super) history: &'h History,
    pub(super) vfs: MemVfs,
    pub(super) disk: FaultVfs,
    pub(super) log: Option<Log>,
    /// The log as it was when the file system was last left by a crash.
    pub(super) before: Model,
    pub(super) timeline: Vec<Timed>,
    /// The log now, if nothing is unknown of it.
    pub(super) model: Model,
    /// Whether an operation has failed so that its outcome is not known. Nothing more is done to
    /// the log before it is opened again.
    pub(super) is_stuck: bool,
    /// Parts of the timeline in which a crash could leave what the oracle does not know.
    pub(super) blind: Vec<(usize, usize)>,
    /// Every record that was ever appended, by LSN and the digests of its bytes.
    pub(super) ever: BTreeMap<u64, Vec<u64>>,
    /// Every value ever set.
    pub(super) values: Vec<u64>,
    pub(super) appended: u64,
    /// Looks that were asked for, to be taken once nothing runs any more: step, operation, loss.
    probes: Vec<(usize, usize, Loss)>,
    damages: Vec<(usize, u64)>,
    processes: u64,
    pub(super) played: Played,
}

/// Plays a history from its beginning to its end.
///
/// # Errors
///
/// The first promise that is broken.
pub fn play(history: &History) -> Result<Played, Failure> {
    let first = history.options.first_lsn.get();
    let vfs = MemVfs::new();
    let mut player = Player {
        history,
        disk: FaultVfs::over_memory(vfs.clone()),
        vfs,
        log: None,
        before: Model::new(first),
        timeline: Vec::new(),
        model: Model::new(first),
        is_stuck: false,
        blind: Vec::new(),
        ever: BTreeMap::new(),
        values: Vec::new(),
        appended: 0,
        probes: Vec::new(),
        damages: Vec::new(),
        processes: 0,
        played: Played::default(),
    };
    simulation::forget();
    let result = player.play();
    player.vfs.power_off();
    player.log = None;
    simulation::forget();
    result.map(|()| player.played)
}

impl Player<'_> {
    fn play(&mut self) -> Result<(), Failure> {
        let history = self.history;
        self.reseed();
        self.open(0)?;
        for (at, step) in history.steps.iter().enumerate() {
            self.disk.clear_calls();
            let acted = std::panic::AssertUnwindSafe(|| self.step(at, step));
            std::panic::catch_unwind(acted)
                .unwrap_or_else(|panic| Err(self.failure(at, words(&*panic))))?;
        }
        // Whatever was to be looked at in the last process.
        self.crash(history.steps.len().saturating_sub(1), 0, Loss::Death)
    }

    fn step(&mut self, at: usize, step: &Step) -> Result<(), Failure> {
        match step {
            Step::Probe(back, loss) => {
                self.probes.push((at, self.vfs.op_count().saturating_sub(*back), *loss));
            }
            Step::Damage(seed) => self.damages.push((at, *seed)),
            Step::Crash(back, loss) => return self.crash(at, *back, *loss),
            Step::Job(place) => drop(simulation::run_job(*place)),
            Step::Pass(ms) => simulation::pass(Duration::from_millis(*ms)),
            Step::Clock(seconds) => {
                let time = UNIX_EPOCH.checked_add(Duration::from_secs(*seconds));
                self.vfs.set_now(time.unwrap_or(UNIX_EPOCH));
            }
            Step::Capacity(bytes) => self.vfs.set_capacity(*bytes),
            Step::Fault { operation, nth, for_ever, fault } => {
                self.disk.fail(*operation, |_| true, *nth, *for_ever, *fault);
            }
            Step::Heal => self.heal(),
            Step::Reopen => return self.reopen(at),
            step if self.is_stuck => return self.refused(at, step),
            step => return self.act(step).map_err(|text| self.failure(at, text)),
        }
        self.played.faults += u64::from(step.is_fault());
        Ok(())
    }

    /// A poisoned log takes no record, and says why.
    fn refused(&mut self, at: usize, step: &Step) -> Result<(), Failure> {
        let (Step::Append(..), Some(log)) = (step, &self.log) else { return Ok(()) };
        if log.stats().is_ok_and(|stats| stats.poisoned.is_none()) {
            return Ok(());
        }
        match log.append(b"refused") {
            Err(error) if error.kind() == ErrorKind::Poisoned => Ok(()),
            Err(error) => {
                let text = format!("a poisoned log refuses an append with {:?}", error.kind());
                Err(self.failure(at, text))
            }
            Ok(_) => Err(self.failure(at, "a poisoned log took an append".into())),
        }
    }

    fn heal(&mut self) {
        self.disk.heal();
        self.vfs.set_capacity(None);
    }

    /// Opens what the process before left. A disk that fails may keep it from opening, but must not
    /// make it say that the log is corrupt.
    fn open(&mut self, at: usize) -> Result<(), Failure> {
        for attempt in 0..2 {
            let begun = self.vfs.op_count();
            match open(Arc::new(self.disk.clone()), &self.history.options) {
                Ok((log, found)) => {
                    self.log = Some(log);
                    self.played.states += 1;
                    self.found(at, &found)?;
                    self.note(begun, Effect::Sync, true);
                    return Ok(());
                }
                Err(Refusal::Error(error)) if attempt == 0 && is_of_the_disk(&error) => {
                    // Whatever it did can be done again.
                    simulation::forget();
                    self.heal();
                }
                Err(refusal) => {
                    let text = format!("opening says {refusal}");
                    return Err(self.failure(at, text));
                }
            }
        }
        Ok(())
    }

    /// What a process finds is what those before it left.
    fn found(&mut self, at: usize, found: &Found) -> Result<(), Failure> {
        let models = candidates(&self.before, &self.timeline, usize::MAX - 1);
        probe::matching(&models, found, End::Death).map(drop).map_err(|text| self.failure(at, text))
    }

    fn settle(&mut self, mut model: Model, found: &Found) {
        model.settle(found);
        self.model = model.clone();
        self.before = model;
        self.timeline.clear();
        self.is_stuck = false;
    }

    fn reopen(&mut self, at: usize) -> Result<(), Failure> {
        let Some(log) = self.log.take() else { return Ok(()) };
        let begun = self.vfs.op_count();
        let result = log.close();
        self.note(begun, Effect::Sync, result.is_ok());
        drop(log);
        if self.is_stuck {
            return self.crash(at, 0, Loss::Death);
        }
        // The jobs of a closed log find it gone; timers that are left find nothing to do.
        simulation::forget();
        self.reseed();
        self.open(at)
    }

    /// Everything stops; what was to be looked at is, and the history goes on with what is left.
    fn crash(&mut self, at: usize, back: usize, loss: Loss) -> Result<(), Failure> {
        let op = self.visible(self.vfs.op_count().saturating_sub(back));
        let models = candidates(&self.before, &self.timeline, op);
        let left = loss.of(&self.vfs, op);
        self.look(at)?;
        self.vfs = left;
        self.disk = FaultVfs::over_memory(self.vfs.clone());
        self.reseed();
        self.played.states += 1;
        self.played.crashes += 1;
        let opened = open(Arc::new(self.disk.clone()), &self.history.options);
        let (log, found) = opened
            .map_err(|refusal| self.failure(at, format!("{loss}; then opening says {refusal}")))?;
        self.log = Some(log);
        let model = probe::matching(&models, &found, loss.end())
            .map_err(|text| self.failure(at, format!("{loss}; then {text}")))?;
        self.settle(model.clone(), &found);
        // What was in the page cache alone could be lost until the opening had made it durable.
        let opened = if loss == Loss::Death { self.vfs.op_count() } else { 0 };
        self.blind = vec![(0, opened)];
        Ok(())
    }

    /// Takes the looks that were asked for: nothing of this process runs any more.
    fn look(&mut self, at: usize) -> Result<(), Failure> {
        let ops = self.vfs.ops();
        self.vfs.power_off();
        self.log = None;
        simulation::forget();
        for (step, op, loss) in std::mem::take(&mut self.probes) {
            let op = self.visible(op);
            let models = candidates(&self.before, &self.timeline, op);
            let looked = probe::look(&self.vfs, op, loss, &models, &self.history.options);
            let states = looked.map_err(|text| Failure {
                step: at,
                probe: Some(step),
                text: format!("after operation {op} {loss}; then {text}"),
                ops: last(&ops, op),
            })?;
            self.played.states += states;
        }
        for (step, seed) in std::mem::take(&mut self.damages) {
            let states = super::media::look(self, seed).map_err(|text| Failure {
                step: at,
                probe: Some(step),
                text,
                ops: last(&ops, ops.len()),
            })?;
            self.played.states += states;
        }
        Ok(())
    }

    /// The next operation from this one on at which the oracle knows what may be left.
    fn visible(&self, op: usize) -> usize {
        let mut op = op;
        for &(begun, end) in &self.blind {
            if op < end && (op > begun || begun == 0) {
                op = end;
            }
        }
        op.min(self.vfs.op_count())
    }

    /// Every process draws random numbers of its own.
    fn reseed(&mut self) {
        self.processes += 1;
        simulation::seed(self.history.seed ^ self.processes << 48);
    }

    /// Notes an operation. One that failed is open for ever.
    pub(super) fn note(&mut self, begun: usize, effect: Effect, is_acknowledged: bool) {
        let acknowledged = if is_acknowledged { self.vfs.op_count() } else { usize::MAX };
        if is_acknowledged {
            self.model.apply(&effect, true);
        }
        if !self.is_stuck {
            self.timeline.push(Timed { begun, acknowledged, effect, meanwhile: None });
        }
        self.is_stuck |= !is_acknowledged;
    }

    fn failure(&self, step: usize, text: String) -> Failure {
        Failure { step, probe: None, text, ops: last(&self.vfs.ops(), self.vfs.op_count()) }
    }
}

/// Whether an error says what the disk said, and nothing about the log.
fn is_of_the_disk(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Io | ErrorKind::Full)
}

fn last(ops: &[String], op: usize) -> Vec<String> {
    let end = op.min(ops.len());
    ops[end.saturating_sub(SHOWN_MAX)..end].to_vec()
}

const SHOWN_MAX: usize = 12;
