//! The goals, and whether the rows meet them.

use crate::row::Row;
use crate::summary;
use crate::table::{figure, shown};

/// One goal on one file system.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// `P1` to `P11`.
    pub id: &'static str,
    /// The file system.
    pub fs: String,
    /// The goal in words.
    pub goal: &'static str,
    /// What was found.
    pub found: Found,
    /// What was wanted.
    bound: Bound,
}

/// What was found of a goal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// The figure, from the medians of the rounds; nothing when one is missing.
    pub value: Option<f64>,
    /// The least and the most it was in a round, where more than one was measured.
    pub range: Option<[f64; 2]>,
    /// What it is compared with.
    pub against: String,
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
                Figure::GrowthFrom(name) => growth(row, row_of(name)),
                ref figure => figure.of(row),
            };
            let (id, text) = (goal.id, goal.text);
            verdicts.push(Verdict { id, fs: fs.to_owned(), goal: text, found, bound: goal.bound });
        }
    }
    verdicts
}

/// A line for each verdict.
pub fn plain(verdicts: &[Verdict]) -> String {
    let mut text = format!("Goals. {LEGEND}\n");
    for verdict in verdicts {
        let Verdict { id, fs, goal, found, .. } = verdict;
        let (value, range, against) = (found.shown(), found.spread(), &found.against);
        let word = verdict.word();
        text.push_str(&format!(
            "{id:<4} {fs:<22} {goal:<52} {value:>7} {range:>17}  {against:<24} {word}\n"
        ));
    }
    text
}

/// The same for a document.
pub fn markdown(verdicts: &[Verdict]) -> String {
    let mut text =
        format!("{LEGEND}\n\n| id | file system | goal | found | rounds | against | |\n");
    text.push_str("| --- | --- | --- | ---: | ---: | --- | --- |\n");
    for verdict in verdicts {
        let Verdict { id, fs, goal, found, .. } = verdict;
        let (value, range, against) = (found.shown(), found.spread(), &found.against);
        let word = verdict.word();
        text.push_str(&format!(
            "| {id} | {fs} | {goal} | {value} | {range} | {against} | {word} |\n"
        ));
    }
    text
}

impl Verdict {
    /// Said of the figure as it is shown, so that the two never disagree.
    fn word(&self) -> String {
        let Some(value) = self.found.value else { return "not measured".to_owned() };
        let reached = self.bound.reached(shown(value));
        let is_met = |reached: f64| reached >= 1.0;
        let some_round = |wanted: bool| {
            let ends = self.found.range.into_iter().flatten();
            ends.map(|end| is_met(self.bound.reached(shown(end)))).any(|met| met == wanted)
        };
        let percent = (1.0 - reached) * 100.0;
        match is_met(reached) {
            true if some_round(false) => "met, but not in every round".to_owned(),
            true => "met".to_owned(),
            false if some_round(true) => format!("missed by {percent:.0} %, met in some rounds"),
            false if percent < 1.0 => "missed by less than 1 %".to_owned(),
            false => format!("missed by {percent:.0} %"),
        }
    }
}

impl Found {
    fn shown(&self) -> String {
        self.value.map_or_else(|| "-".to_owned(), figure)
    }

