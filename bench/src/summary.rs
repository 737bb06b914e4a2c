//! From samples to rows: medians of the rounds, then ratios between the rows.

use crate::floor;
use crate::log::System;
use crate::row::{Row, rounded};
use crate::sample::{Outcome, Sample};
use crate::sync_count::SyncCount;
use crate::systems;
use crate::task::Task;
use crate::workload::{self, Figure, Work, Workload};

/// The row of one system, from its rounds.
pub fn row(workload: &Workload, fs: &str, task: &Task, rounds: &[Outcome]) -> Row {
    let system = systems::by_name(&task.system);
    let samples: Vec<&Sample> = rounds
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Measured(sample) => Some(sample),
            _ => None,
        })
        .collect();
    let of = |figure: &dyn Fn(&Sample) -> Option<f64>| {
        let values: Option<Vec<f64>> = samples.iter().map(|sample| figure(sample)).collect();
        median(&values?)
    };
    let whole = |figure: &dyn Fn(&Sample) -> Option<u64>| {
        of(&|sample| figure(sample).map(|count| count as f64)).map(|value| value.round() as u64)
    };
    let per_second = |count: u64, sample: &Sample| Some(count as f64 / sample.seconds);
    let is_opening = matches!(workload.work, Work::OpenClosed | Work::OpenKilled | Work::Idle);
    Row {
        id: workload.id.to_owned(),
        workload: workload.title.to_owned(),
        name: workload.name.to_owned(),
        fs: fs.to_owned(),
        system: task.system.clone(),
        size: task.record_bytes as u64,
        threads: task.parallel as u64,
        ops_per_s: of(&|sample| per_second(sample.ops, sample)).map(rounded),
        mb_per_s: of(&|sample| per_second(sample.bytes, sample))
            .filter(|_| !is_opening)
            .map(|bytes| rounded(bytes / 1e6)),
        p50_us: of(&|sample| sample.p50_us).map(rounded),
        p99_us: of(&|sample| sample.p99_us).map(rounded),
        p999_us: of(&|sample| sample.p999_us).map(rounded),
        max_us: samples.iter().filter_map(|s| s.max_us).reduce(f64::max).map(rounded),
        cpu_us_per_op: of(&|sample| Some(sample.cpu_us / sample.ops as f64)).map(rounded),
        syncs: whole(&|sample| sample.syncs),
        syncs_per_op: of(&|s| Some(s.syncs? as f64 / s.ops as f64)).map(rounded),
        journal_commits: whole(&|sample| sample.journal_commits),
        followed_per_s: of(&|sample| sample.followed_per_s).map(rounded),
        disk_bytes_per_record: of(&|s| Some(s.disk_bytes? as f64 / s.ops as f64)).map(rounded),
        rss_bytes: whole(&|sample| sample.rss_bytes),
        rss_half_bytes: whole(&|sample| sample.rss_half_bytes),
        os_threads: whole(&|sample| sample.os_threads),
        descriptors: whole(&|sample| sample.descriptors),
        log_bytes: has_size(workload.work).then_some(task.bytes),
        rounds: samples.len() as u64,
        figures: samples.iter().filter_map(|s| compared(workload, s)).map(rounded).collect(),
        is_peer: !floor::NAMES.contains(&task.system.as_str())
            && !task.system.starts_with("libwal"),
        version: system.as_ref().map(|system| system.version().to_owned()),
        apart: not_durable(workload, system.as_deref()),
        note: note(rounds),
        ..Row::default()
    }
}

/// Adds what a traced run counted, where the rounds themselves could not count.
pub fn add_syncs(row: &mut Row, workload: &Workload, count: Option<SyncCount>) {
    let Some(SyncCount { ops, syncs }) = count else { return };
    if row.syncs.is_none() {
        row.syncs = Some(syncs);
        row.syncs_per_op = Some(rounded(syncs as f64 / ops as f64));
    }
    // One appender that waits for each record needs a sync for each.
    let is_one_each = workload.work == Work::Waiting && row.threads == 1;
    if is_one_each && row.is_peer && row.apart.is_none() && syncs * 10 < ops * 9 {
        let text = format!("the tracer saw {syncs} syncs for {ops} waiting appends");
        row.apart = Some(text);
    }
}

