//! Every operation so far, and the way back to the state after any of them.

use super::model::{Model, Op};

/// The operations since the beginning (or since they were forgotten), with a snapshot every few of
/// them, so that going back costs the few operations after a snapshot.
#[derive(Default)]
pub(super) struct Journal {
    forgotten_count: usize,
    ops: Vec<Op>,
    /// The state before operation `forgotten_count + i * SNAPSHOT_OPS`.
    snapshots: Vec<Model>,
}

impl Journal {
    pub(super) fn count(&self) -> usize {
        self.forgotten_count + self.ops.len()
    }

    pub(super) fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// The operation with this number, the first being 1.
    pub(super) fn op(&self, number: usize) -> Option<&Op> {
        self.ops.get(number.checked_sub(self.forgotten_count)?.checked_sub(1)?)
    }

    /// Performs an operation and remembers it.
    pub(super) fn perform(&mut self, op: Op, model: &mut Model) {
        if self.ops.len().is_multiple_of(SNAPSHOT_OPS) {
            self.snapshots.push(model.clone());
        }
        model.apply(&op);
        self.ops.push(op);
    }

    /// The state after the first `count` operations, if they are still known; `now` is the state
    /// after all of them.
    pub(super) fn state_after(&self, count: usize, now: &Model) -> Option<Model> {
        let at = count.checked_sub(self.forgotten_count)?;
        if at == self.ops.len() {
            return Some(now.clone());
        }
        let ops = self.ops.get(at / SNAPSHOT_OPS * SNAPSHOT_OPS..at)?;
        let mut model = self.snapshots.get(at / SNAPSHOT_OPS)?.clone();
        ops.iter().for_each(|op| model.apply(op));
        Some(model)
    }

    pub(super) fn forget(&mut self) {
        *self = Journal { forgotten_count: self.count(), ..Journal::default() };
    }
}

const SNAPSHOT_OPS: usize = 16;