    fn spread(&self) -> String {
        let range = self.range.map(|[least, most]| format!("{} - {}", figure(least), figure(most)));
        range.unwrap_or_default()
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
    /// How many times better than the floor.
    VsFloor,
    /// How many times the floor, where less is better.
    TimesFloor,
    /// How many times better than the best peer.
    VsPeer,
    /// Operations per second.
    Rate,
    /// The median latency.
    Milliseconds,
    /// Something that is counted once.
    Counted(fn(&Row) -> Option<f64>),
    /// The latency as a multiple of that of another workload.
    GrowthFrom(&'static str),
}

impl Figure {
    fn of(&self, row: &Row) -> Found {
        let rounds = |figure: &dyn Fn(f64) -> f64| {
            let figures = || row.figures.iter().map(|value| figure(*value));
            let range = [figures().reduce(f64::min)?, figures().reduce(f64::max)?];
            (row.figures.len() > 1).then_some(range)
        };
        let (value, range, against) = match self {
            Figure::VsFloor => (row.ratio_floor, row.ratio_floor_range, "floor"),
            Figure::TimesFloor => (
                row.ratio_floor.map(|ratio| 1.0 / ratio),
                row.ratio_floor_range.map(|[least, most]| [1.0 / most, 1.0 / least]),
                "floor",
            ),
            Figure::VsPeer => (
                row.ratio_best_peer,
                row.ratio_best_peer_range,
                row.best_peer.as_deref().unwrap_or("-"),
            ),
            Figure::Rate => (row.ops_per_s, rounds(&|rate| rate), ""),
            Figure::Milliseconds => {
                (row.p50_us.map(|us| us / 1000.0), rounds(&|us| us / 1000.0), "")
            }
            Figure::Counted(figure) => (figure(row), None, ""),
            Figure::GrowthFrom(_) => (None, None, ""),
        };
        Found { value, range, against: against.to_owned() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Bound {
    Least(f64),
    Most(f64),
}

impl Bound {
    /// Found over wanted, turned so that 1 or more meets the goal.
    fn reached(self, found: f64) -> f64 {
        match self {
            Bound::Least(wanted) => found / wanted,
            Bound::Most(wanted) => wanted / found.max(f64::MIN_POSITIVE),
        }
    }
}

const fn least(
    id: &'static str,
    name: &'static str,
    text: &'static str,
    figure: Figure,
    wanted: f64,
) -> Goal {
    Goal { id, name, text, figure, bound: Bound::Least(wanted) }
}

const fn most(
    id: &'static str,
    name: &'static str,
    text: &'static str,
    figure: Figure,
    wanted: f64,
) -> Goal {
    Goal { id, name, text, figure, bound: Bound::Most(wanted) }
}

fn growth(large: &Row, small: Option<&Row>) -> Found {
    let against = "the small log".to_owned();
    let Some(small) = small else { return Found { against, ..Found::default() } };
    let value = large.p50_us.zip(small.p50_us).map(|(large, small)| large / small);
    Found { value, range: summary::range(&large.figures, &small.figures), against }
}

fn over_payload(row: &Row) -> Option<f64> {
    row.disk_bytes_per_record.map(|bytes| bytes - row.size as f64)
}

fn for_each(total: Option<u64>, row: &Row) -> Option<f64> {
    total.map(|total| total as f64 / row.threads as f64)
}

const GOALS: &[Goal] = &[
    most("P1", "P1", "p50 at most 1.10 x floor", Figure::TimesFloor, 1.10),
    least("P1", "P1", "p50 at most that of the best peer (ratio)", Figure::VsPeer, 1.0),
    least("P2", "P2", "32 threads: at least 2 x best peer", Figure::VsPeer, 2.0),
    least("P3", "P3-32", "32 tasks: at least 2 x best peer", Figure::VsPeer, 2.0),
    least("P3", "P3-256", "256 tasks: at least 2.5 x best peer", Figure::VsPeer, 2.5),
    least("P4", "P4", "pipelined: at least 0.85 x floor", Figure::VsFloor, 0.85),
    least("P4", "P4", "pipelined: at least 3 x best peer", Figure::VsPeer, 3.0),
    least("P5", "P5", "from memory: at least 8 x best peer", Figure::VsPeer, 8.0),
    least("P6", "P6-warm", "replay, warm: at least 0.7 x floor", Figure::VsFloor, 0.7),
    least("P6", "P6-cold", "replay, cold: at least 0.9 x floor", Figure::VsFloor, 0.9),
    least("P7", "P7", "random reads per second: at least 5 M", Figure::Rate, 5e6),
    least("P7", "P7", "random reads: at least the best peer's (ratio)", Figure::VsPeer, 1.0),
    most("P8", "P8-closed", "open, small, closed: at most 5 ms", Figure::Milliseconds, 5.0),
    most("P8", "P8-closed-large", "open, large, closed: at most 5 ms", Figure::Milliseconds, 5.0),
    most("P8", "P8-killed", "open, small, killed: at most 60 ms", Figure::Milliseconds, 60.0),
    most("P8", "P8-killed-large", "open, large, killed: at most 60 ms", Figure::Milliseconds, 60.0),
    Goal {
        id: "P8",
        name: "P8-closed-large",
        text: "open, closed: large at most 1.5 x small (flat)",
        figure: Figure::GrowthFrom("P8-closed"),
        bound: Bound::Most(1.5),
    },
    Goal {
        id: "P8",
        name: "P8-killed-large",
        text: "open, killed: large at most 1.5 x small (flat)",
        figure: Figure::GrowthFrom("P8-killed"),
        bound: Bound::Most(1.5),
    },
    most(
        "P9",
        "P9",
        "memory: at most 32 MiB + the ring (MiB)",
        Figure::Counted(rss_mib),
        RSS_MIB_MAX,
    ),
    most(
        "P9",
        "P9",
        "memory: peak at most 1.1 x peak of the first half",
        Figure::Counted(rss_growth),
        1.1,
    ),
    most(
        "P10",
        "P10",
        "disk: at most 24 bytes over the payload",
        Figure::Counted(over_payload),
        24.0,
    ),
    most("P11", "P11", "idle logs: at most 4 threads", Figure::Counted(threads), 4.0),
    most("P11", "P11", "idle logs: at most 64 KiB of memory each", Figure::Counted(kib_each), 64.0),
    most(
        "P11",
        "P11",
        "idle logs: at most 4 descriptors each",
        Figure::Counted(descriptors_each),
        4.0,
    ),
];

fn rss_mib(row: &Row) -> Option<f64> {
    row.rss_bytes.map(|bytes| bytes as f64 / (1 << 20) as f64)
}

fn rss_growth(row: &Row) -> Option<f64> {
    Some(row.rss_bytes? as f64 / row.rss_half_bytes? as f64)
}

fn threads(row: &Row) -> Option<f64> {
    row.os_threads.map(|threads| threads as f64)
}

fn kib_each(row: &Row) -> Option<f64> {
    for_each(row.rss_bytes, row).map(|bytes| bytes / 1024.0)
}

fn descriptors_each(row: &Row) -> Option<f64> {
    for_each(row.descriptors, row)
}

const LEGEND: &str = "\
`found` is made of the medians of the rounds, `rounds` is the least and the most it was in a round;
a verdict is about the figures as they are shown.";
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
    fn a_verdict_is_about_what_is_shown_and_says_what_the_rounds_disagree_on() {
        let mut cold = row("P6-cold");
        let word = |row: &Row| judge(std::slice::from_ref(row))[0].word();
        cold.ratio_floor = Some(0.8961);
        assert_eq!(word(&cold), "met", "0.90 is shown");
        cold.ratio_floor_range = Some([0.88, 0.95]);
        assert_eq!(word(&cold), "met, but not in every round");
        cold.ratio_floor = Some(0.89);
        assert_eq!(word(&cold), "missed by 1 %, met in some rounds");
        cold.ratio_floor_range = Some([0.8, 0.894]);
        assert_eq!(word(&cold), "missed by 1 %");
    }

    #[test]
    fn a_goal_names_the_peer_it_is_held_against() {
        let mut threads = row("P2");
        (threads.ratio_best_peer, threads.best_peer) = (Some(2.0), Some("peer a".into()));
        threads.ratio_best_peer_range = Some([1.9, 2.1]);
        let text = markdown(&judge(&[threads]));
        assert!(text.contains("| 2.00 | 1.90 - 2.10 | peer a | met, but not"), "{text}");
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
        assert_eq!((flat.found.value, flat.word()), (Some(3.0), "missed by 50 %".into()));
    }
}
