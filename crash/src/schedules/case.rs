//! One case: an execution, and the crashes that could have ended it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use wal_core::vfs::MemVfs;
use wal_core::{Level, Log, Options, simulation};

use super::crashes::{every, sample};
use super::history::{ChangeKind, History};
use super::judge::Crash;
use super::performer::Performer;
use super::scenario::{Scenario, Script, Step};
use super::stage::Stage;
use super::story;
use crate::Rng;

/// Where the log of every case is.
pub const LOG: &str = "log";

/// One execution with its number.
#[derive(Clone, Copy)]
pub struct Case {
    pub scenario: &'static Scenario,
    pub seed: u64,
    /// How many crashes are judged; none for all there are.
    pub crashes: Option<usize>,
}

/// What has come of a case.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    pub states: u64,
    pub faults: u64,
    /// The stories of promises that were broken.
    pub violations: Vec<String>,
}

/// What is left of a case that did not come to its end.
pub type Remains = Arc<Mutex<Option<(History, MemVfs)>>>;

impl Case {
    /// Runs it; must be called in an execution. `remains` is set while its threads are running.
    pub fn run(self, remains: &Remains) -> Findings {
        simulation::begin();
        let mut rng = Rng::new(self.seed ^ 0x5CE0);
        let script = (self.scenario.script)(&mut rng);
        let disk = MemVfs::new();
        let history = History::new(disk.clone(), script.options.level);
        let sync_time = Duration::from_micros([0, 1, 3][rng.below(3)]);
        let stage = Stage::new(disk.clone(), sync_time);
        *lock(remains) = Some((history.clone(), disk.clone()));
        let opened = Log::open_with(Arc::new(stage.clone()), LOG, script.options.clone());
        let log = match opened {
            Ok((log, _)) => log,
            Err(error) => panic!("a new log does not open: {error}"),
        };
        let base = disk.op_count();
        perform(&script, log, &history, &stage);
        let end = disk.op_count();
        history.check_tickets();
        let facts = history.snapshot();
        let mut findings = Findings { faults: stage.faults(), ..Findings::default() };
        for text in &facts.violations {
            findings.violations.push(story::tell(text, None, &facts, &disk));
        }
        let points = match self.crashes {
            Some(count) => sample(&facts, base, end, count, &mut rng),
            None => every(base, end, &mut rng),
        };
        // Nobody trims what was left.
        let options = Options { max_bytes: None, ..script.options.clone() };
        for point in points {
            shuttle::current::reset_step_count();
            let image = point.image(&disk);
            let has_failed = findings.faults > 0;
            let crash = Crash { facts: &facts, op: point.op, loss: point.loss(), has_failed };
            findings.states += 1;
            history.note(0, || format!("opens what this crash left: {point:?}"));
            if let Err(text) = crash.judge(&image, &options, rng.chance(25)) {
                findings.violations.push(story::tell(&text, Some(point), &facts, &disk));
                break;
            }
        }
        *lock(remains) = None;
        findings
    }
}

/// The threads do what the script says; afterwards nothing of the engine is running.
fn perform(script: &Script, log: Log, history: &History, stage: &Stage) {
    let main = Performer::new(0, log.clone(), history.clone());
    let prefill: Vec<Step> =
        script.prefill.iter().map(|&bytes| Step::Append(Level::Disk, 1, bytes)).collect();
    main.perform(&prefill);
    stage.arm(script.fault);
    let mut threads = Vec::new();
    for (writer, steps) in (1..).zip(&script.threads) {
        let performer = Performer::new(writer, log.clone(), history.clone());
        let steps = steps.clone();
        threads.push(shuttle::thread::spawn(move || performer.perform(&steps)));
    }
    let closing = script.closes.then(|| log.clone());
    drop(log);
    for thread in threads {
        // A thread that panics ends the execution.
        let _ = thread.join();
    }
    if let Some(log) = closing {
        let place = history.begin_change(0, ChangeKind::Close);
        match log.close() {
            Ok(()) => history.end_change(place),
            Err(error) => history.note(0, || format!("closing failed: {error}")),
        }
    }
    simulation::settle();
}

pub fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
