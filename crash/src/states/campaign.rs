//! All short workloads, and as many longer ones as there is time for.

use std::io;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::{Bounds, Case, Explored, Seen, Violation, explore, repeat, workload, workloads};
use crate::Tally;

/// How much is to be done.
#[derive(clap::Args, Clone, Debug)]
pub struct Campaign {
    /// Workloads of up to this many operations.
    #[arg(long, default_value_t = 5)]
    length_max: u32,
    /// Of the longest ones, this many.
    #[arg(long, default_value_t = u64::MAX)]
    count_max: u64,
    /// No new workload is begun after this many seconds.
    #[arg(long, default_value_t = u64::MAX)]
    seconds: u64,
    /// At how many workloads at once.
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

/// The workloads of one length.
struct Round {
    length: u32,
    total: u64,
    wanted: u64,
    next: AtomicU64,
    done: AtomicU64,
}

struct Shared {
    seen: Seen,
    deadline: Option<Instant>,
    failed: AtomicBool,
    tally: Mutex<(Tally, Explored)>,
}

impl Campaign {
    /// Runs it; prints what was looked at.
    ///
    /// # Errors
    ///
    /// If the tally cannot be written.
    pub fn run(&self) -> io::Result<ExitCode> {
        let shared = Shared {
            seen: Seen::default(),
            deadline: Instant::now().checked_add(Duration::from_secs(self.seconds)),
            failed: AtomicBool::new(false),
            tally: Mutex::new((Tally::new("exhaustive"), Explored::default())),
        };
        let mut bound = Vec::new();
        for length in 0..=self.length_max {
            let total = workloads(length);
            let wanted = if length == self.length_max { total.min(self.count_max) } else { total };
            let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
            let round = Round { length, total, wanted, next, done };
            std::thread::scope(|scope| {
                for _ in 0..self.threads {
                    scope.spawn(|| round.work(&shared));
                }
            });
            let done = round.done.into_inner();
            bound.push(match done {
                0 => continue,
                _ if done == total => format!("all {total} of {length}"),
                _ => format!("{done} of {total} of {length}"),
            });
        }
        let (mut tally, explored) =
            shared.tally.into_inner().unwrap_or_else(PoisonError::into_inner);
        println!("exhaustive: workloads by their number of operations: {}", bound.join(", "));
        println!(
            "exhaustive: {} moments with all their states, {} that were sampled",
            explored.moments - explored.sampled,
            explored.sampled
        );
        tally.add("states", explored.states);
        tally.add("states exhaustive", explored.states);
        tally.finish()
    }
}

impl Round {
    fn work(&self, shared: &Shared) {
        let bounds = Bounds { most: 4096, sample: 200 };
        loop {
            let at = self.next.fetch_add(1, Ordering::Relaxed);
            let is_over = shared.deadline.is_some_and(|deadline| Instant::now() > deadline);
            if at >= self.wanted || is_over || shared.failed.load(Ordering::Relaxed) {
                return;
            }
            // Any part of the round is a sample of all of it: the factor has none in common with
            // the number of letters.
            let number = (u128::from(at) * 7_919_u128 % u128::from(self.total)) as u64;
            match explore(&workload(self.length, number), bounds, &shared.seen) {
                Ok(explored) => shared.add(explored),
                Err(violation) => shared.violation(&violation),
            }
            self.done.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Shared {
    fn add(&self, more: Explored) {
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.1.states += more.states;
        tally.1.moments += more.moments;
        tally.1.sampled += more.sampled;
    }

    fn violation(&self, violation: &Violation) {
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.0.violation(violation);
        // One cause breaks many states; a few stories tell it.
        self.failed.store(tally.0.violations() >= VIOLATIONS_MAX, Ordering::Relaxed);
    }
}

/// Looks at one state again, and says how it was.
///
/// # Errors
///
/// None.
pub fn replay(case: &Case) -> io::Result<ExitCode> {
    match repeat(case) {
        Ok(explored) => {
            println!("{case}: {} states, none broke a promise", explored.states);
            Ok(ExitCode::SUCCESS)
        }
        Err(violation) => {
            eprintln!("VIOLATION\n{violation}");
            Ok(ExitCode::FAILURE)
        }
    }
}

const VIOLATIONS_MAX: u64 = 3;
