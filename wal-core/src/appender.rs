//! Appending under options of its own.

use std::io::IoSlice;

use crate::append::{Batch, Submitted, Ticket};
use crate::error::Result;
use crate::log::Log;
use crate::lsn::{Lsn, LsnRange};
use crate::options::{AppendOptions, Level};

/// A log together with what its appends ask for; see [`Log::with`]. The calls are those of [`Log`].
pub struct Appender<'a> {
    log: &'a Log,
    options: AppendOptions,
}

impl<'a> Appender<'a> {
    pub(crate) fn new(log: &'a Log, options: AppendOptions) -> Appender<'a> {
        Appender { log, options }
    }

    /// Appends one record.
    ///
    /// When this returns, the record is at the level of the options, as with [`Log::append`].
    ///
    /// # Errors
    /// As [`Log::append`]; `WouldBlock` and `Timeout` as the options' `wait` says.
    pub fn append(&self, record: &[u8]) -> Result<Lsn> {
        let engine = self.log.writer()?;
        let batch = Batch::one(record, &engine.options)?;
        let submitted = engine.submit(&batch, &self.options, None)?;
        self.finish(submitted).map(|lsns| lsns.first)
    }

    /// Appends several records as one batch.
    ///
    /// When this returns, they are at the level of the options.
    ///
    /// # Errors
    /// As [`Log::append_batch`] and [`Appender::append`].
    pub fn append_batch<R: AsRef<[u8]>>(&self, records: &[R]) -> Result<LsnRange> {
        let submitted = self.submit_records(records)?;
        self.finish(submitted)
    }

    /// Appends one record that lies in several pieces.
    ///
    /// When this returns, the record is at the level of the options.
    ///
    /// # Errors
    /// As [`Appender::append`].
    pub fn append_vectored(&self, pieces: &[IoSlice<'_>]) -> Result<Lsn> {
        let engine = self.log.writer()?;
        let pieces: Vec<&[u8]> = pieces.iter().map(|piece| &**piece).collect();
        let batch = Batch::pieces(&pieces, &engine.options)?;
        let submitted = engine.submit(&batch, &self.options, None)?;
        self.finish(submitted).map(|lsns| lsns.first)
    }

    /// Appends one record if the next LSN is `expected`.
    ///
    /// When this returns `Ok`, the record is at the level of the options.
    ///
    /// # Errors
    /// As [`Log::append_at`] and [`Appender::append`].
    pub fn append_at(&self, expected: Lsn, record: &[u8]) -> Result<Lsn> {
        let engine = self.log.writer()?;
        let batch = Batch::one(record, &engine.options)?;
        let submitted = engine.submit(&batch, &self.options, Some(expected))?;
        self.finish(submitted).map(|lsns| lsns.first)
    }

    /// Hands one record to the engine.
    ///
    /// When this returns, the record has its LSN; when its ticket is done, it is at the level of
    /// the options.
    ///
    /// # Errors
    /// As [`Log::submit`] and [`Appender::append`].
    pub fn submit(&self, record: &[u8]) -> Result<Ticket> {
        let engine = self.log.writer()?;
        let batch = Batch::one(record, &engine.options)?;
        let submitted = engine.submit(&batch, &self.options, None)?;
        engine.push_along(&submitted);
        Ok(Ticket::new(engine.clone(), submitted))
    }

    /// Hands a batch to the engine.
    ///
    /// When this returns, the records have their LSNs; when the ticket is done, they are at the
    /// level of the options.
    ///
    /// # Errors
    /// As [`Appender::submit`] and [`Log::append_batch`].
    pub fn submit_batch<R: AsRef<[u8]>>(&self, records: &[R]) -> Result<Ticket> {
        let submitted = self.submit_records(records)?;
        let engine = self.log.writer()?;
        engine.push_along(&submitted);
        Ok(Ticket::new(engine.clone(), submitted))
    }

    fn submit_records<R: AsRef<[u8]>>(&self, records: &[R]) -> Result<Submitted> {
        let engine = self.log.writer()?;
        // The caller's `as_ref` runs here, once for each record, and never again.
        let records: Vec<&[u8]> = records.iter().map(AsRef::as_ref).collect();
        let batch = Batch::many(&records, &engine.options)?;
        engine.submit(&batch, &self.options, None)
    }

    /// Waits for what was submitted, as far as its level asks for it.
    fn finish(&self, submitted: Submitted) -> Result<LsnRange> {
        let engine = self.log.writer()?;
        if submitted.level == Level::Buffered {
            engine.push_along(&submitted);
        } else {
            engine.wait(submitted.bound, Some(submitted.incarnation), None)?;
        }
        Ok(submitted.lsns())
    }
}
