//! Being told when records are durable.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use wal_core::{Log, Lsn, Notifier};

use super::answer::{Answer, Trouble};
use super::session::Session;
use crate::scenario::Line;

/// Takes the line if its operation is one of these.
pub(super) fn take(session: &mut Session, line: &Line<'_>) -> Option<Answer> {
    Some(match line.name {
        "on_durable" => on_durable(session, line),
        "notifier" => notifier(session, line),
        _ => return None,
    })
}

fn on_durable(session: &mut Session, line: &Line<'_>) -> Answer {
    let (log, records) = (session.log(line)?, line.many_bytes("records")?);
    let (sender, receiver) = mpsc::channel();
    // Nobody listens any more once the last one was told of.
    let subscription = log.on_durable(move |news| drop(sender.send(news)))?;
    let last = submit_each(&log, &records)?;
    let until = Instant::now() + PATIENCE;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let news = receiver.recv_timeout(left).map_err(|_| "was told of nothing".to_owned())??;
        if news >= last {
            drop(subscription);
            return Ok(format!("ok durable={news}"));
        }
    }
}

fn notifier(session: &mut Session, line: &Line<'_>) -> Answer {
    let (log, records) = (session.log(line)?, line.many_bytes("records")?);
    let notifier = log.notifier()?;
    let last = submit_each(&log, &records)?;
    loop {
        if !becomes_readable(&notifier) {
            return Err("the descriptor stays unreadable".to_owned().into());
        }
        if let Some(durable) = notifier.acknowledge()?.filter(|durable| *durable >= last) {
            return Ok(format!("ok durable={durable}"));
        }
    }
}

fn submit_each(log: &Log, records: &[Vec<u8>]) -> Result<Lsn, Trouble> {
    let mut last = None;
    for record in records {
        last = Some(log.submit(record)?.lsn());
    }
    last.ok_or_else(|| "has no records".to_owned().into())
}

fn becomes_readable(notifier: &Notifier) -> bool {
    let bell = notifier.fd();
    let mut descriptors = [PollFd::new(&bell, PollFlags::IN)];
    let patience = Timespec { tv_sec: PATIENCE.as_secs() as i64, tv_nsec: 0 };
    poll(&mut descriptors, Some(&patience)).is_ok_and(|ready| ready == 1)
}

const PATIENCE: Duration = Duration::from_secs(10);
