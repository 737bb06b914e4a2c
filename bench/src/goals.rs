//! The goals, and whether the rows meet them.

use crate::row::Row;
use crate::table::figure;

/// One goal on one file system.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// `P1` to `P11`.
    pub id: &'static str,
    /// The file system.
    pub fs: String,
    /// The goal in words.
    pub goal: &'static str,
    /// What was found; nothing when a figure is missing.
    pub found: Option<f64>,
    /// Found over wanted, turned so that 1 or more meets the goal.
    pub reached: Option<f64>,
}

/// Holds every goal against the rows.
pub fn judge(rows: &[Row]) -> Vec<Verdict> {
    let mut places: Vec<&str> = Vec::new();
    for row in rows {
        if !places.contains(&row.fs.as_str()) {
            places.push(&row.fs);
        }
    }
    let mut verdicts = Vec::new();
    for fs in places {
        for goal in GOALS {
            let row_of = |name: &str| {
                let ours = |row: &&Row| {
                    row.name == name && row.fs == fs && row.system == "libwal" && row.rounds > 0
                };
                rows.iter().filter(ours).find(|row| row.series.is_none())
            };
            let Some(row) = row_of(goal.name) else { continue };
            let found = match goal.figure {
                Figure::Of(figure) => figure(row),
                Figure::Against(name, figure) => row_of(name).and_then(|other| figure(row, other)),
            };
            let reached = found.map(|found| match goal.bound {
                Bound::Least(wanted) => found / wanted,
                Bound::Most(wanted) => wanted / found.max(f64::MIN_POSITIVE),
            });
            let (id, text) = (goal.id, goal.text);
            verdicts.push(Verdict { id, fs: fs.to_owned(), goal: text, found, reached });
        }
    }
    verdicts
}

/// A line for each verdict.
pub fn plain(verdicts: &[Verdict]) -> String {
    let mut text = String::from("Goals\n");
    for verdict in verdicts {
        let Verdict { id, fs, goal, found, .. } = verdict;
        let found = found.map(figure).unwrap_or_else(|| "-".into());
        text.push_str(&format!("{id:<4} {fs:<22} {goal:<58} {found:>9}  {}\n", verdict.word()));
    }
    text
}

/// The same for a document.
pub fn markdown(verdicts: &[Verdict]) -> String {
    let mut text = String::from("| id | file system | goal | found | |\n");
    text.push_str("| --- | --- | --- | ---: | --- |\n");
    for verdict in verdicts {
        let Verdict { id, fs, goal, found, .. } = verdict;
        let found = found.map(figure).unwrap_or_else(|| "-".into());
        text.push_str(&format!("| {id} | {fs} | {goal} | {found} | {} |\n", verdict.word()));
    }
    text
}

impl Verdict {
    fn word(&self) -> String {
        match self.reached {
            None => "not measured".to_owned(),
            Some(reached) if reached >= 1.0 => "met".to_owned(),
            Some(reached) => format!("missed by {:.0} %", ((1.0 - reached) * 100.0).max(1.0)),
        }
    }
}

struct Goal {
    id: &'static str,
    /// The workload whose row is looked at.
    name: &'static str,
    text: &'static str,
    figure: Figure,
    bound: Bound,
}

