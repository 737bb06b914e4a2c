//! Makes a failing history short enough to follow.

use wal_core::Level;

use super::history::History;
use super::loss::Loss;
use super::player::{Failure, play};
use super::step::Step;
use crate::model::words;

/// Plays a history; a panic outside of the engine's calls is a failure as well.
pub(super) fn attempt(history: &History) -> Result<super::player::Played, Failure> {
    std::panic::catch_unwind(|| play(history)).unwrap_or_else(|panic| {
        let text = words(&*panic);
        Err(Failure { step: history.steps.len().saturating_sub(1), probe: None, text, ops: vec![] })
    })
}

/// A shorter history that fails as well, and how.
pub(super) fn shrink(history: &History, failure: Failure) -> (History, Failure) {
    let mut shrinking = Shrinking { history: history.clone(), failure, attempts: 0 };
    shrinking.cut();
    let mut size = shrinking.history.steps.len() / 2;
    while size > 0 {
        shrinking.drop_steps(size);
        size /= 2;
    }
    shrinking.simplify();
    shrinking.drop_steps(1);
    (shrinking.history, shrinking.failure)
}

struct Shrinking {
    history: History,
    failure: Failure,
    attempts: usize,
}

impl Shrinking {
    /// Nothing after the failure matters, and no look but the one that failed.
    fn cut(&mut self) {
        let mut steps = self.history.steps[..=self.last()].to_vec();
        self.keep_if_failing(steps.clone());
        if let Some(probe) = self.failure.probe {
            steps = self.history.steps.clone();
            let mut at = 0;
            steps.retain(|step| {
                at += 1;
                at - 1 == probe || !matches!(step, Step::Probe(..) | Step::Damage(_))
            });
            self.keep_if_failing(steps);
        }
    }

    fn last(&self) -> usize {
        self.failure.step.min(self.history.steps.len().saturating_sub(1))
    }

    fn drop_steps(&mut self, size: usize) {
        let mut at = 0;
        while at < self.history.steps.len() {
            let mut steps = self.history.steps.clone();
            steps.drain(at..(at + size).min(steps.len()));
            if !self.keep_if_failing(steps) {
                at += size;
            }
        }
    }

    /// The simplest crash, small records, the plain level.
    fn simplify(&mut self) {
        for at in 0..self.history.steps.len() {
            for simpler in simpler(&self.history.steps[at]) {
                let mut steps = self.history.steps.clone();
                steps[at] = simpler;
                if self.keep_if_failing(steps) {
                    break;
                }
            }
        }
    }

    fn keep_if_failing(&mut self, steps: Vec<Step>) -> bool {
        self.attempts += 1;
        if self.attempts > ATTEMPTS_MAX {
            return false;
        }
        let history = History { steps, ..self.history.clone() };
        match attempt(&history) {
            Ok(_) => false,
            Err(failure) => {
                (self.history, self.failure) = (history, failure);
                true
            }
        }
    }
}

fn simpler(step: &Step) -> Vec<Step> {
    let losses = [Loss::Death, Loss::All, Loss::Nothing];
    match step {
        Step::Probe(back, _) => losses.map(|loss| Step::Probe(*back, loss)).to_vec(),
        Step::Crash(back, _) => losses.map(|loss| Step::Crash(*back, loss)).to_vec(),
        Step::Append(level, lens) if lens.len() > 1 => {
            vec![Step::Append(*level, vec![10]), Step::Append(*level, vec![10; lens.len()])]
        }
        Step::Append(level, _) => {
            vec![Step::Append(Level::Disk, vec![10]), Step::Append(*level, vec![10])]
        }
        Step::Submit(level, lens) => {
            vec![Step::Append(*level, vec![10]), Step::Submit(*level, vec![10; lens.len()])]
        }
        _ => Vec::new(),
    }
}

const ATTEMPTS_MAX: usize = 500;
