//! `wal-bench scale`: how cost grows, and the runs of 10 GB.

use crate::args::RunArgs;
use crate::campaign::{Campaign, Pace, Shape};
use crate::durations::Durations;
use crate::floor;
use crate::goals;
use crate::row::{self, Row};
use crate::summary;
use crate::systems;
use crate::table;
use crate::workload;

/// Measures every series, prints the table and writes the rows.
///
/// # Errors
/// A directory or file that cannot be written.
pub fn run(args: &RunArgs) -> Result<(), String> {
    let directory = args.directories.first().ok_or("no directory")?;
    let campaign = Campaign::new(directory, args, Pace::of_points(args), true)?;
    let label = campaign.mount.label();
    let mut durations = Durations::start();
    let mut rows = Vec::new();
    for series in SERIES {
        let step = if args.quick { QUICK_STEP } else { 1 };
        let points = || series.points.iter().step_by(step);
        rows.extend(durations.time(series.name, &label, || {
            points().flat_map(|point| measure(&campaign, series, *point)).collect::<Vec<Row>>()
        }));
    }
    let bytes = if args.quick { LARGE_QUICK } else { LARGE };
    rows.extend(large(&campaign, bytes, args, &mut durations));
    durations.time("removing logs", &label, || drop(campaign));
    summary::spread_not_durable(&mut rows);
    summary::set_apart_rare_syncs(&mut rows);
    summary::compare(&mut rows);
    row::write(&args.results, &rows)?;
    print!("{}\n{}", table::plain(&rows), goals::plain(&goals::judge(&rows)));
    println!("\n{} rows in {}", rows.len(), args.results.display());
    print!("\n{}", durations.plain());
    Ok(())
}

/// One chart: the figures of a workload as one thing about it grows.
pub struct Series {
    /// The name of the chart.
    pub name: &'static str,
    /// What grows, with its unit.
    pub axis: &'static str,
    /// What is measured.
    pub title: &'static str,
    /// What is drawn, each in a panel of its own.
    pub panels: &'static [Panel],
    workload: &'static str,
    points: &'static [u64],
    shape: fn(&mut Shape, u64),
    who: Who,
}

/// A figure of the rows of a series: its name with its unit, and where it is.
pub type Panel = (&'static str, fn(&Row) -> Option<f64>);

/// Which systems a series compares.
#[derive(Clone, Copy)]
enum Who {
    /// The floor, libwal and the peers.
    Everybody,
    /// The floor and libwal.
    Ours,
    /// libwal with the smallest segments.
    Segmented,
}

fn measure(campaign: &Campaign, series: &Series, point: u64) -> Vec<Row> {
    let Some(workload) = workload::by_name(series.workload) else { return Vec::new() };
    if !campaign.wants(workload) {
        return Vec::new();
    }
    let mut shape = Shape::of(workload, &campaign.pace());
    (series.shape)(&mut shape, point);
    let mut rows = campaign.measure(workload, shape, &series.who.names());
    for row in &mut rows {
        row.series = Some(series.name.to_owned());
        row.x = Some(point as f64);
    }
    rows
}

/// Opening, reading and memory with a log of this size, beside the small one. The large log is
/// filled once: it is opened and read as it was closed, and then its writer is killed.
fn large(campaign: &Campaign, bytes: u64, args: &RunArgs, durations: &mut Durations) -> Vec<Row> {
    let opens = args.rounds.unwrap_or(if args.quick { 1 } else { OPENS });
    // A virtual machine gets memory for its page cache as it first touches it, which is slow: the
    // median of three leaves that out.
    let replays = if args.quick { 1 } else { REPLAYS };
    let mut rows = Vec::new();
    for (name, is_large, rounds) in [
        ("P8-closed", false, opens),
        ("P8-closed-large", true, opens),
        ("P6-cold", true, replays),
        ("P8-killed", false, opens),
        ("P8-killed-large", true, opens),
        ("P9", true, 1),
    ] {
        let Some(workload) = workload::by_name(name).filter(|work| campaign.wants(work)) else {
            continue;
        };
        let shape = Shape::of(workload, &campaign.pace());
        let bytes = if is_large { bytes } else { shape.bytes };
        let shape = Shape { bytes, rounds: Some(rounds), ..shape };
        if !workload.reads_prepared() {
            campaign.forget_prepared();
        }
        rows.extend(durations.time(name, &campaign.mount.label(), || {
            campaign.measure(workload, shape, &Who::Ours.names())
        }));
    }
    rows
}

impl Who {
    fn names(self) -> Vec<String> {
        let mut names = vec![floor::NAMES[0].to_owned()];
        match self {
            Who::Ours => names.push("libwal".to_owned()),
            Who::Segmented => names = vec!["libwal (64 KiB segments)".to_owned()],
            Who::Everybody => {
                names.push("libwal".to_owned());
                names.extend(systems::peers().iter().map(|peer| peer.name().to_owned()));
            }
        }
        names
    }
}

const LARGE: u64 = 10_000_000_000;
const LARGE_QUICK: u64 = 500_000_000;
const REPLAYS: usize = 3;
const OPENS: usize = 5;
/// Of a quick run's points, every third is measured.
const QUICK_STEP: usize = 3;
const THREADS: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256];
const SIZES: &[u64] =
    &[16, 64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20];