/// What the tracer found out about a peer's single appends holds for all its durable ones.
pub fn spread_not_durable(rows: &mut [Row]) {
    let found: Vec<(String, String)> =
        rows.iter().filter_map(|row| Some((row.system.clone(), row.apart.clone()?))).collect();
    for row in rows {
        let is_durable = workload::by_name(&row.name).is_some_and(Workload::is_durable);
        if let Some((_, why)) = found.iter().find(|(system, _)| *system == row.system) {
            row.apart = is_durable.then(|| why.clone());
        }
    }
}

/// A pipeline that syncs once in a while only, or at its end, makes nothing durable on its way.
/// Such a peer is compared by its batches.
pub fn set_apart_rare_syncs(rows: &mut [Row]) {
    for row in rows.iter_mut().filter(|row| row.is_peer && row.apart.is_none()) {
        let is_pipeline =
            workload::by_name(&row.name).is_some_and(|workload| workload.work == Work::Pipelined);
        let Some(syncs_per_op) = row.syncs_per_op.filter(|_| is_pipeline) else { continue };
        if row.size as f64 > syncs_per_op * BYTES_PER_SYNC_MAX {
            row.apart = Some(RARE_SYNCS.to_owned());
        }
    }
}

/// Fills in how each row compares with the floor and with the best peer of its kind.
pub fn compare(rows: &mut [Row]) {
    let scores: Vec<Option<f64>> = rows.iter().map(score).collect();
    let rounds: Vec<Vec<f64>> = rows.iter().map(scores_of_rounds).collect();
    for at in 0..rows.len() {
        let Some(own) = scores[at] else { continue };
        let alike = |other: &usize| is_comparable(&rows[at], &rows[*other]);
        let floor = (0..rows.len())
            .filter(alike)
            .find(|&other| rows[other].system == "floor" && rows[other].name == rows[at].name);
        let peers = (0..rows.len())
            .filter(alike)
            .filter(|&other| rows[other].is_peer && (rows[other].apart.is_none()));
        let scored = peers.filter_map(|peer| Some((peer, scores[peer]?)));
        let best = scored.max_by(|(_, one), (_, other)| one.total_cmp(other));
        let name = best.map(|(peer, _)| match rows[peer].name == rows[at].name {
            true => rows[peer].system.clone(),
            false => format!("{} ({})", rows[peer].system, rows[peer].name),
        });
        let floor = floor.and_then(|floor| Some((floor, scores[floor]?)));
        let range = |rival: Option<(usize, f64)>| range(&rounds[at], &rounds[rival?.0]);
        let ratio = |rival: Option<(usize, f64)>| Some(rounded(own / rival?.1));
        let row = &mut rows[at];
        (row.ratio_floor, row.ratio_floor_range) = (ratio(floor), range(floor));
        (row.ratio_best_peer, row.ratio_best_peer_range) = (ratio(best), range(best));
        row.best_peer = name;
    }
}

/// The least and the most of the quotients of figures of the same round; one round has no range.
pub fn range(own: &[f64], other: &[f64]) -> Option<[f64; 2]> {
    let quotients = || own.iter().zip(other).map(|(own, other)| own / other);
    let least = quotients().reduce(f64::min).filter(|_| quotients().count() > 1)?;
    Some([rounded(least), rounded(quotients().reduce(f64::max)?)])
}

/// The middle value, or the mean of the two in the middle; none of none.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    match sorted.len() % 2 {
        1 => Some(upper),
        _ => Some((sorted[sorted.len() / 2 - 1] + upper) / 2.0),
    }
}

/// The figure that is compared, turned so that more is better.
pub fn score(row: &Row) -> Option<f64> {
    let figure = workload::by_name(&row.name)?.figure;
    let less_is_better = |value: f64| (value > 0.0).then(|| 1.0 / value);
    match figure {
        Figure::Rate => row.ops_per_s,
        Figure::Latency => row.p50_us.and_then(less_is_better),
        Figure::Memory => row.rss_bytes.and_then(|bytes| less_is_better(bytes as f64)),
        Figure::Disk => row.disk_bytes_per_record.and_then(less_is_better),
    }
}

/// The same for each round.
fn scores_of_rounds(row: &Row) -> Vec<f64> {
    match workload::by_name(&row.name).map(|workload| workload.figure) {
        Some(Figure::Rate) => row.figures.clone(),
        _ => row.figures.iter().map(|value| 1.0 / value.max(f64::MIN_POSITIVE)).collect(),
    }
}

