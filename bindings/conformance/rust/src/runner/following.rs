//! Waiting at the tail.

use std::thread;
use std::time::Duration;

use wal_core::{Error, Follower, Record};

use super::answer::{Answer, Trouble, record_line, step_line};
use super::reading::position;
use super::session::Session;
use crate::scenario::Line;

/// Takes the line if its operation is one of these.
pub(super) fn take(session: &mut Session, line: &Line<'_>) -> Option<Answer> {
    Some(match line.name {
        "follow" => follow(session, line),
        "follow_next" => follow_next(session, line),
        "follow_seek" => follow_seek(session, line),
        "follow_live" => follow_live(session, line),
        "follow_until_closed" => follow_until_closed(session, line),
        _ => return None,
    })
}

fn follow(session: &mut Session, line: &Line<'_>) -> Answer {
    let name = line.optional("follower").unwrap_or("follower");
    let mut follower = session.log(line)?.follow(position(line, "from")?)?;
    let answer = format!("ok next={}", follower.cursor().next_lsn());
    session.followers.insert(name.to_owned(), follower);
    Ok(answer)
}

fn follow_next(session: &mut Session, line: &Line<'_>) -> Answer {
    let timeout = Duration::from_millis(line.number("timeout_ms")?);
    let record = session.follower(line)?.next_timeout(timeout)?;
    Ok(match record {
        Some(record) => step_line(Some(record)),
        None => "error timeout".to_owned(),
    })
}

fn follow_seek(session: &mut Session, line: &Line<'_>) -> Answer {
    let cursor = session.follower(line)?.cursor();
    cursor.seek(position(line, "to")?)?;
    Ok(format!("ok next={}", cursor.next_lsn()))
}

fn follow_live(session: &mut Session, line: &Line<'_>) -> Answer {
    let (log, records) = (session.log(line)?, line.many_bytes("records")?);
    let mut follower = log.follow(position(line, "from")?)?;
    let wanted = records.len();
    let waiting = thread::spawn(move || -> Result<Vec<Record>, Error> {
        (0..wanted).map(|_| follower.next()).collect()
    });
    for record in &records {
        thread::sleep(PAUSE);
        log.append(record)?;
    }
    let followed = joined(waiting)??;
    session.lines.extend(followed.iter().map(record_line));
    Ok(format!("ok count={}", followed.len()))
}

fn follow_until_closed(session: &mut Session, line: &Line<'_>) -> Answer {
    let log = session.log(line)?;
    let follower = log.follow(position(line, "from")?)?;
    let waiting = thread::spawn(move || until_the_end(follower));
    thread::sleep(PAUSE);
    log.close()?;
    let (lines, end) = joined(waiting)?;
    session.lines.extend(lines);
    Err(end.into())
}

fn until_the_end(mut follower: Follower) -> (Vec<String>, Error) {
    let mut lines = Vec::new();
    loop {
        match follower.next() {
            Ok(record) => lines.push(record_line(&record)),
            Err(error) => return (lines, error),
        }
    }
}

fn joined<T>(thread: thread::JoinHandle<T>) -> Result<T, Trouble> {
    thread.join().map_err(|_| "the thread of the follower died".to_owned().into())
}

/// Long enough for the follower to be waiting.
const PAUSE: Duration = Duration::from_millis(20);
