//! All ways a moment may be left, or a sample of them where they are too many.

use wal_core::vfs::{MemVfs, Moment};

use crate::Rng;

/// Calls `visit` with every state power loss may leave at a moment and the choices that lead to it,
/// until it says to stop. Of more than `most` a structured sample of about `sampled` is taken;
/// returns whether it was.
pub fn visit(
    moment: &mut Moment,
    most: usize,
    sampled: usize,
    visit: &mut dyn FnMut(MemVfs, &[usize]) -> bool,
) -> bool {
    if count(moment, most) <= most {
        every(moment, visit);
        return false;
    }
    sample(moment, sampled, visit);
    true
}

/// The state that these choices lead to; where they end, nothing more arrives.
pub fn state(moment: &mut Moment, choices: &[usize]) -> MemVfs {
    let mut next = choices.iter();
    moment.power_loss(&mut |_| next.next().copied().unwrap_or(0))
}

/// The choices that lead to a state, in words: what has arrived, and what has not.
pub fn words(moment: &mut Moment, choices: &[usize]) -> Vec<String> {
    let mut next = choices.iter();
    let mut words = Vec::new();
    let _ = moment.power_loss(&mut |part| {
        let choice = next.next().copied().unwrap_or(0);
        words.push(match choice {
            0 => format!("{part}: not arrived"),
            _ if choice + 1 == part.choices => format!("{part}: arrived"),
            _ => format!("{part}: as after change {choice} of {}", part.choices - 1),
        });
        choice
    });
    words
}

/// A bound on how many states there are that is exact while it is small: what is asked after one
/// choice may depend on it, so it is counted along the path on which nothing arrives and the one
/// on which everything does.
fn count(moment: &mut Moment, most: usize) -> usize {
    [false, true]
        .map(|arrives| {
            let mut product = 1_usize;
            let _ = moment.power_loss(&mut |part| {
                product = product.saturating_mul(part.choices);
                if arrives { part.choices - 1 } else { 0 }
            });
            product.min(most + 1)
        })
        .into_iter()
        .fold(0, usize::max)
}

/// Counts through all choices, the last one fastest.
fn every(moment: &mut Moment, visit: &mut dyn FnMut(MemVfs, &[usize]) -> bool) {
    let mut path: Vec<usize> = Vec::new();
    let mut bounds: Vec<usize> = Vec::new();
    loop {
        let mut depth = 0;
        bounds.clear();
        let state = moment.power_loss(&mut |part| {
            if depth == path.len() {
                path.push(0);
            }
            bounds.push(part.choices);
            depth += 1;
            path[depth - 1]
        });
        path.truncate(depth);
        if !visit(state, &path) {
            return;
        }
        while path.last().is_some_and(|last| last + 1 == bounds[path.len() - 1]) {
            path.pop();
        }
        match path.last_mut() {
            Some(last) => *last += 1,
            None => return,
        }
    }
}

/// Nothing, all, each part alone, all but each part, each prefix and suffix, and the rest of the
/// sample at random.
fn sample(moment: &mut Moment, most: usize, visit: &mut dyn FnMut(MemVfs, &[usize]) -> bool) {
    let mut parts = 0;
    let _ = moment.power_loss(&mut |part| {
        parts += 1;
        part.choices - 1
    });
    let mut rng = Rng::new(parts as u64);
    let structured = 4 * parts + 2;
    for pattern in 0..most.max(structured.min(2 * most)) {
        let (kind, pivot) = (pattern % 4, pattern / 4);
        let dense = [50, 90, 10][pattern % 3];
        let mut path = Vec::new();
        let mut at = 0;
        let state = moment.power_loss(&mut |part| {
            let arrives = match kind {
                _ if pattern >= structured => rng.chance(dense),
                0 => at < pivot,
                1 => at >= pivot,
                2 => at == pivot,
                _ => at != pivot,
            };
            at += 1;
            let choice = match arrives {
                true if pattern >= structured => 1 + rng.below(part.choices - 1),
                true => part.choices - 1,
                false => 0,
            };
            path.push(choice);
            choice
        });
        if !visit(state, &path) {
            return;
        }
    }
}
