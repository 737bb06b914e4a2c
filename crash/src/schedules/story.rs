//! What happened in a case, for an engineer to follow.

use std::fmt::Write;

use wal_core::vfs::MemVfs;

use super::crashes::Point;
use super::history::{Facts, Moment, Outcome};

/// The broken promise, and all that led to it in the order in which it happened.
pub fn tell(text: &str, point: Option<Point>, facts: &Facts, disk: &MemVfs) -> String {
    let mut story = format!("{text}\n");
    if let Some(point) = point {
        let _ = writeln!(
            story,
            "found after a crash right after operation {}, of what was not \
                                 synced was left: {:?}",
            point.op, point.left
        );
    }
    let mut lines: Vec<(usize, u64, String)> = Vec::new();
    let mut line = |at: Moment, text: String| lines.push((at.op, at.clock, text));
    for append in &facts.appends {
        let what = format!(
            "thread {} append {:#x} ({} of {} bytes at {:?})",
            append.writer, append.number, append.count, append.bytes, append.level
        );
        line(append.begun, format!("{what}: begins"));
        if let Some((lsn, at)) = append.claimed {
            line(at, format!("{what}: has LSN {lsn}"));
        }
        match append.outcome {
            Outcome::Open => {}
            Outcome::Done(at) => line(at, format!("{what}: acknowledged")),
            Outcome::Absent(kind, at) => line(at, format!("{what}: refused, {kind:?}")),
            Outcome::Unknown(kind, at) => line(at, format!("{what}: failed, {kind:?}")),
        }
    }
    for change in facts.changes.iter().filter(|change| change.begun.op != usize::MAX) {
        line(change.begun, format!("thread {} {:?}: begins", change.writer, change.kind));
        if let Some(done) = change.done {
            line(done, format!("thread {} {:?}: done", change.writer, change.kind));
        }
    }
    for mark in &facts.marks {
        line(mark.at, format!("told: durable through LSN {}", mark.lsn));
    }
    for (since, at) in &facts.syncs {
        line(*at, format!("told: all is durable that was submitted before moment {}", since.clock));
    }
    for (at, writer, text) in &facts.notes {
        line(*at, format!("thread {writer}: {text}"));
    }
    // An operation comes before what happened when it was counted already.
    for (number, op) in (1..).zip(disk.ops()) {
        lines.push((number, 0, format!("disk {number}: {op}")));
    }
    lines.sort();
    for (op, _, text) in lines {
        if point.is_some_and(|point| op > point.op) {
            let _ = writeln!(story, "  -- crash --");
            break;
        }
        let _ = writeln!(story, "  {text}");
    }
    story
}
