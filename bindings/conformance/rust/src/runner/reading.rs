//! Reading: by LSN, by cursor, by replay.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU32, Ordering};

use wal_core::{Error, Lsn, Position, ReplayOptions};

use super::answer::{Answer, Trouble, lsn, nanoseconds, or_dash, record_line, step_line, time_of};
use super::session::Session;
use crate::literal::print_bytes;
use crate::scenario::Line;

/// Takes the line if its operation is one of these.
pub(super) fn take(session: &mut Session, line: &Line<'_>) -> Option<Answer> {
    Some(match line.name {
        "read" => read(session, line),
        "read_many" => read_many(session, line),
        "time_of" => time_of_record(session, line),
        "cursor" => open_cursor(session, line),
        "next" | "prev" | "seek" | "seek_time" | "cursor_time" => step(session, line),
        "read_batch" => read_batch(session, line),
        "iterate" => iterate(session, line),
        "digest" => digest(session, line),
        "replay" => replay(session, line),
        "replay_parallel" => replay_parallel(session, line),
        _ => return None,
    })
}

fn read(session: &mut Session, line: &Line<'_>) -> Answer {
    let record = session.log(line)?.read(lsn(line.number("lsn")?)?)?;
    Ok(format!("ok lsn={} bytes={}", record.lsn(), print_bytes(&record)))
}

fn read_many(session: &mut Session, line: &Line<'_>) -> Answer {
    let log = session.log(line)?;
    let numbers = line.items("lsns")?;
    let wrong = |_| "lsns= are numbers".to_owned();
    let lsns: Vec<Lsn> = numbers
        .into_iter()
        .map(|number| lsn(number.parse().map_err(wrong)?))
        .collect::<Result<_, Trouble>>()?;
    let count = log.read_many(&lsns, |record| {
        session.lines.push(record_line(record));
        Ok::<_, Error>(ControlFlow::Continue(()))
    })?;
    Ok(format!("ok count={count}"))
}

fn time_of_record(session: &mut Session, line: &Line<'_>) -> Answer {
    let time = session.log(line)?.time_of(lsn(line.number("lsn")?)?)?;
    Ok(format!("ok time={}", nanoseconds(time)))
}

/// A position that must be there.
pub(super) fn position(line: &Line<'_>, key: &str) -> Result<Position, Trouble> {
    let wrong = || format!("{key}= is no position");
    Ok(match line.word(key)? {
        "first" => Position::First,
        "end" => Position::End,
        word => match word.strip_prefix("time:") {
            Some(time) => Position::Time(time_of(time.parse().map_err(|_| wrong())?)),
            None => Position::At(lsn(word.parse().map_err(|_| wrong())?)?),
        },
    })
}

fn open_cursor(session: &mut Session, line: &Line<'_>) -> Answer {
    let name = line.optional("cursor").unwrap_or("cursor");
    let cursor = session.log(line)?.cursor(position(line, "from")?)?;
    let answer = format!("ok next={}", cursor.next_lsn());
    session.cursors.insert(name.to_owned(), cursor);
    Ok(answer)
}

fn step(session: &mut Session, line: &Line<'_>) -> Answer {
    let cursor = session.cursor(line)?;
    match line.name {
        "next" => return Ok(step_line(cursor.next()?)),
        "prev" => return Ok(step_line(cursor.prev()?)),
        "cursor_time" => return Ok(format!("ok time={}", nanoseconds(cursor.time()?))),
        "seek" => cursor.seek(position(line, "to")?)?,
        _ => cursor.seek_time(time_of(line.number("time")?))?,
    }
    Ok(format!("ok next={}", cursor.next_lsn()))
}

fn read_batch(session: &mut Session, line: &Line<'_>) -> Answer {
    let wanted: usize = line.number("count")?;
    let cursor = session.cursor(line)?;
    let mut lines = Vec::new();
    while lines.len() < wanted {
        match cursor.next() {
            Ok(Some(record)) => lines.push(record_line(&record)),
            Ok(None) => break,
            // A batch read tells of trouble when no record comes before it.
            Err(_) if !lines.is_empty() => break,
            Err(error) => return Err(error.into()),
        }
    }
    let answer = format!("ok count={} next={}", lines.len(), cursor.next_lsn());
    session.lines = lines;
    Ok(answer)
}

fn iterate(session: &mut Session, line: &Line<'_>) -> Answer {
    for record in session.log(line)?.cursor(position(line, "from")?)? {
        session.lines.push(record_line(&record?));
    }
    Ok(format!("ok count={}", session.lines.len()))
}

fn digest(session: &mut Session, line: &Line<'_>) -> Answer {
    let (mut first, mut last, mut count) = (None, None, 0u64);
    let mut crc = crc32fast::Hasher::new();
    for record in session.log(line)?.cursor(position(line, "from")?)? {
        let record = record?;
        first.get_or_insert(record.lsn());
        last = Some(record.lsn());
        count += 1;
        crc.update(&record);
    }
    let (first, last) = (or_dash(first), or_dash(last));
    Ok(format!("ok first={first} last={last} count={count} crc={:08x}", crc.finalize()))
}

fn replay(session: &mut Session, line: &Line<'_>) -> Answer {
    let (log, stop) = (session.log(line)?, line.parsed::<u64>("stop")?);
    let last = log.replay(position(line, "from")?, |record| {
        session.lines.push(record_line(record));
        Ok::<_, Error>(match Some(record.lsn().get()) == stop {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        })
    })?;
    Ok(format!("ok last={}", or_dash(last)))
}

fn replay_parallel(session: &mut Session, line: &Line<'_>) -> Answer {
    let options =
        ReplayOptions { threads: line.number("threads")?, in_order: line.yes("in_order", true)? };
    let sum = AtomicU32::new(0);
    let from = position(line, "from")?;
    let count = session.log(line)?.replay_parallel(from, options, |record| {
        sum.fetch_add(crc32fast::hash(record), Ordering::Relaxed);
        Ok::<_, Error>(ControlFlow::Continue(()))
    })?;
    Ok(format!("ok count={count} sum={}", sum.into_inner()))
}