fn compared(workload: &Workload, sample: &Sample) -> Option<f64> {
    match workload.figure {
        Figure::Rate => Some(sample.ops as f64 / sample.seconds),
        Figure::Latency => sample.p50_us,
        Figure::Memory => sample.rss_bytes.map(|bytes| bytes as f64),
        Figure::Disk => Some(sample.disk_bytes? as f64 / sample.ops as f64),
    }
}

fn is_comparable(one: &Row, other: &Row) -> bool {
    let rivals = |row: &Row| workload::by_name(&row.name).map(Workload::rivals);
    rivals(one) == rivals(other)
        && (&one.fs, one.size, one.threads, one.log_bytes, &one.series)
            == (&other.fs, other.size, other.threads, other.log_bytes, &other.series)
}

fn has_size(work: Work) -> bool {
    use Work::{Disk, Memory, OpenClosed, OpenKilled, RandomRead, ReplayCold, ReplayWarm};
    matches!(work, ReplayWarm | ReplayCold | RandomRead | OpenClosed | OpenKilled | Memory | Disk)
}

fn not_durable(workload: &Workload, system: Option<&dyn System>) -> Option<String> {
    let why = system?.is_not_durable()?;
    workload.is_durable().then(|| why.to_owned())
}

fn note(rounds: &[Outcome]) -> Option<String> {
    rounds.iter().find_map(|outcome| match outcome {
        Outcome::Measured(_) => None,
        Outcome::Unsupported(why) => Some(format!("cannot: {why}")),
        Outcome::Failed(text) => Some(format!("failed: {text}")),
    })
}

const BYTES_PER_SYNC_MAX: f64 = 16.0 * 1048576.0;
const RARE_SYNCS: &str =
    "less than one sync for 16 MiB, so nothing is durable on the way: compared by its batches";

#[cfg(test)]
mod tests {
    use super::*;

