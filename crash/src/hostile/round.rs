//! A round of the targets without a fuzzer: the corpus, and mutations of it from a seed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use super::corpus::replay;
use super::mutated::boundaries;
use super::mutator::mutate;
use super::{TARGETS, Target};
use crate::{Rng, Tally};

/// How much is done.
#[derive(Clone, Debug)]
pub struct Round {
    /// Inputs made for each target, at most.
    pub inputs: u64,
    /// Time for each target's inputs, at most, and [`BOUNDARY_SHARE`] times as much for the
    /// boundaries; what is done before it is up follows from the seed.
    pub time: Option<Duration>,
    /// What the inputs follow from.
    pub seed: u64,
    /// This target alone.
    pub target: Option<String>,
    /// This input alone, by the number a story names.
    pub only: Option<u64>,
}

/// Shows every input to its target.
///
/// # Errors
///
/// If the corpus cannot be read.
pub fn round(plan: &Round, corpus: &Path, tally: &mut Tally) -> std::io::Result<()> {
    for target in TARGETS {
        let (name, _) = target;
        if plan.target.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        let known = replay(corpus, name)?;
        assert!(!known.is_empty(), "the corpus of `{name}` is empty");
        let mut number = 0;
        for input in &known {
            plan.show(target, number, || input.clone(), tally);
            number += 1;
        }
        if name == "mutated" {
            plan.show_boundaries(target, &mut number, tally);
        }
        let started = Instant::now();
        for number in number..number + plan.inputs {
            if plan.time.is_some_and(|time| started.elapsed() > time) {
                break;
            }
            // Each from the seed and its number, so that one can be made without the others.
            let input = || mutate(&mut Rng::new(plan.seed ^ number << 20), &known);
            plan.show(target, number, input, tally);
        }
    }
    Ok(())
}

impl Round {
    /// Boundaries from a place that follows from the seed, so that rounds that have no time for all
    /// of them try different ones. Counts all as shown, so that later inputs keep their numbers.
    fn show_boundaries(&self, target: Target, number: &mut u64, tally: &mut Tally) {
        let started = Instant::now();
        let mut inputs = boundaries();
        let total = inputs.len();
        if self.time.is_some() {
            inputs.rotate_left(Rng::new(self.seed).below(total));
        } else {
            inputs = inputs.into_iter().step_by(SLICE_SHARE).collect();
        }
        let first = *number;
        *number += inputs.len() as u64;
        let mut tried = 0;
        for (number, input) in (first..).zip(inputs) {
            if self.time.is_some_and(|time| started.elapsed() > time * BOUNDARY_SHARE) {
                break;
            }
            self.show(target, number, || input, tally);
            tried += 1;
        }
        println!("hostile: {tried} of {total} boundaries");
    }

    fn show(
        &self,
        (name, target): Target,
        number: u64,
        input: impl FnOnce() -> Vec<u8>,
        tally: &mut Tally,
    ) {
        if self.only.is_some_and(|only| only != number) {
            return;
        }
        let input = input();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(&input))) {
            let what = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or(panic.downcast_ref::<&str>().copied())
                .unwrap_or("a panic without a word");
            let extent = if self.time.is_some() { "full" } else { "slice" };
            tally.violation(&format!(
                "target `{name}`, input {number} of {} bytes: {what}\nagain: crash-hostile \
                 {extent} --seed {} --target {name} --only {number}",
                input.len(),
                self.seed
            ));
        }
        tally.add("inputs", 1);
        tally.add("states", u64::from(name != "packed" && name != "frame"));
    }
}

/// A slice takes one boundary in this many.
const SLICE_SHARE: usize = 29;
/// There are more of them than a round has time for.
const BOUNDARY_SHARE: u32 = 4;
