//! Truncation and reset: records leave at the tail, by one header and one sync.
//!
//! A sealed segment is never changed. What is cut off is cut off by the header of a new segment
//! that names where the log validly ends; there is no intent record and no second step that could
//! be missing after a crash.

use crate::sync::atomic::Ordering;
use crate::sync::{Arc, PoisonError};

use crate::append::{Active, Committer, Engine, Tail};
use crate::error::{Error, ErrorKind, Result};
use crate::live::Live;
use crate::lsn::{FileOffset, Lsn, Place};
use crate::options::Io;
use crate::segment::{DATA_START, Extent, Predecessor, Segment, SegmentHeader};

impl Engine {
    /// Drops every record after `after`.
    ///
    /// When this returns, the records do not come back after power loss, and those up to `after`
    /// survive it.
    pub(crate) fn truncate(self: &Arc<Engine>, after: Lsn) -> Result<()> {
        self.cut(|engine| engine.plan_truncation(after.get() + 1))
    }

    /// Drops every record; the next one gets `next`.
    ///
    /// When this returns, the records do not come back after power loss.
    pub(crate) fn reset_to(self: &Arc<Engine>, next: Lsn) -> Result<()> {
        self.cut(|_| {
            let kept = Vec::new();
            Ok(Some(Plan { next_lsn: next.get(), predecessor: None, kept, is_reset: true }))
        })
    }

    /// Flushes everything, holds appenders off, and makes the segment that `plan` describes the end
    /// of the log.
    fn cut(self: &Arc<Engine>, plan: impl FnOnce(&Engine) -> Result<Option<Plan>>) -> Result<()> {
        self.check_writable()?;
        let mut committer = self.committer();
        self.claims().pause(true);
        let result = self.flush_all(&mut committer).and_then(|()| {
            // Not before: what is flushed may rotate, and a rotation at capacity trims.
            let _serial = self.maintenance.lock().unwrap_or_else(PoisonError::into_inner);
            match plan(self)? {
                None => Ok(()),
                Some(plan) => self.cut_to(&mut committer, plan),
            }
        });
        self.claims().pause(false);
        drop(committer);
        self.waiters_wake_all();
        self.tell_room();
        result
    }

    fn plan_truncation(&self, next_lsn: u64) -> Result<Option<Plan>> {
        let live = self.live();
        let end = self.claims().next_lsn();
        if next_lsn == end {
            return Ok(None);
        }
        if next_lsn > end {
            return Err(Error::at_lsn(
                ErrorKind::Invalid,
                Lsn::new(end.saturating_sub(1)),
                format!("truncating after {}: the log ends before LSN {end}", next_lsn - 1),
            ));
        }
        if next_lsn < live.first_lsn {
            return Err(Error::at_lsn(
                ErrorKind::Trimmed,
                Lsn::new(live.first_lsn),
                format!(
                    "truncating after {}: the log begins at {}; reset_to restarts it anywhere",
                    next_lsn - 1,
                    live.first_lsn
                ),
            ));
        }
        let Some(cut) = live.segment_for(next_lsn) else {
            return Err(Error::plain(ErrorKind::Internal, "no segment holds a visible record"));
        };
        let offset = cut.offset_of(next_lsn)?;
        let footer = cut.extent().and_then(|extent| extent.footer);
        let extent = Extent { end: offset, next_lsn, chain: 0, footer };
        let kept = live.segments.iter().filter(|segment| segment.id() < cut.id()).cloned();
        let cut_short = cut.ended(*cut.header(), extent);
        let predecessor = Predecessor {
            id: cut.id(),
            end: FileOffset(offset),
            next_lsn,
            chain: 0,
            footer: footer.map(FileOffset),
        };
        let kept = kept.chain(std::iter::once(cut_short)).collect();
        Ok(Some(Plan { next_lsn, predecessor: Some(predecessor), kept, is_reset: false }))
    }

