//! `wal info`: what a log is made of.

use std::path::PathBuf;

use serde::Serialize;
use wal_core::check::{self, Info};
use wal_core::{Cut, SegmentStats};

use crate::failure::{Failure, require_directory};
use crate::output::Output;
use crate::picture::{draw, format_uuid};
use crate::times::format_time;

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The log's directory.
    dir: PathBuf,
    /// Print a JSON object instead; its keys are documented and stay.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub fn run(args: Args) -> Result<(), Failure> {
    require_directory(&args.dir)?;
    let info = check::info(&args.dir)?;
    let mut output = Output::stdout();
    if args.json {
        output.json(&InfoJson::of(&info))?;
    } else {
        for line in draw(&info) {
            output.line(&line)?;
        }
    }
    output.flush()
}

#[derive(Serialize)]
struct InfoJson {
    uuid: String,
    epoch: u64,
    clean: bool,
    writer_alive: bool,
    first_lsn: Option<u64>,
    last_lsn: Option<u64>,
    next_lsn: u64,
    durable_through: PlaceJson,
    first_time: Option<String>,
    last_time: Option<String>,
    segments: Vec<SegmentJson>,
    spares: u64,
    values: u64,
    disk_bytes: u64,
    valid_bytes: u64,
    recovery: RecoveryJson,
}

#[derive(Serialize)]
struct PlaceJson {
    segment: u64,
    offset: u64,
}

#[derive(Serialize)]
struct SegmentJson {
    id: u64,
    first_lsn: u64,
    last_lsn: Option<u64>,
    end_offset: u64,
    file_bytes: u64,
    sealed: bool,
    epoch: u64,
    created: String,
}

#[derive(Serialize)]
struct RecoveryJson {
    case: String,
    cut: Option<CutJson>,
    notes: Vec<String>,
}

/// A torn tail, in `info` as in `verify`.
#[derive(Serialize)]
pub struct CutJson {
    segment: u64,
    offset: u64,
    bytes: u64,
    reason: String,
}

impl CutJson {
    /// The cut's place, size and reason.
    pub fn of(cut: &Cut) -> CutJson {
        CutJson {
            segment: cut.place.segment.0,
            offset: cut.place.offset.0,
            bytes: cut.bytes,
            reason: cut.reason.clone(),
        }
    }
}

impl InfoJson {
    fn of(info: &Info) -> InfoJson {
        InfoJson {
            uuid: format_uuid(&info.uuid),
            epoch: info.epoch,
            clean: info.clean,
            writer_alive: info.writer_alive,
            first_lsn: info.first_lsn.map(|lsn| lsn.get()),
            last_lsn: info.last_lsn.map(|lsn| lsn.get()),
            next_lsn: info.next_lsn.get(),
            durable_through: PlaceJson {
                segment: info.durable_through.segment.0,
                offset: info.durable_through.offset.0,
            },
            first_time: info.first_time.map(format_time),
            last_time: info.last_time.map(format_time),
            segments: info.segments.iter().map(SegmentJson::of).collect(),
            spares: info.spares,
            values: info.values,
            disk_bytes: info.disk_bytes,
            valid_bytes: info.valid_bytes,
            recovery: RecoveryJson {
                case: info.recovery.case.to_string(),
                cut: info.recovery.cut.as_ref().map(CutJson::of),
                notes: info.recovery.notes.clone(),
            },
        }
    }
}

impl SegmentJson {
    fn of(segment: &SegmentStats) -> SegmentJson {
        SegmentJson {
            id: segment.id.0,
            first_lsn: segment.first_lsn.get(),
            last_lsn: segment.last_lsn.map(|lsn| lsn.get()),
            end_offset: segment.end.0,
            file_bytes: segment.file_bytes,
            sealed: segment.sealed,
            epoch: segment.epoch,
            created: format_time(segment.created),
        }
    }
}
