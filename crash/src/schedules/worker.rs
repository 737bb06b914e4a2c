//! Many cases on several threads.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use shuttle::{Config, FailurePersistence, MaxSteps, Runner};

use super::case::{Case, Findings, Remains, lock};
use super::explorer::Explorer;
use super::scenario::Scenario;
use super::story;
use crate::Rng;

/// Which cases are run.
#[derive(Clone)]
pub struct Plan {
    /// Of which kinds, in turn.
    pub scenarios: Vec<&'static Scenario>,
    /// The seed of all of them.
    pub seed: u64,
    /// From which to which number.
    pub cases: std::ops::Range<u64>,
    /// When it is enough, whatever the number.
    pub until: Option<Instant>,
    /// Crashes judged of each case; one case in some takes all there are.
    pub crashes: usize,
    /// How many cases run at a time.
    pub workers: usize,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Executions that came to their end.
    pub schedules: u64,
    /// Crash states opened and judged.
    pub states: u64,
    /// Calls of the disk that were made to fail.
    pub faults: u64,
    /// Case numbers and stories of broken promises.
    pub violations: Vec<(u64, String)>,
}

struct Shared {
    plan: Plan,
    next: AtomicU64,
    is_over: AtomicBool,
    outcome: Mutex<Outcome>,
}

/// Runs the plan, until it is done or some promises were found broken.
pub fn explore(plan: Plan) -> Outcome {
    let workers = plan.workers;
    let next = AtomicU64::new(plan.cases.start);
    let (is_over, outcome) = (AtomicBool::new(false), Mutex::default());
    let shared = Arc::new(Shared { plan, next, is_over, outcome });
    // Where a panic came from belongs to the story.
    std::panic::set_hook(Box::new(|info| {
        PANICKED_AT.set(info.location().map(ToString::to_string).unwrap_or_default());
    }));
    std::thread::scope(|scope| {
        for _ in 0..workers {
            let shared = Arc::clone(&shared);
            scope.spawn(move || shared.work());
        }
    });
    lock(&shared.outcome).clone()
}

impl Shared {
    /// A runner is given up with the case that panics in it, and another one goes on.
    fn work(self: &Arc<Self>) {
        while !self.is_over() {
            let current = Arc::new(AtomicU64::new(u64::MAX));
            let remains = Remains::default();
            let ran = catch_unwind(AssertUnwindSafe(|| self.run(&current, &remains)));
            let Err(payload) = ran else { continue };
            let text = match (payload.downcast_ref::<String>(), payload.downcast_ref::<&str>()) {
                (Some(text), _) => text.clone(),
                (_, Some(text)) => (*text).to_owned(),
                _ => "a panic".to_owned(),
            };
            let text = format!("{text}\n(at {})", PANICKED_AT.take());
            let told = match lock(&remains).take() {
                Some((history, disk)) => story::tell(&text, None, &history.snapshot(), &disk),
                None => text,
            };
            self.add(
                current.load(Ordering::Relaxed),
                Findings { violations: vec![told], ..Findings::default() },
            );
        }
    }

    fn run(self: &Arc<Self>, current: &Arc<AtomicU64>, remains: &Remains) {
        let mut config = Config::new();
        config.stack_size = STACK_BYTES;
        config.failure_persistence = FailurePersistence::None;
        config.max_steps = MaxSteps::FailAfter(STEPS_MAX);
        config.silence_warnings = true;
        let (shared, number) = (Arc::clone(self), Arc::clone(current));
        let explorer = Explorer::new(move || {
            if shared.is_over() {
                return None;
            }
            let case = shared.next.fetch_add(1, Ordering::Relaxed);
            if case >= shared.plan.cases.end {
                shared.is_over.store(true, Ordering::Relaxed);
                return None;
            }
            number.store(case, Ordering::Relaxed);
            Some(shared.plan.case(case).seed)
        });
        let (shared, number, remains) =
            (Arc::clone(self), Arc::clone(current), Arc::clone(remains));
        Runner::new(explorer, config).run(move || {
            let number = number.load(Ordering::Relaxed);
            let findings = shared.plan.case(number).run(&remains);
            shared.add(number, findings);
        });
    }

    fn is_over(&self) -> bool {
        let is_late = self.plan.until.is_some_and(|until| Instant::now() >= until);
        is_late || self.is_over.load(Ordering::Relaxed)
    }

    fn add(&self, number: u64, findings: Findings) {
        let mut outcome = lock(&self.outcome);
        outcome.schedules += 1;
        outcome.states += findings.states;
        outcome.faults += findings.faults;
        outcome.violations.extend(findings.violations.into_iter().map(|story| (number, story)));
        if outcome.violations.len() >= VIOLATIONS_MAX {
            self.is_over.store(true, Ordering::Relaxed);
        }
    }
}

impl Plan {
    fn case(&self, number: u64) -> Case {
        let kinds = self.scenarios.len() as u64;
        let scenario = self.scenarios[(number % kinds) as usize];
        let seed = Rng::new(self.seed.wrapping_mul(0x2545_F491_4F6C_DD1D) ^ number).next();
        let is_thorough = (number / kinds).is_multiple_of(THOROUGH_EVERY);
        Case { scenario, seed, crashes: (!is_thorough).then_some(self.crashes) }
    }
}

thread_local! {
    static PANICKED_AT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Recovery and the engine's deepest calls in a build with assertions.
const STACK_BYTES: usize = 512 * 1024;
/// No case takes so many steps unless its threads wait for each other by turns, for ever.
const STEPS_MAX: usize = 200_000;
/// After so many broken promises there is enough to look at.
const VIOLATIONS_MAX: usize = 3;
/// Every so many cases of a kind all crashes are judged.
const THOROUGH_EVERY: u64 = 100;
