//! Histories, one after the other, for as long as there is time.

use std::io;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, UNIX_EPOCH};

use super::history::History;
use super::player::Failure;
use super::shrink::{attempt, shrink};
use crate::{Rng, Tally};

/// How much is to be done.
#[derive(clap::Args, Clone, Debug)]
pub struct Campaign {
    /// What the histories are made from; the clock unless given.
    #[arg(long)]
    seed: Option<u64>,
    /// So many histories.
    #[arg(long, default_value_t = u64::MAX)]
    count_max: u64,
    /// No new history is begun after this many seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// At how many histories at once.
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

impl Campaign {
    /// Runs it; prints what was looked at.
    ///
    /// # Errors
    ///
    /// If the tally cannot be written.
    pub fn run(&self) -> io::Result<ExitCode> {
        let clock = UNIX_EPOCH.elapsed().map_or(1, |since| since.as_nanos() as u64);
        let seed = self.seed.unwrap_or(clock);
        println!("random: histories of seed {seed}");
        let deadline = Instant::now().checked_add(Duration::from_secs(self.seconds));
        let tally = Mutex::new(Tally::new("random"));
        let (next, failed) = (AtomicU64::new(0), AtomicBool::new(false));
        std::thread::scope(|scope| {
            for _ in 0..self.threads {
                scope.spawn(|| {
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let is_over = deadline.is_some_and(|deadline| Instant::now() > deadline);
                        if at >= self.count_max || is_over || failed.load(Ordering::Relaxed) {
                            return;
                        }
                        let seed = Rng::new(seed.wrapping_add(at)).next();
                        one(seed, &tally, &failed);
                    }
                });
            }
        });
        tally.into_inner().unwrap_or_else(PoisonError::into_inner).finish()
    }
}

fn one(seed: u64, tally: &Mutex<Tally>, failed: &AtomicBool) {
    let history = History::new(seed);
    let played = attempt(&history);
    let story = played.as_ref().err().map(|failure| story(&history, failure));
    let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    if let Ok(played) = played {
        tally.add("histories", 1);
        tally.add("states", played.states);
        tally.add("faults planted", played.faults);
        tally.add("crashes lived through", played.crashes);
    }
    if let Some(story) = story {
        tally.violation(&story);
        // One cause breaks many histories; a few stories tell it.
        failed.store(tally.violations() >= VIOLATIONS_MAX, Ordering::Relaxed);
    }
}

/// Plays the history of a seed again, and tells of it.
///
/// # Errors
///
/// None.
pub fn replay(seed: u64) -> io::Result<ExitCode> {
    let history = History::new(seed);
    match attempt(&history) {
        Ok(played) => {
            println!("seed {seed}: {} states, none broke a promise", played.states);
            Ok(ExitCode::SUCCESS)
        }
        Err(failure) => {
            eprintln!("VIOLATION\n{}", story(&history, &failure));
            Ok(ExitCode::FAILURE)
        }
    }
}

/// The shortest history that fails, step by step.
fn story(history: &History, failure: &Failure) -> String {
    let (short, failure) = shrink(history, failure.clone());
    let options = &short.options;
    let mut lines = vec![
        format!(
            "a log at level {:?}, segments {} KiB, ring {} KiB, batches {} bytes, {:?}, pad {}, \
             sync bytes {:?}, first LSN {}",
            options.level,
            options.segment_bytes / 1024,
            options.ring_bytes / 1024,
            options.max_batch_bytes,
            options.io,
            options.pad_to_block,
            options.sync_bytes,
            options.first_lsn,
        ),
        format!("{} of {} steps are enough:", short.steps.len(), history.steps.len()),
    ];
    for (at, step) in short.steps.iter().enumerate() {
        let mark = if failure.probe == Some(at) { "  <- this one" } else { "" };
        lines.push(format!("  {at}: {step}{mark}"));
    }
    lines.push("the last calls to the file system before it:".into());
    lines.extend(failure.ops.iter().map(|op| format!("  {op}")));
    lines.push(failure.text);
    lines.push(format!("repeat: crash-states replay {}", history.seed));
    lines.join("\n")
}

const VIOLATIONS_MAX: u64 = 3;
