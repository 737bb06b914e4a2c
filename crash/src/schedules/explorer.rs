//! Whose turn it is: a few ways to choose, each brought back by the number of the case.

use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};

use crate::Rng;

/// A scheduler that begins each execution with the seed of a case.
pub struct Explorer<N> {
    /// The next case's seed, or none when it is enough.
    next: N,
    rng: Rng,
    way: Way,
    steps: usize,
}

/// How the next thread is chosen.
enum Way {
    /// Any of those that can go on.
    Uniform,
    /// The same one, but in so many of a hundred steps.
    Sticky(u64),
    /// The one with the highest priority, which changes at few steps: finds what needs only few
    /// switches at the right places (Burckhardt and others: A Randomized Scheduler with
    /// Probabilistic Guarantees of Finding Bugs, 2010).
    Priorities { of_tasks: Vec<u64>, changes: Vec<usize>, lowest: u64 },
}

impl<N: FnMut() -> Option<u64>> Explorer<N> {
    /// `next` gives the seed of the next case.
    pub fn new(next: N) -> Explorer<N> {
        Explorer { next, rng: Rng::new(0), way: Way::Uniform, steps: 0 }
    }
}

impl Way {
    fn of(rng: &mut Rng) -> Way {
        match rng.below(8) {
            0 => Way::Uniform,
            1 | 2 => Way::Sticky(50),
            3 | 4 => Way::Sticky(12),
            5 => Way::Sticky(3),
            _ => {
                let span = 60 << rng.below(6);
                let depth = rng.below(6);
                let changes = (0..depth).map(|_| rng.below(span)).collect();
                Way::Priorities { of_tasks: Vec::new(), changes, lowest: 1 << 32 }
            }
        }
    }
}

impl<N: FnMut() -> Option<u64>> Scheduler for Explorer<N> {
    fn new_execution(&mut self) -> Option<Schedule> {
        let seed = (self.next)()?;
        self.rng = Rng::new(seed);
        self.way = Way::of(&mut self.rng);
        self.steps = 0;
        Some(Schedule::new(seed))
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        if let [only] = runnable {
            return Some(only.id());
        }
        self.steps += 1;
        let rng = &mut self.rng;
        let current = current.filter(|&id| runnable.iter().any(|task| task.id() == id));
        let any = |rng: &mut Rng| runnable.get(rng.below(runnable.len())).map(|task| task.id());
        match (&mut self.way, current) {
            (Way::Priorities { of_tasks, changes, lowest }, _) => {
                let known = runnable.iter().map(|task| usize::from(task.id()) + 1).max()?;
                while of_tasks.len() < known {
                    of_tasks.push((1 << 32) + (rng.next() >> 16));
                }
                if is_yielding || changes.contains(&self.steps) {
                    *lowest -= 1;
                    if let Some(id) = current {
                        of_tasks[usize::from(id)] = *lowest;
                    }
                }
                let id = |task: &&&Task| of_tasks[usize::from(task.id())];
                runnable.iter().max_by_key(id).map(|task| task.id())
            }
            (_, Some(current)) if is_yielding => {
                let others = runnable.iter().filter(|task| task.id() != current);
                others.clone().nth(rng.below(runnable.len() - 1)).map(|task| task.id())
            }
            (Way::Sticky(percent), Some(current)) if !rng.chance(*percent) => Some(current),
            _ => any(rng),
        }
    }

    fn next_u64(&mut self) -> u64 {
        self.rng.next()
    }
}
