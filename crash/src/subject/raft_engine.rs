//! raft-engine: the logs of many Raft groups in one, of which this is a single one.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use protobuf::descriptor::UninterpretedOption;
use raft_engine::{Config, Engine, LogBatch, MessageExt, ReadableSize};

use super::panics::caught;
use super::{Failed, Opened, Subject, System, failed};

/// raft-engine with files small enough to rotate; every write is synced.
pub struct RaftEngine;

impl System for RaftEngine {
    fn name(&self) -> &'static str {
        "raft-engine"
    }

    fn version(&self) -> &'static str {
        "0.4.2"
    }

    fn open(&self, directory: &Path) -> Result<Opened, Failed> {
        let config = Config {
            dir: directory.to_str().ok_or_else(|| failed("the path is not UTF-8"))?.to_owned(),
            target_file_size: ReadableSize(FILE_BYTES),
            ..Config::default()
        };
        caught(|| {
            let engine = Engine::open(config).map_err(failed)?;
            let end = engine.last_index(GROUP).map_or(1, |last| last + 1);
            let first = engine.first_index(GROUP).unwrap_or(end);
            let mut entries = Vec::new();
            if first < end {
                engine
                    .fetch_entries_to::<Record>(GROUP, first, end, None, &mut entries)
                    .map_err(failed)?;
            }
            let found = entries.iter_mut().map(UninterpretedOption::take_string_value).collect();
            Ok((Box::new(Open { engine, next: Mutex::new(end) }) as Box<dyn Subject>, found))
        })
    }
}

struct Open {
    engine: Engine,
    /// The index of the next entry: those of a group have to follow each other.
    next: Mutex<u64>,
}

impl Subject for Open {
    fn append(&self, record: &[u8]) -> Result<(), Failed> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        caught(|| {
            let mut entry = UninterpretedOption::new();
            entry.set_positive_int_value(*next);
            entry.set_string_value(record.to_vec());
            let mut batch = LogBatch::default();
            batch.add_entries::<Record>(GROUP, &[entry]).map_err(failed)?;
            self.engine.write(&mut batch, true).map_err(failed)?;
            *next += 1;
            Ok(())
        })
    }

    fn close(self: Box<Self>) -> Result<(), Failed> {
        caught(|| {
            drop(self.engine);
            Ok(())
        })
    }
}

/// A record is a message with a number and bytes, like the entry of a Raft log; this one comes
/// with the crate of the messages.
struct Record;

impl MessageExt for Record {
    type Entry = UninterpretedOption;

    fn index(entry: &UninterpretedOption) -> u64 {
        entry.get_positive_int_value()
    }
}

const GROUP: u64 = 1;

const FILE_BYTES: u64 = 16 << 10;
