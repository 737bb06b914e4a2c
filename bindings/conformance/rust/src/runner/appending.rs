//! Appending, and waiting for it.

use std::future::Future;
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use wal_core::{AppendOptions, ErrorKind, Log, LsnRange, Wait, packed};

use super::answer::{Answer, lsn, or_dash, time_of};
use super::opening::level;
use super::session::Session;
use crate::scenario::Line;

/// Takes the line if its operation is one of these.
pub(super) fn take(session: &mut Session, line: &Line<'_>) -> Option<Answer> {
    Some(match line.name {
        "append" => append(session, line),
        "append_batch" => append_batch(session, line),
        "append_packed" => append_packed(session, line),
        "append_vectored" => append_vectored(session, line),
        "append_at" => append_at(session, line),
        "submit" | "submit_batch" => submit(session, line),
        "wait" => wait(session, line),
        "append_async" => append_async(session, line),
        "wait_durable" => wait_durable(session, line),
        "sync" => sync(session, line),
        "lsns" => lsns(session, line),
        _ => return None,
    })
}

fn append(session: &mut Session, line: &Line<'_>) -> Answer {
    let (log, record) = (session.log(line)?, line.bytes("record")?);
    let lsn = log.with(options(line)?).append(&record)?;
    Ok(format!("ok lsn={lsn}"))
}

fn append_batch(session: &mut Session, line: &Line<'_>) -> Answer {
    let (log, records) = (session.log(line)?, line.many_bytes("records")?);
    let lsns = log.with(options(line)?).append_batch(&records)?;
    Ok(range_line(lsns))
}

fn append_packed(session: &mut Session, line: &Line<'_>) -> Answer {
    let (log, records) = (session.log(line)?, line.many_bytes("records")?);
    let bytes: usize = records.iter().filter_map(|record| packed::packed_bytes(record.len())).sum();
    let mut memory = vec![MaybeUninit::uninit(); bytes];
    let mut packer = packed::Packer::new(&mut memory);
    if !records.iter().all(|record| packer.push(0, false, record)) {
        return Err("has records that cannot be packed".to_owned().into());
    }
    let lsns = log.append_batch(&packed::unpack(packer.filled())?)?;
    Ok(range_line(lsns))
}

fn append_vectored(session: &mut Session, line: &Line<'_>) -> Answer {
    let (log, pieces) = (session.log(line)?, line.many_bytes("pieces")?);
    let pieces: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
    Ok(format!("ok lsn={}", log.append_vectored(&pieces)?))
}

fn append_at(session: &mut Session, line: &Line<'_>) -> Answer {
    let (log, record) = (session.log(line)?, line.bytes("record")?);
    let lsn = log.append_at(lsn(line.number("lsn")?)?, &record)?;
    Ok(format!("ok lsn={lsn}"))
}

fn submit(session: &mut Session, line: &Line<'_>) -> Answer {
    let (log, ticket) = (session.log(line)?, line.optional("ticket").unwrap_or("ticket"));
    let appender = log.with(options(line)?);
    let submitted = match line.name {
        "submit" => appender.submit(&line.bytes("record")?),
        _ => appender.submit_batch(&line.many_bytes("records")?),
    };
    session.tickets.insert(ticket.to_owned(), submitted);
    Ok("ok".to_owned())
}

fn wait(session: &mut Session, line: &Line<'_>) -> Answer {
    let name = line.optional("ticket").unwrap_or("ticket");
    let timeout = line.parsed("timeout_ms")?.map(Duration::from_millis);
    let ticket = session.tickets.get(name).ok_or_else(|| format!("no ticket {name}"))?;
    let outcome = ticket.as_ref().map_err(Clone::clone).and_then(|ticket| match timeout {
        Some(timeout) => ticket.wait_timeout(timeout),
        None => ticket.wait(),
    });
    if !matches!(&outcome, Err(error) if error.kind() == ErrorKind::Timeout) {
        session.tickets.remove(name);
    }
    Ok(range_line(outcome?))
}

fn append_async(session: &mut Session, line: &Line<'_>) -> Answer {
    let (log, records) = (session.log(line)?, line.many_bytes("records")?);
    let tickets: Result<Vec<_>, _> = records.iter().map(|record| log.submit(record)).collect();
    let mut lsns = Vec::new();
    for ticket in tickets? {
        lsns.push(block_on(ticket)?.first.to_string());
    }
    Ok(format!("ok lsns={}", lsns.join(",")))
}

fn wait_durable(session: &mut Session, line: &Line<'_>) -> Answer {
    let timeout = line.parsed("timeout_ms")?.map(Duration::from_millis);
    session.log(line)?.wait_durable(lsn(line.number("lsn")?)?, timeout)?;
    Ok("ok".to_owned())
}

fn sync(session: &mut Session, line: &Line<'_>) -> Answer {
    Ok(format!("ok durable={}", or_dash(session.log(line)?.sync()?)))
}

fn lsns(session: &mut Session, line: &Line<'_>) -> Answer {
    let log: Log = session.log(line)?;
    let marks = [
        ("first", log.first_lsn()),
        ("last", log.last_lsn()),
        ("durable", log.durable_lsn()),
        ("written", log.written_lsn()),
        ("submitted", log.submitted_lsn()),
        ("next", Some(log.next_lsn())),
    ];
    let words: Vec<String> =
        marks.into_iter().map(|(name, mark)| format!("{name}={}", or_dash(mark))).collect();
    Ok(format!("ok {}", words.join(" ")))
}

/// What an append asks for beyond the log's options.
fn options(line: &Line<'_>) -> Result<AppendOptions, String> {
    let wait = match line.optional("wait") {
        None | Some("block") => Wait::Block,
        Some("try") => Wait::Try,
        Some(_) => Wait::AtMost(Duration::from_millis(line.number("wait")?)),
    };
    Ok(AppendOptions { level: level(line)?, wait, time: line.parsed("time")?.map(time_of) })
}

fn range_line(lsns: LsnRange) -> String {
    format!("ok first={} last={}", lsns.first, lsns.final_)
}

/// Awaits on this thread.
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
