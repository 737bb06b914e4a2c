//! What a log tells about itself: stats, copies, info, verify, repair.

use wal_core::{ErrorKind, Level, check};

use super::answer::{Answer, kind_name, or_dash};
use super::session::Session;
use crate::scenario::Line;

/// Takes the line if its operation is one of these.
pub(super) fn take(session: &mut Session, line: &Line<'_>) -> Option<Answer> {
    Some(match line.name {
        "stats" => stats(session, line),
        "segments" => segments(session, line),
        "poisoned" => poisoned(session, line),
        "copy_to" => copy_to(session, line),
        "info" => info(session, line),
        "verify" => verify(session, line),
        "repair" => repair(session, line),
        _ => return None,
    })
}

fn stats(session: &mut Session, line: &Line<'_>) -> Answer {
    let stats = session.log(line)?.stats()?;
    let level = match stats.level {
        Level::Buffered => "buffered",
        Level::Os => "os",
        Level::Disk => "disk",
    };
    let (first, last) = (or_dash(stats.first_lsn), or_dash(stats.last_lsn));
    let counters = stats.counters;
    Ok(format!(
        "ok level={level} poisoned={} first={first} last={last} next={} records={} \
         record_bytes={} rotations={} trimmed={} segments={}",
        u8::from(stats.poisoned.is_some()),
        stats.next_lsn,
        counters.records,
        counters.record_bytes,
        counters.rotations,
        counters.trimmed,
        stats.segments.len(),
    ))
}

fn segments(session: &mut Session, line: &Line<'_>) -> Answer {
    for segment in session.log(line)?.stats()?.segments {
        session.lines.push(format!(
            "segment id={} first={} last={} sealed={}",
            segment.id,
            segment.first_lsn,
            or_dash(segment.last_lsn),
            u8::from(segment.sealed),
        ));
    }
    Ok(format!("ok count={}", session.lines.len()))
}

fn poisoned(session: &mut Session, line: &Line<'_>) -> Answer {
    let poisoned = session.log(line)?.stats()?.poisoned;
    Ok(format!("ok poisoned={}", u8::from(poisoned.is_some())))
}

fn copy_to(session: &mut Session, line: &Line<'_>) -> Answer {
    let report = session.log(line)?.copy_to(session.scratch.join(line.word("dir")?))?;
    let (first, last) = (or_dash(report.first_lsn), or_dash(report.last_lsn));
    Ok(format!("ok records={} first={first} last={last}", report.records))
}

fn info(session: &mut Session, line: &Line<'_>) -> Answer {
    let info = check::info(session.directory(line))?;
    let (first, last) = (or_dash(info.first_lsn), or_dash(info.last_lsn));
    Ok(format!(
        "ok clean={} writer={} epoch={} first={first} last={last} next={} segments={} values={} \
         case={}",
        u8::from(info.clean),
        u8::from(info.writer_alive),
        info.epoch,
        info.next_lsn,
        info.segments.len(),
        info.values,
        info.recovery.case,
    ))
}

fn verify(session: &mut Session, line: &Line<'_>) -> Answer {
    let report = check::verify(session.directory(line), |_, _| {})?;
    for finding in &report.findings {
        let error = &finding.error;
        let kind: ErrorKind = error.kind();
        session.lines.push(format!(
            "finding kind={} segment={} offset={} first={} last={} at_stake={}",
            kind_name(kind),
            or_dash(error.segment()),
            error.offset().map_or(0, |offset| offset.0),
            or_dash(error.lsns().map(|lsns| lsns.first)),
            or_dash(error.lsns().map(|lsns| lsns.final_)),
            u8::from(finding.records_at_stake),
        ));
    }
    let (first, last) = (or_dash(report.first_lsn), or_dash(report.last_lsn));
    Ok(format!(
        "ok findings={} segments={} records={} first={first} last={last} torn={}",
        report.findings.len(),
        report.segments,
        report.records,
        u8::from(report.torn_tail.is_some()),
    ))
}

fn repair(session: &mut Session, line: &Line<'_>) -> Answer {
    let report = check::repair(session.directory(line), line.yes("dry_run", false)?)?;
    for lost in &report.lost {
        session.lines.push(format!("lost first={} last={}", lost.first, lost.final_));
    }
    Ok(format!(
        "ok changed={} actions={} backup={}",
        u8::from(report.changed),
        u8::from(!report.actions.is_empty()),
        u8::from(report.backup.is_some()),
    ))
}
