//! Reading beside what changes.

use super::appending::open;
use crate::live::Live;
use crate::lsn::Lsn;
use crate::sync::Arc;
use crate::vfs::{FaultVfs, MemVfs};

/// Who uses a view has it alone, and one that was replaced is dropped.
pub(super) fn views() {
    let log = open(&FaultVfs::over_memory(MemVfs::new()));
    log.append(b"one").expect("an append");
    let engine = Arc::clone(log.writer().expect("it is open for writing"));
    loom::explore();
    let reader = Arc::clone(&engine);
    let reader = crate::sync::thread::spawn(move || {
        for _ in 0..2 {
            // In memory nothing is mapped: the seat is taken and nothing is found.
            assert!(reader.views.read(&*reader, Lsn::FIRST).is_none());
        }
    });
    let old = Arc::downgrade(&engine.live());
    engine.change_live(|live| Live {
        segments: live.segments.clone(),
        first_lsn: live.first_lsn,
        cuts: live.cuts.clone(),
    });
    reader.join().expect("it reads");
    loom::stop_exploring();
    assert!(old.upgrade().is_none(), "nobody holds what was replaced");
    log.close().expect("closing");
}
