//! Gathering: letting those whom the last commit has served come back before the next one starts.

use crate::sync::gauge::{AtomicU64, Ordering};
use crate::sync::time::Instant;
use std::time::Duration;

/// How long the next commit waits, and for how many; how long those who wait for it look around
/// before they sleep.
///
/// A sync takes as long for one record as for thirty. Started the moment the one before ends, it
/// meets only those who came meanwhile, and everybody else waits for a whole one more: those who
/// append in a circle fall into two parties that take turns, at half the rate. So after a commit
/// the next one waits until as many records have come as that one had, for a part of the time of a
/// commit at the most. Where it does not bring nearly all of them (they have other things to do) it
/// is tried ever less often.
///
/// Nobody holds a lock meanwhile: who would flush asks first, and the last one who is expected
/// finds that the wait is over. Changed by the committer, but for `give_up`.
#[derive(Debug)]
pub(crate) struct Gather {
    /// What `until_ns` counts from.
    base: Instant,
    /// The LSN after the last record of those who are expected; 0 when nobody is.
    expected: AtomicU64,
    /// How many records that are.
    count: AtomicU64,
    /// When they are not waited for any longer.
    until_ns: AtomicU64,
    /// How long commits take, a moving average.
    commit_ns: AtomicU64,
    /// So many commits are still to start at once.
    skipped: AtomicU64,
    /// So many are skipped after the next vain wait.
    penalty: AtomicU64,
    /// When the last yield ended that took long, and how many did without a break.
    long_yield_ns: AtomicU64,
    long_yields: AtomicU64,
    /// Until when nobody yields, because yields took long.
    crowded_until_ns: AtomicU64,
}

impl Gather {
    /// A commit of `count` records took `time`, when LSNs before `submitted` were claimed and those
    /// before `written` written.
    pub(super) fn committed(&self, time: Duration, count: u64, written: u64, submitted: u64) {
        let before = self.commit_ns.load(Ordering::Relaxed);
        let commit_ns = (before * (WEIGHT - 1) + time.as_nanos() as u64) / WEIGHT;
        self.commit_ns.store(commit_ns, Ordering::Relaxed);
        // A single appender has nobody to wait for.
        if count == 0 || count == 1 && submitted <= written {
            return;
        }
        let skipped = self.skipped.load(Ordering::Relaxed);
        if skipped > 0 {
            self.skipped.store(skipped - 1, Ordering::Relaxed);
            return;
        }
        self.count.store(count, Ordering::Relaxed);
        self.until_ns.store(self.now_ns() + commit_ns / PATIENCE_PART, Ordering::Relaxed);
        self.expected.store(submitted.saturating_add(count), Ordering::Release);
    }

    /// Whether the next commit is to wait, when LSNs before `submitted` are claimed.
    pub(super) fn is_waiting(&self, submitted: u64) -> bool {
        submitted < self.expected.load(Ordering::Acquire)
            && self.now_ns() < self.until_ns.load(Ordering::Relaxed)
    }

    /// The next commit is not to wait, whoever is expected.
    pub(super) fn give_up(&self) {
        self.expected.store(0, Ordering::Relaxed);
    }

    /// The next commit starts.
    pub(super) fn start(&self, submitted: u64) {
        let expected = self.expected.load(Ordering::Relaxed);
        if expected == 0 {
            return;
        }
        self.expected.store(0, Ordering::Relaxed);
        let missing = expected.saturating_sub(submitted);
        let penalty = match missing * 4 > self.count.load(Ordering::Relaxed) {
            true => (self.penalty.load(Ordering::Relaxed) * 2).clamp(1, PENALTY_MAX),
            false => 0,
        };
        self.penalty.store(penalty, Ordering::Relaxed);
        self.skipped.store(penalty, Ordering::Relaxed);
    }

    /// Lets some time pass for those who are expected.
    pub(super) fn pause(&self) {
        if self.commit_ns.load(Ordering::Relaxed) > YIELD_COMMIT_NS_MAX {
            crate::sync::thread::sleep(PAUSE);
        } else {
            crate::sync::thread::yield_now();
        }
    }

    /// How long a thread that waits for a commit yields to others before it sleeps.
    ///
    /// To wake a thread takes several microseconds of both who wakes and who is woken, many times
    /// what appending takes. Where a commit takes less than the sum of that over some threads, they
    /// get on faster by asking again whenever the processor has nothing else to do.
    pub(super) fn yield_time(&self) -> Duration {
        let commit_ns = self.commit_ns.load(Ordering::Relaxed);
        let is_crowded = || self.now_ns() < self.crowded_until_ns.load(Ordering::Relaxed);
        if commit_ns > YIELD_COMMIT_NS_MAX || is_crowded() {
            return Duration::ZERO;
        }
        Duration::from_nanos(commit_ns * YIELD_COMMITS)
    }

    /// A yield took `time`. Some long ones without a break gave the processor to somebody who does
    /// not take turns as those do who wait here; who sleeps comes back sooner than who yields to
    /// such. A single one says nothing: everybody's processor is busy or stands still at times.
    pub(super) fn yielded(&self, time: Duration) {
        if time >= LONG_YIELD {
            self.yielded_at(self.now_ns(), time);
        }
    }

