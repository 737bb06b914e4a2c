//! Gathering: letting those whom the last commit has woken come back before the next one starts.

use std::time::{Duration, Instant};

use super::waiters::Woken;

/// How long the next commit waits, and for how many; how long those who wait for it look around
/// before they sleep.
///
/// A sync takes as long for one record as for thirty. Started the moment the one before ends, it
/// meets only those who came meanwhile, and everybody else waits for a whole one more: tasks that
/// append in a circle fall into two parties that take turns, at half the rate. So after a commit
/// that has woken a few the next one waits until as many records have come, if that can be expected
/// to take less than a part of the time of a commit. Where it does not bring them (those woken have
/// other things to do) it is tried ever less often.
#[derive(Debug, Default)]
pub(crate) struct Gather {
    /// The LSN after the last record of those who are expected; 0 when nobody is.
    expected: u64,
    /// How long commits take, a moving average.
    commit_time: Duration,
    /// So many commits are still to start at once.
    skipped: u32,
    /// So many are skipped after the next vain wait.
    penalty: u32,
}

impl Gather {
    /// A commit took `time` and has woken so many, when LSNs before `submitted` were claimed.
    pub(crate) fn committed(&mut self, time: Duration, woken: Woken, submitted: u64) {
        self.commit_time = (self.commit_time * (WEIGHT - 1) + time) / WEIGHT;
        let return_time = THREAD_RETURN * woken.threads + TASK_RETURN * woken.tasks;
        let count = u64::from(woken.threads) + u64::from(woken.tasks);
        let is_worth_it = count > 0 && return_time < self.commit_time / PATIENCE_PART;
        self.expected = if is_worth_it { submitted.saturating_add(count) } else { 0 };
    }

    /// How long a thread that waits for a commit yields to others before it sleeps.
    ///
    /// To wake a thread takes several microseconds of both who wakes and who is woken, many times
    /// what appending takes. Where a commit takes less than the sum of that over some threads, they
    /// get on faster by asking again whenever the processor has nothing else to do.
    pub(crate) fn yield_time(&self) -> Duration {
        if self.commit_time > YIELD_COMMIT_MAX { Duration::ZERO } else { self.commit_time * 2 }
    }

    /// Waits for those expected. `submitted` tells the LSN after the last record claimed.
    pub(crate) fn wait(&mut self, submitted: impl Fn() -> u64) {
        let expected = std::mem::take(&mut self.expected);
        if submitted() >= expected {
            self.penalty = 0;
            return;
        }
        if self.skipped > 0 {
            self.skipped -= 1;
            return;
        }
        let start = Instant::now();
        while start.elapsed() < self.commit_time / PATIENCE_PART {
            std::thread::yield_now();
            if submitted() >= expected {
                self.penalty = 0;
                return;
            }
        }
        self.penalty = (self.penalty * 2).clamp(1, PENALTY_MAX);
        self.skipped = self.penalty;
    }
}

/// One part in so many of the average is the latest commit's.
const WEIGHT: u32 = 16;
/// The part of a commit's time that is waited at the most.
const PATIENCE_PART: u32 = 2;
const PENALTY_MAX: u32 = 64;
/// How long it takes until somebody who was woken appends again.
const THREAD_RETURN: Duration = Duration::from_micros(4);
const TASK_RETURN: Duration = Duration::from_micros(1);
/// Commits that take longer are slept through.
const YIELD_COMMIT_MAX: Duration = Duration::from_micros(500);

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const COMMIT: Duration = Duration::from_micros(400);

    fn after(woken: Woken) -> Gather {
        let mut gather = Gather { commit_time: COMMIT, ..Gather::default() };
        gather.committed(COMMIT, woken, 10);
        gather
    }

    #[test]
    fn a_commit_waits_until_as_many_have_come_as_were_woken() {
        let mut gather = after(Woken { threads: 1, tasks: 2 });
        let next = Cell::new(10);
        gather.wait(|| {
            next.set(next.get() + 1);
            next.get()
        });
        assert_eq!(next.get(), 13);
    }

    #[test]
    fn nobody_is_waited_for_when_nobody_was_woken_or_too_many() {
        for woken in [Woken::default(), Woken { threads: 100, tasks: 0 }] {
            let asked = Cell::new(0);
            after(woken).wait(|| {
                asked.set(asked.get() + 1);
                0
            });
            assert_eq!(asked.get(), 1, "{woken:?}");
        }
    }

    #[test]
    fn vain_waits_become_rare() {
        let mut gather = Gather { commit_time: COMMIT, ..Gather::default() };
        let mut waits = 0;
        for _ in 0..1000 {
            gather.committed(COMMIT, Woken { threads: 1, tasks: 0 }, 10);
            let asked = Cell::new(0);
            gather.wait(|| {
                asked.set(asked.get() + 1);
                10
            });
            waits += u32::from(asked.get() > 1);
        }
        assert!((5..30).contains(&waits), "{waits}");
    }

    #[test]
    fn long_commits_are_slept_through() {
        let mut gather = after(Woken::default());
        assert_eq!(gather.yield_time(), COMMIT * 2);
        gather.commit_time = Duration::from_millis(5);
        assert_eq!(gather.yield_time(), Duration::ZERO);
    }
}