    fn row_of(name: &str, system: &str, ops_per_s: f64, p50_us: f64) -> Row {
        Row {
            name: name.into(),
            system: system.into(),
            ops_per_s: Some(ops_per_s),
            p50_us: Some(p50_us),
            is_peer: system.starts_with("peer"),
            ..Row::default()
        }
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[9.0, 1.0, 3.0]), Some(3.0));
        assert_eq!(median(&[4.0, 1.0, 3.0, 100.0]), Some(3.5));
    }

    #[test]
    fn above_one_is_better_also_where_less_is_better() {
        let mut rows = vec![
            row_of("P1", "floor", 10_000.0, 100.0),
            row_of("P1", "libwal", 9_000.0, 110.0),
            row_of("P1", "peer a", 5_000.0, 220.0),
            row_of("P1", "peer b", 4_000.0, 440.0),
        ];
        compare(&mut rows);
        assert_eq!((rows[1].ratio_floor, rows[1].ratio_best_peer), (Some(0.9091), Some(2.0)));
        assert_eq!((rows[3].ratio_floor, rows[3].ratio_best_peer), (Some(0.2273), Some(0.5)));
    }

    #[test]
    fn batches_and_pipelines_share_their_best_peer_but_not_other_file_systems_or_threads() {
        let mut other_fs = row_of("P4", "peer c", 99e6, 1.0);
        other_fs.fs = "xfs".into();
        let mut other_threads = row_of("P4", "peer c", 99e6, 1.0);
        other_threads.threads = 2;
        let mut rows = vec![
            row_of("P4", "libwal", 9e6, 1.0),
            row_of("P4", "peer a", 1e6, 1.0),
            row_of("P4-batches", "peer a", 3e6, 1.0),
            other_fs,
            other_threads,
        ];
        compare(&mut rows);
        assert_eq!(rows[0].ratio_best_peer, Some(3.0));
        assert_eq!(rows[0].ratio_floor, None);
    }

    #[test]
    fn the_spread_of_a_ratio_pairs_the_rounds_and_names_the_peer() {
        let of = |system: &str, ops_per_s, figures: [f64; 3]| Row {
            figures: figures.to_vec(),
            ..row_of("P2", system, ops_per_s, 1.0)
        };
        let mut rows = vec![
            of("libwal", 20.0, [10.0, 20.0, 30.0]),
            of("peer a", 10.0, [10.0, 8.0, 20.0]),
            of("peer b", 9.0, [1.0, 9.0, 90.0]),
        ];
        compare(&mut rows);
        assert_eq!(rows[0].best_peer.as_deref(), Some("peer a"));
        assert_eq!(rows[0].ratio_best_peer_range, Some([1.0, 2.5]));
        assert_eq!((rows[0].ratio_floor_range, range(&[1.0], &[2.0])), (None, None));
        let waits = |system: &str, p50_us, figures: [f64; 2]| Row {
            figures: figures.to_vec(),
            ..row_of("P1", system, 1.0, p50_us)
        };
        let mut rows =
            vec![waits("libwal", 120.0, [110.0, 130.0]), waits("floor", 100.0, [100.0, 100.0])];
        compare(&mut rows);
        assert_eq!(rows[0].ratio_floor_range, Some([0.7692, 0.9091]), "less is better");
    }

    #[test]
    fn a_peer_that_does_not_reach_the_disk_is_no_rival() {
        let mut loose = row_of("P2", "peer a", 9e6, 1.0);
        loose.apart = Some("msync only".into());
        let mut rows =
            vec![row_of("P2", "libwal", 2e6, 1.0), loose, row_of("P2", "peer b", 1e6, 1.0)];
        compare(&mut rows);
        assert_eq!(rows[0].ratio_best_peer, Some(2.0));
    }

    #[test]
    fn waiting_appends_without_syncs_are_found_out() {
        let workload = workload::by_name("P1").unwrap();
        let mut row = Row { threads: 1, ..row_of("P1", "peer a", 1.0, 1.0) };
        add_syncs(&mut row, workload, Some(SyncCount { ops: 1000, syncs: 1000 }));
        assert_eq!((row.apart.clone(), row.syncs_per_op), (None, Some(1.0)));
        let mut row = Row { threads: 1, ..row_of("P1", "peer a", 1.0, 1.0) };
        add_syncs(&mut row, workload, Some(SyncCount { ops: 1000, syncs: 3 }));
        assert!(row.apart.is_some() && row.syncs == Some(3));
    }

    #[test]
    fn what_a_tracer_found_counts_for_every_durable_row_of_the_peer_and_no_other() {
        let mut found = row_of("P1", "peer a", 1.0, 1.0);
        found.apart = Some("no sync".into());
        let names = [("P2", "peer a"), ("P7", "peer a"), ("P2", "peer b")];
        let mut rows: Vec<Row> =
            names.iter().map(|(name, system)| row_of(name, system, 1.0, 1.0)).collect();
        rows.push(found);
        spread_not_durable(&mut rows);
        let loose: Vec<bool> = rows.iter().map(|row| row.apart.is_some()).collect();
        assert_eq!(loose, [true, false, false, true]);
    }

    #[test]
    fn a_pipeline_that_syncs_at_its_end_is_set_apart_and_its_batches_are_not() {
        let row = |name: &str, syncs_per_op| Row {
            size: 256,
            syncs_per_op: Some(syncs_per_op),
            ..row_of(name, "peer a", 4e6, 1.0)
        };
        let mut rows =
            vec![row("P4", 1e-6), row("P4", 1.0 / 4096.0), row("P4-batches", 1e-6), row("P4", 0.0)];
        set_apart_rare_syncs(&mut rows);
        let apart: Vec<bool> = rows.iter().map(|row| row.apart.is_some()).collect();
        assert_eq!(apart, [true, false, false, true]);
    }

    #[test]
    fn a_row_is_made_of_medians_and_the_slowest_of_all() {
        let task = Task {
            system: "floor".into(),
            workload: "P1".into(),
            directory: "".into(),
            prepared: "".into(),
            output: "".into(),
            record_bytes: 256,
            parallel: 1,
            bytes: 0,
            filled: 0,
            followers: 0,
            seconds: 1.0,
            warm_up: 0.0,
        };
        let round = |ops, max| {
            Outcome::Measured(Sample {
                ops,
                bytes: ops * 256,
                seconds: 2.0,
                cpu_us: 10.0,
                max_us: Some(max),
                syncs: Some(ops),
                ..Sample::default()
            })
        };
        let rounds = [round(10, 1.0), round(1000, 9.0), round(20, 2.0)];
        let row = row(workload::by_name("P1").unwrap(), "ext4", &task, &rounds);
        assert_eq!((row.ops_per_s, row.max_us, row.rounds), (Some(10.0), Some(9.0), 3));
        assert_eq!((row.syncs, row.syncs_per_op, row.note), (Some(20), Some(1.0), None));
        assert_eq!((row.p50_us, row.log_bytes), (None, None));
    }
}
