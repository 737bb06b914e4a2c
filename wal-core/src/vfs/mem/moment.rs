//! One moment of a file system in memory, and what may be left of it.

use std::fmt;
use std::time::SystemTime;

use super::MemVfs;
use super::crash::{Grain, Part, Plans, crash};
use super::model::Model;

/// A file system as it was right after one of its operations; see [`MemVfs::moment`].
pub struct Moment {
    model: Model,
    now: SystemTime,
    plans: Plans,
}

impl Moment {
    pub(super) fn new(vfs: &MemVfs, op: usize, grain: Grain) -> Moment {
        let (model, now) = vfs.state_after(op);
        Moment { model, now, plans: Plans::new(grain) }
    }

    /// The file system as it may be found after power was lost, as [`MemVfs::crash_at`] has it. The
    /// chooser is told what each choice is about.
    pub fn power_loss(&mut self, chooser: &mut dyn FnMut(&Part<'_>) -> usize) -> MemVfs {
        MemVfs::with(crash(&self.model, &mut self.plans, chooser), self.now)
    }

    /// The file system as it is found after the process died, as [`MemVfs::kill_at`] has it.
    pub fn death(&self) -> MemVfs {
        MemVfs::with(self.model.clone(), self.now)
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Moment").finish_non_exhaustive()
    }
}
