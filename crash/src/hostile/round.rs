//! A round of the targets without a fuzzer: the corpus, and mutations of it from a seed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use super::TARGETS;
use super::corpus::replay;
use super::mutated::boundaries;
use super::mutator::mutate;
use crate::{Rng, Tally};

/// How much is done.
#[derive(Clone, Debug)]
pub struct Round {
    /// Inputs made for each target, at most.
    pub inputs: u64,
    /// Time for each target's inputs, at most; what is done before it is up follows from the seed.
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
    for (name, target) in TARGETS {
        if plan.target.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        let known = replay(corpus, name)?;
        assert!(!known.is_empty(), "the corpus of `{name}` is empty");
        let started = Instant::now();
        let mut fixed = known.clone();
        if name == "mutated" {
            let share = if plan.time.is_some() { 1 } else { SLICE_SHARE };
            fixed.extend(boundaries().into_iter().step_by(share));
        }
        let count = fixed.len() as u64 + plan.inputs;
        for number in 0..count {
            if plan.only.is_some_and(|only| only != number) {
                continue;
            }
            let input = match fixed.get(number as usize) {
                Some(input) => input.clone(),
                // Each from the seed and its number, so that one can be made without the others.
                None => mutate(&mut Rng::new(plan.seed ^ number << 20), &known),
            };
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(&input))) {
                let what = panic
                    .downcast_ref::<String>()
                    .map(String::as_str)
                    .or(panic.downcast_ref::<&str>().copied())
                    .unwrap_or("a panic without a word");
                tally.violation(&format!(
                    "target `{name}`, input {number} of {} bytes: {what}\nagain: crash-hostile \
                     slice --seed {} --target {name} --only {number}",
                    input.len(),
                    plan.seed
                ));
            }
            tally.add("inputs", 1);
            tally.add("states", u64::from(name != "packed" && name != "frame"));
            let is_fixed = number < fixed.len() as u64;
            if !is_fixed && plan.time.is_some_and(|time| started.elapsed() > time) {
                break;
            }
        }
    }
    Ok(())
}

/// A slice takes one boundary in this many.
const SLICE_SHARE: usize = 29;