    /// Writes and syncs the header, which is the truncation, and follows it in memory.
    fn cut_to(self: &Arc<Engine>, committer: &mut Committer, plan: Plan) -> Result<()> {
        self.epoch.fetch_add(1, Ordering::Relaxed);
        let segment = self.new_segment(plan.next_lsn)?;
        let bytes = self.options.segment_bytes;
        let acquired = self.spares.acquire(segment.id(), bytes, self.options.io == Io::Direct)?;
        let header = SegmentHeader {
            predecessor: plan.predecessor,
            durable_through: committer.tail.durable_through,
            state_seq: self.keeper.contents_seq(),
            created_ns: segment.header().created_ns.max(committer.tail.time_ns),
            ..*segment.header()
        };
        let mut writer = self.writer_of(&segment, acquired.file, acquired.direct)?;
        let writing = writer.write(&[&header.encode()]).and_then(|_| writer.sync());
        let error = |error| {
            Error::io("writing a segment header", segment.path(), error).with_kind(ErrorKind::Io)
        };
        writing.map_err(error).inspect_err(|error| self.poison(error.clone()))?;
        self.meters.syncs.add_alone(1);
        self.durable_segment.store(segment.id().0, Ordering::Release);
        segment.activate(Arc::clone(writer.reading_file()));
        let durable_through = Place { segment: segment.id(), offset: FileOffset(DATA_START) };
        committer.tail = Tail {
            segment: Some(segment.id()),
            end: DATA_START,
            next_lsn: plan.next_lsn,
            chain: header.chain(),
            footer: None,
            time_ns: committer.tail.time_ns,
            durable_through,
        };
        committer.active = Some(Active::new(Arc::clone(&segment), writer, acquired.growth));
        self.marks.tail_end.store(DATA_START, Ordering::Relaxed);
        self.marks.is_direct.store(committer.is_direct(), Ordering::Relaxed);
        self.follow_cut(&segment, bytes, plan);
        Ok(())
    }

    fn follow_cut(self: &Arc<Engine>, segment: &Arc<Segment>, bytes: u64, plan: Plan) {
        let mut claims = self.claims();
        claims.restart_at(plan.next_lsn);
        claims.enter(Arc::clone(segment), bytes, DATA_START, segment.header().seed());
        self.marks.incarnation.store(claims.incarnation, Ordering::Release);
        self.marks.submitted.store(plan.next_lsn, Ordering::Release);
        drop(claims);
        // Readers hold the visible end against the segments they see: it falls before records go,
        // and rises after the segments have changed.
        let visible = [&self.marks.durable, &self.marks.written];
        for mark in visible {
            mark.fetch_min(plan.next_lsn, Ordering::AcqRel);
        }
        let old = self.live();
        let is_kept = |id| plan.kept.iter().any(|segment| segment.id() == id);
        let dropped: Vec<_> =
            old.segments.iter().filter(|segment| !is_kept(segment.id())).cloned().collect();
        self.change_live(|live| {
            let mut segments = plan.kept;
            segments.push(Arc::clone(segment));
            let first_lsn = if plan.is_reset { plan.next_lsn } else { live.first_lsn };
            // A reset cuts everything, wherever a reader stands.
            let cut_at = if plan.is_reset { 0 } else { plan.next_lsn };
            Live { segments, first_lsn, cuts: live.cuts.with(cut_at) }
        });
        drop(old);
        for mark in visible {
            mark.store(plan.next_lsn, Ordering::Release);
        }
        self.recount_segment_bytes();
        self.drop_segments(dropped);
    }
}

/// What a cut leaves.
struct Plan {
    /// The LSN of the next record.
    next_lsn: u64,
    /// Where the log validly ends; none when nothing of it is left.
    predecessor: Option<Predecessor>,
    /// The segments that stay, the last one cut short.
    kept: Vec<Arc<Segment>>,
    is_reset: bool,
}
