//! Every moment of a workload's last operation, and every state of each.

use std::fmt;

use super::case::Case;
use super::check::{Checker, Expected};
use super::letter::Letter;
use super::run::Run;
use super::seen::Seen;
use super::subsets;
use crate::model::{End, candidates};

/// How much of each moment is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Up to this many states of a moment are all looked at.
    pub most: usize,
    /// Where there are more, about this many.
    pub sample: usize,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Explored {
    /// States that were opened and judged.
    pub states: u64,
    /// Moments all of whose states were looked at.
    pub moments: u64,
    /// Moments that had too many states, and were sampled.
    pub sampled: u64,
}

/// A promise that was broken.
#[derive(Debug)]
pub struct Violation {
    case: Option<Case>,
    steps: Vec<String>,
    ops: Vec<String>,
    left: Vec<String>,
    text: String,
}

/// The workloads of this length, as numbers; each has one below 12 to the power of it.
pub fn workloads(length: u32) -> u64 {
    (Letter::ALL.len() as u64).pow(length)
}

/// The workload of this length with this number.
pub fn workload(length: u32, number: u64) -> Vec<Letter> {
    let count = Letter::ALL.len() as u64;
    (0..length).rev().map(|at| Letter::ALL[(number / count.pow(at) % count) as usize]).collect()
}

/// Looks at every state that may be left of the last operation of a workload. Those of the
/// operations before it are those of a shorter workload.
///
/// # Errors
///
/// The first promise that is broken, as a story.
pub fn explore(
    letters: &[Letter],
    bounds: Bounds,
    seen: &Seen,
) -> Result<Explored, Box<Violation>> {
    let run = play(letters)?;
    let mut explored = Explored::default();
    let mut checker = Checker::new(seen);
    let first = if letters.is_empty() { 0 } else { run.start + 1 };
    for op in first..=run.vfs.op_count() {
        let models = candidates(&run.before, &run.timeline, op);
        let mut moment = run.vfs.moment(op);
        let failed = |left: Option<&[usize]>, text| Violation::new(letters, &run, op, left, text);
        checker
            .check(&moment.death(), &Expected::Models(&models, End::Death))
            .map_err(|text| failed(None, text))?;
        let expected = Expected::Models(&models, End::PowerLoss);
        let mut result = Ok(());
        let is_sampled =
            subsets::visit(&mut moment, bounds.most, bounds.sample, &mut |state, choices| {
                result = checker.check(&state, &expected).map_err(|text| (choices.to_vec(), text));
                result.is_ok()
            });
        if let Err((choices, text)) = result {
            return Err(failed(Some(&choices), text));
        }
        explored.moments += 1;
        explored.sampled += u64::from(is_sampled);
    }
    explored.states = checker.states;
    Ok(explored)
}

/// Looks at one state again.
///
/// # Errors
///
/// The promise that is broken, as a story.
pub fn repeat(case: &Case) -> Result<Explored, Box<Violation>> {
    let run = play(&case.letters)?;
    let models = candidates(&run.before, &run.timeline, case.op);
    let mut moment = run.vfs.moment(case.op);
    let (state, end) = match &case.left {
        None => (moment.death(), End::Death),
        Some(choices) => (subsets::state(&mut moment, choices), End::PowerLoss),
    };
    let seen = Seen::default();
    let mut checker = Checker::new(&seen);
    checker
        .check(&state, &Expected::Models(&models, end))
        .map_err(|text| Violation::new(&case.letters, &run, case.op, case.left.as_deref(), text))?;
    Ok(Explored { states: checker.states, moments: 1, sampled: 0 })
}

fn play(letters: &[Letter]) -> Result<Run, Box<Violation>> {
    let played = std::panic::catch_unwind(|| Run::play(letters));
    let played = played.unwrap_or_else(|panic| Err(crate::model::words(&*panic)));
    played.map_err(|text| {
        let steps = letters.iter().map(Letter::to_string).collect();
        let (ops, left) = (Vec::new(), Vec::new());
        Box::new(Violation { case: None, steps, ops, left, text })
    })
}

impl Violation {
    fn new(
        letters: &[Letter],
        run: &Run,
        op: usize,
        left: Option<&[usize]>,
        text: String,
    ) -> Box<Violation> {
        let case = Case { letters: letters.to_vec(), op, left: left.map(<[usize]>::to_vec) };
        let ops = run.vfs.ops();
        let ops = ops[run.start.min(op)..op].to_vec();
        let left = left.map(|choices| subsets::words(&mut run.vfs.moment(op), choices));
        let left = left.unwrap_or_else(|| vec!["the process died, nothing was lost".into()]);
        let steps = letters.iter().map(Letter::to_string).collect();
        Box::new(Violation { case: Some(case), steps, ops, left, text })
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "workload: open, {}", self.steps.join(", "))?;
        if let Some(case) = &self.case {
            writeln!(
                f,
                "crash after operation {} of the file system; the last step did:",
                case.op
            )?;
            self.ops.iter().try_for_each(|op| writeln!(f, "  {op}"))?;
            writeln!(f, "what was left:")?;
            self.left.iter().try_for_each(|part| writeln!(f, "  {part}"))?;
        }
        writeln!(f, "then: {}", self.text)?;
        match &self.case {
            Some(case) => write!(f, "repeat: crash-states replay '{case}'"),
            None => Ok(()),
        }
    }
}