enum Figure {
    /// Of the row itself.
    Of(fn(&Row) -> Option<f64>),
    /// Of the row and the one of another workload.
    Against(&'static str, fn(&Row, &Row) -> Option<f64>),
}

enum Bound {
    Least(f64),
    Most(f64),
}

const fn least(
    id: &'static str,
    name: &'static str,
    text: &'static str,
    figure: fn(&Row) -> Option<f64>,
    wanted: f64,
) -> Goal {
    Goal { id, name, text, figure: Figure::Of(figure), bound: Bound::Least(wanted) }
}

const fn most(
    id: &'static str,
    name: &'static str,
    text: &'static str,
    figure: fn(&Row) -> Option<f64>,
    wanted: f64,
) -> Goal {
    Goal { id, name, text, figure: Figure::Of(figure), bound: Bound::Most(wanted) }
}

fn vs_floor(row: &Row) -> Option<f64> {
    row.ratio_floor
}

fn vs_peer(row: &Row) -> Option<f64> {
    row.ratio_best_peer
}

fn milliseconds(row: &Row) -> Option<f64> {
    row.p50_us.map(|us| us / 1000.0)
}

fn growth(large: &Row, small: &Row) -> Option<f64> {
    Some(large.p50_us? / small.p50_us?)
}

fn over_payload(row: &Row) -> Option<f64> {
    row.disk_bytes_per_record.map(|bytes| bytes - row.size as f64)
}

fn for_each(total: Option<u64>, row: &Row) -> Option<f64> {
    total.map(|total| total as f64 / row.threads as f64)
}

const GOALS: &[Goal] = &[
    most("P1", "P1", "p50 at most 1.10 x floor", |row| row.ratio_floor.map(|r| 1.0 / r), 1.10),
    least("P1", "P1", "p50 at most that of the best peer (ratio)", vs_peer, 1.0),
    least("P2", "P2", "32 threads: at least 2 x best peer", vs_peer, 2.0),
    least("P3", "P3-32", "32 tasks: at least 2 x best peer", vs_peer, 2.0),
    least("P3", "P3-256", "256 tasks: at least 2.5 x best peer", vs_peer, 2.5),
    least("P4", "P4", "pipelined: at least 0.85 x floor", vs_floor, 0.85),
    least("P4", "P4", "pipelined: at least 3 x best peer", vs_peer, 3.0),
    least("P5", "P5", "from memory: at least 8 x best peer", vs_peer, 8.0),
    least("P6", "P6-warm", "replay, warm: at least 0.7 x floor", vs_floor, 0.7),
    least("P6", "P6-cold", "replay, cold: at least 0.9 x floor", vs_floor, 0.9),
    least("P7", "P7", "random reads per second: at least 5 M", |row| row.ops_per_s, 5e6),
    least("P7", "P7", "random reads: at least the best peer's (ratio)", vs_peer, 1.0),
    most("P8", "P8-closed", "open, small, closed: at most 5 ms", milliseconds, 5.0),
    most("P8", "P8-closed-large", "open, large, closed: at most 5 ms", milliseconds, 5.0),
    most("P8", "P8-killed", "open, small, killed: at most 60 ms", milliseconds, 60.0),
    most("P8", "P8-killed-large", "open, large, killed: at most 60 ms", milliseconds, 60.0),
    Goal {
        id: "P8",
        name: "P8-closed-large",
        text: "open, closed: large at most 1.5 x small (flat)",
        figure: Figure::Against("P8-closed", growth),
        bound: Bound::Most(1.5),
    },
    Goal {
        id: "P8",
        name: "P8-killed-large",
        text: "open, killed: large at most 1.5 x small (flat)",
        figure: Figure::Against("P8-killed", growth),
        bound: Bound::Most(1.5),
    },
    most("P9", "P9", "memory: at most 32 MiB + the ring (MiB)", rss_mib, RSS_MIB_MAX),
    most("P9", "P9", "memory: peak at most 1.1 x peak of the first half", rss_growth, 1.1),
    most("P10", "P10", "disk: at most 24 bytes over the payload", over_payload, 24.0),
    most("P11", "P11", "idle logs: at most 4 threads", |row| row.os_threads.map(|n| n as f64), 4.0),
    most(
        "P11",
        "P11",
        "idle logs: at most 64 KiB of memory each",
        |row| for_each(row.rss_bytes, row).map(|bytes| bytes / 1024.0),
        64.0,
    ),
    most(
        "P11",
        "P11",
        "idle logs: at most 4 descriptors each",
        |row| for_each(row.descriptors, row),
        4.0,
    ),
];

fn rss_mib(row: &Row) -> Option<f64> {
    row.rss_bytes.map(|bytes| bytes as f64 / (1 << 20) as f64)
}

fn rss_growth(row: &Row) -> Option<f64> {
    Some(row.rss_bytes? as f64 / row.rss_half_bytes? as f64)
}

const RSS_MIB_MAX: f64 = 32.0 + (wal_core::limits::RING_BYTES_DEFAULT >> 20) as f64;

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str) -> Row {
        let name = name.to_owned();
        let (system, fs) = ("libwal".to_owned(), "ext4".to_owned());
        Row { name, system, fs, rounds: 5, size: 256, threads: 1, ..Row::default() }
    }

    #[test]
    fn a_goal_is_met_missed_by_so_much_or_not_measured() {
        let mut first = row("P1");
        first.ratio_floor = Some(1.0 / 1.32);
        let verdicts = judge(&[first]);
        assert_eq!(verdicts.len(), 2);
        assert_eq!(verdicts[0].word(), "missed by 17 %");
        assert_eq!(verdicts[1].word(), "not measured");
        let mut second = row("P2");
        second.ratio_best_peer = Some(2.0);
        assert_eq!(judge(&[second])[0].word(), "met");
    }

    #[test]
    fn a_goal_is_held_against_libwal_on_each_file_system() {
        let mut journal = row("P10");
        journal.fs = "ext4, journal".into();
        let mut peer = row("P10");
        peer.system = "peer".into();
        let places: Vec<String> =
            judge(&[row("P10"), journal, peer]).into_iter().map(|verdict| verdict.fs).collect();
        assert_eq!(places, ["ext4", "ext4, journal"]);
    }

    #[test]
    fn what_has_to_be_flat_is_compared_with_the_small_log() {
        let (mut small, mut large) = (row("P8-closed"), row("P8-closed-large"));
        (small.p50_us, large.p50_us) = (Some(1000.0), Some(3000.0));
        let verdicts = judge(&[small, large]);
        let flat = verdicts.iter().find(|verdict| verdict.goal.contains("flat")).unwrap();
        assert_eq!((flat.found, flat.word()), (Some(3.0), "missed by 50 %".into()));
    }
}