    fn yielded_at(&self, end_ns: u64, time: Duration) {
        let start_ns = end_ns.saturating_sub(time.as_nanos() as u64);
        let last_end_ns = self.long_yield_ns.load(Ordering::Relaxed);
        if start_ns < last_end_ns {
            // The same standstill, as somebody else has met it.
            return;
        }
        self.long_yield_ns.store(end_ns, Ordering::Relaxed);
        let is_next = start_ns - last_end_ns < LONG_YIELD_BREAK_NS;
        let count = if is_next { self.long_yields.load(Ordering::Relaxed) + 1 } else { 1 };
        self.long_yields.store(count, Ordering::Relaxed);
        if count >= LONG_YIELDS_MAX {
            self.crowded_until_ns.store(end_ns + CROWDED_NS, Ordering::Relaxed);
        }
    }

    fn now_ns(&self) -> u64 {
        self.base.elapsed().as_nanos() as u64
    }
}

impl Default for Gather {
    fn default() -> Gather {
        Gather {
            base: Instant::now(),
            expected: AtomicU64::new(0),
            count: AtomicU64::new(0),
            until_ns: AtomicU64::new(0),
            commit_ns: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            penalty: AtomicU64::new(0),
            long_yield_ns: AtomicU64::new(0),
            long_yields: AtomicU64::new(0),
            crowded_until_ns: AtomicU64::new(0),
        }
    }
}

/// One part in so many of the average is the latest commit's.
const WEIGHT: u64 = 16;
/// The part of a commit's time that is waited at the most.
const PATIENCE_PART: u64 = 2;
const PENALTY_MAX: u64 = 64;
/// Commits that take longer are slept through.
const YIELD_COMMIT_NS_MAX: u64 = 500_000;
/// The rest of a commit that is on its way, the gathering after it, the next one, and some more:
/// who comes in between is served in this time.
const YIELD_COMMITS: u64 = 4;
/// Longer than many threads take that only look whether their wait is over; shorter than the time
/// slice of one that computes.
const LONG_YIELD: Duration = Duration::from_millis(1);
const LONG_YIELD_BREAK_NS: u64 = 200_000;
const LONG_YIELDS_MAX: u64 = 3;
const CROWDED_NS: u64 = 20_000_000;
const PAUSE: Duration = Duration::from_micros(50);

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: Duration = Duration::from_micros(400);

    fn used_to(commit: Duration) -> Gather {
        let gather = Gather::default();
        gather.commit_ns.store(commit.as_nanos() as u64, Ordering::Relaxed);
        gather
    }

    #[test]
    fn a_commit_waits_until_as_many_have_come_as_the_last_one_had() {
        let gather = used_to(Duration::from_secs(1000));
        gather.committed(COMMIT, 3, 10, 12);
        assert!(gather.is_waiting(12) && gather.is_waiting(14));
        assert!(!gather.is_waiting(15));
    }

    #[test]
    fn a_commit_waits_for_a_part_of_the_time_of_a_commit_at_the_most() {
        let gather = used_to(COMMIT);
        gather.committed(COMMIT, 3, 10, 12);
        std::thread::sleep(COMMIT);
        assert!(!gather.is_waiting(12));
    }

    #[test]
    fn nobody_is_waited_for_by_a_single_appender_or_when_it_is_given_up() {
        let gather = used_to(Duration::from_secs(1000));
        gather.committed(COMMIT, 1, 10, 10);
        assert!(!gather.is_waiting(10));
        gather.committed(COMMIT, 0, 10, 12);
        assert!(!gather.is_waiting(12));
        gather.committed(COMMIT, 3, 10, 10);
        gather.give_up();
        assert!(!gather.is_waiting(10));
    }

    #[test]
    fn two_who_take_turns_are_brought_together() {
        let gather = used_to(Duration::from_secs(1000));
        gather.committed(COMMIT, 1, 10, 11);
        assert!(gather.is_waiting(11));
        assert!(!gather.is_waiting(12));
    }

    #[test]
    fn vain_waits_become_rare_and_one_that_is_not_ends_that() {
        let gather = used_to(Duration::from_secs(1000));
        let mut waits = 0;
        for _ in 0..1000 {
            gather.committed(COMMIT, 2, 10, 10);
            waits += u32::from(gather.is_waiting(10));
            gather.start(10);
        }
        assert!((5..30).contains(&waits), "{waits}");
        while !gather.is_waiting(10) {
            gather.committed(COMMIT, 2, 10, 10);
        }
        gather.start(12);
        gather.committed(COMMIT, 2, 12, 12);
        assert!(gather.is_waiting(12));
    }

    #[test]
    fn long_commits_are_slept_through_and_so_is_a_processor_that_others_use() {
        let gather = used_to(COMMIT);
        assert_eq!(gather.yield_time(), COMMIT * 4);
        gather.yielded(Duration::from_micros(500));
        assert_eq!(gather.yield_time(), COMMIT * 4);
        let long = Duration::from_millis(3);
        // Standstills with a break in between, and one that two have met.
        for at_ms in [10, 20, 21, 30, 40] {
            gather.yielded_at(at_ms * 1_000_000, long);
        }
        assert_eq!(gather.yield_time(), COMMIT * 4);
        for at_ms in [50, 53, 56] {
            assert_eq!(gather.crowded_until_ns.load(Ordering::Relaxed), 0);
            gather.yielded_at(at_ms * 1_000_000, long);
        }
        assert_eq!(gather.crowded_until_ns.load(Ordering::Relaxed), 56_000_000 + CROWDED_NS);
        gather.crowded_until_ns.store(u64::MAX, Ordering::Relaxed);
        assert_eq!(gather.yield_time(), Duration::ZERO);
        assert_eq!(used_to(Duration::from_millis(5)).yield_time(), Duration::ZERO);
    }
}