const SEGMENTS: &[u64] = &[1, 10, 100, 1000, 10_000];
const FOLLOWERS: &[u64] = &[0, 1, 2, 4, 8, 16];
/// What fits into a segment of 64 KiB beside its headers, trailers and footer, nearly.
const SEGMENT_PAYLOAD_BYTES: u64 = 48 << 10;

const RECORDS: Panel = ("records per second", |row| row.ops_per_s);
const MEGABYTES: Panel = ("MB per second", |row| row.mb_per_s);
const SLOW: Panel = ("99th percentile of the latency, us", |row| row.p99_us);
const FOLLOWED: Panel = ("records followers were given per second", |row| row.followed_per_s);
const OPENED: &[Panel] = &[
    ("milliseconds to open, median", |row| row.p50_us.map(|us| us / 1000.0)),
    ("milliseconds to open, slowest", |row| row.max_us.map(|us| us / 1000.0)),
];

/// Every chart of growth.
pub const SERIES: &[Series] = &[
    Series {
        name: "threads",
        axis: "threads that wait for each record",
        title: "Durable appends of 256 bytes, by threads",
        panels: &[RECORDS, SLOW],
        workload: "P2",
        points: THREADS,
        shape: |shape, threads| shape.parallel = threads as usize,
        who: Who::Everybody,
    },
    Series {
        name: "size-waiting",
        axis: "bytes of a record",
        title: "Durable appends of one thread, by record size",
        panels: &[RECORDS, SLOW],
        workload: "P1",
        points: SIZES,
        shape: |shape, bytes| shape.record_bytes = bytes as usize,
        who: Who::Everybody,
    },
    Series {
        name: "size-pipelined",
        axis: "bytes of a record",
        title: "Pipelined durable appends, by record size",
        panels: &[RECORDS, MEGABYTES],
        workload: "P4",
        points: SIZES,
        shape: |shape, bytes| shape.record_bytes = bytes as usize,
        who: Who::Ours,
    },
    Series {
        name: "size-batches",
        axis: "bytes of a record",
        title: "Durable batches of 1 MiB, by record size",
        panels: &[RECORDS, MEGABYTES, ("99th percentile of a batch, us", |row| row.p99_us)],
        workload: "P4-batches",
        points: SIZES,
        shape: |shape, bytes| shape.record_bytes = bytes as usize,
        who: Who::Everybody,
    },
    Series {
        name: "segments-read",
        axis: "segments of 64 KiB in the log",
        title: "Random reads, by segments in the log",
        panels: &[RECORDS, SLOW],
        workload: "P7",
        points: SEGMENTS,
        shape: |shape, segments| shape.bytes = segments * SEGMENT_PAYLOAD_BYTES,
        who: Who::Segmented,
    },
    // What is read is appended to next, and then its writer is killed: one log for all three.
    Series {
        name: "segments-append",
        axis: "segments of 64 KiB in the log",
        title: "Durable appends of one thread, by segments in the log",
        panels: &[RECORDS, SLOW],
        workload: "P1",
        points: SEGMENTS,
        shape: |shape, segments| shape.filled = segments * SEGMENT_PAYLOAD_BYTES,
        who: Who::Segmented,
    },
    Series {
        name: "segments-open",
        axis: "segments of 64 KiB in the log",
        title: "Opening after a kill, cold, by segments in the log",
        panels: OPENED,
        workload: "P8-killed",
        points: SEGMENTS,
        shape: |shape, segments| shape.bytes = segments * SEGMENT_PAYLOAD_BYTES,
        who: Who::Segmented,
    },
    Series {
        name: "followers-waiting",
        axis: "followers that read beside the writer (left end: none)",
        title: "Durable appends of one thread, by followers",
        panels: &[RECORDS, SLOW, FOLLOWED],
        workload: "P1",
        points: FOLLOWERS,
        shape: |shape, followers| shape.followers = followers as usize,
        who: Who::Ours,
    },
    Series {
        name: "followers-pipelined",
        axis: "followers that read beside the writer (left end: none)",
        title: "Pipelined durable appends, by followers",
        panels: &[RECORDS, FOLLOWED],
        workload: "P4",
        points: FOLLOWERS,
        shape: |shape, followers| shape.followers = followers as usize,
        who: Who::Ours,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_series_measures_a_workload_there_is_and_has_a_name_of_its_own() {
        let mut names: Vec<_> = SERIES.iter().map(|series| series.name).collect();
        assert!(SERIES.iter().all(|series| workload::by_name(series.workload).is_some()));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SERIES.len());
    }
}
