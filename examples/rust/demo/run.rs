//! The whole demonstration, in the order it is told.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::audit::{audit, is_identical};
use crate::chance::Chance;
use crate::input::Input;
use crate::report::{Totals, count, millis};
use crate::screen::Screen;
use crate::writer::Writer;

/// Runs it: `wal-demo WAL WORK_DIR [FILE]`, where `WAL` is the command and `WORK_DIR` exists.
pub fn run(arguments: Vec<OsString>) -> Result<(), String> {
    let mut arguments = arguments.into_iter().map(PathBuf::from);
    let (Some(wal), Some(work)) = (arguments.next(), arguments.next()) else {
        return Err("usage: wal-demo WAL WORK_DIR [FILE]".to_owned());
    };
    let input = Arc::new(Input::find(arguments.next(), INPUT_BYTES_MAX)?);
    let (mut chance, seed) = Chance::seeded();
    println!(
        "{}: {} lines, {:.1} MB; {KILLS} kills, DEMO_SEED={seed}",
        input.name,
        count(input.line_count()),
        input.bytes.len() as f64 / 1e6
    );
    if input.line_count() < LINES_MIN {
        return Err(format!("the text has fewer than {LINES_MIN} lines; pass a longer one"));
    }
    let dir = work.join("log");
    let mut totals = append_with_kills(&wal, &dir, &input, &mut chance)?;
    check_end(&dir, &input)?;
    totals.sprint = sprint(&wal, &work, &input)?;
    for line in totals.table(&input) {
        println!("{line}");
    }
    Ok(())
}

fn append_with_kills(
    wal: &Path,
    dir: &Path,
    input: &Arc<Input>,
    chance: &mut Chance,
) -> Result<Totals, String> {
    let mut totals = Totals::default();
    let screen = Screen::new(input.line_count());
    let pace = input.bytes.len() as f64 / FEEDING.as_secs_f64();
    let started = Instant::now();
    let mut records = 0;
    let mut acknowledged = 0;
    let mut kills = kill_positions(input.line_count(), chance).into_iter();
    loop {
        let kill_at = kills.next().map(|position| position.max(records + 1));
        let delay = Duration::from_micros(chance.below(KILL_DELAY_MAX_US));
        let writer = Writer::start(wal, dir, input, records, pace)?;
        let life = writer.listen(kill_at, delay, |lines| screen.set(lines))?;
        totals.commits += life.commits;
        acknowledged = life.acknowledged.max(acknowledged);
        let audit = audit(dir, input, acknowledged)?;
        records = audit.records;
        if !life.was_killed {
            break;
        }
        totals.kills_survived += 1;
        totals.unacknowledged += audit.unacknowledged;
        totals.tails_cut += u64::from(audit.report.cut.is_some());
        totals.recoveries.push(audit.took);
        screen.say(&format!(
            "kill {:>2} of {KILLS} after line {:>9}: {} lines there, 0 lost, `{}` in {}",
            totals.kills_survived,
            count(acknowledged),
            count(records),
            audit.report.case,
            millis(audit.took)
        ));
    }
    screen.finish();
    totals.took = started.elapsed();
    (totals.acknowledged, totals.records) = (acknowledged, records);
    let missing = KILLS - totals.kills_survived;
    if missing > 0 {
        return Err(format!(
            "the text was at its end {missing} kills too early; pass a longer one"
        ));
    }
    if acknowledged != input.line_count() {
        return Err(format!(
            "{} of {} lines were acknowledged at the end",
            count(acknowledged),
            count(input.line_count())
        ));
    }
    Ok(totals)
}

/// A random line in each of as many equal parts of the text as there are kills, so that they are
/// spread over all of it; the last part is a little shorter, to leave something to go on with.
fn kill_positions(lines: u64, chance: &mut Chance) -> Vec<u64> {
    let part = lines * 95 / 100 / KILLS;
    (0..KILLS).map(|kill| kill * part + chance.below(part)).collect()
}

fn check_end(dir: &Path, input: &Input) -> Result<(), String> {
    if !is_identical(dir, input)? {
        return Err("the log's content is not the input".to_owned());
    }
    let verified = wal_core::check::verify(dir, |_, _| {})
        .map_err(|error| format!("verifying the log: {error}"))?;
    match verified.findings.first() {
        None => Ok(()),
        Some(finding) => Err(format!("verifying the log: {}", finding.error)),
    }
}

/// The same text once more, as fast as it goes; a batch is still on disk before it is acknowledged.
fn sprint(wal: &Path, work: &Path, input: &Input) -> Result<Duration, String> {
    let (text, dir) = (work.join("input.txt"), work.join("sprint"));
    std::fs::write(&text, &input.bytes).map_err(|error| format!("{}: {error}", text.display()))?;
    let started = Instant::now();
    let status = Command::new(wal)
        .args(["append", "--durability", "disk"])
        .args([&dir, &text])
        .stderr(Stdio::null())
        .status()
        .map_err(|error| format!("{}: {error}", wal.display()))?;
    let took = started.elapsed();
    if !status.success() {
        return Err(format!("wal append ended with {status}"));
    }
    if !is_identical(&dir, input)? {
        return Err("the content of the log written in one go is not the input".to_owned());
    }
    Ok(took)
}

const KILLS: u64 = 10;
/// A kill comes up to this long after the acknowledgement it waits for.
const KILL_DELAY_MAX_US: u64 = 5_000;
/// The text is fed over this long, so that the kills meet the process at work.
const FEEDING: Duration = Duration::from_secs(12);
const INPUT_BYTES_MAX: usize = 40_000_000;
/// Fewer lines would leave no room between the kills.
const LINES_MIN: u64 = 1_000;
