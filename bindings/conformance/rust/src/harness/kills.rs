//! Kills: what was acknowledged is there, whoever looks.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use wal_core::check;

use super::process::Runner;
use crate::generator::{Numbers, checksum};

/// What became of the kills.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kills {
    /// How often a writer was killed.
    pub kills: u64,
    /// Records acknowledged by them.
    pub acknowledged: u64,
    /// Records that were there though their acknowledgement was not seen any more.
    pub beyond: u64,
}

/// Writes, kills and reads `kills` times through one language, in one log.
///
/// # Errors
/// The first promise that was broken.
pub fn kill_loop(runner: &Runner, kills: u64, seed: u64) -> Result<Kills, String> {
    let mut campaign = Campaign::new(seed)?;
    for _ in 0..kills {
        campaign.round(runner, runner)?;
    }
    campaign.end(runner)
}

/// For every pair of languages, those of one language included: what one wrote and did not live to
/// close the other one reads and goes on with, and the other way round.
///
/// # Errors
/// The first promise that was broken, and by which pair.
pub fn matrix(runners: &[Runner], rounds: u64, seed: u64) -> Result<Kills, String> {
    let mut sum = Kills::default();
    for (index, one) in runners.iter().enumerate() {
        for other in &runners[index..] {
            let mut campaign = Campaign::new(seed.wrapping_add(sum.kills))?;
            for _ in 0..rounds {
                campaign.round(one, other)?;
                campaign.round(other, one)?;
            }
            let done = campaign.end(other)?;
            sum.kills += done.kills;
            sum.acknowledged += done.acknowledged;
            sum.beyond += done.beyond;
        }
    }
    Ok(sum)
}

/// A writer that was killed, and who read what it left.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// Who wrote.
    pub writer: &'a Runner,
    /// Who recovered and read.
    pub reader: &'a Runner,
    /// Records acknowledged by the writer.
    pub acknowledged: u64,
    /// Records that were there though their acknowledgement was not seen any more.
    pub beyond: u64,
    /// The last record, as the reader found it.
    pub last: u64,
}

/// One log that goes from hand to hand: each language goes on where the one before was killed, and
/// the next one recovers. `tell` hears of every step.
///
/// # Errors
/// The first promise that was broken, and by which pair.
pub fn relay<'a>(
    runners: &'a [Runner],
    rounds: u64,
    seed: u64,
    mut tell: impl FnMut(Step<'a>),
) -> Result<Kills, String> {
    let mut campaign = Campaign::new(seed)?;
    for _ in 0..rounds {
        for (writer, reader) in runners.iter().zip(runners.iter().cycle().skip(1)) {
            tell(campaign.round(writer, reader)?);
        }
    }
    match runners.first() {
        Some(first) => campaign.end(first),
        None => Ok(Kills::default()),
    }
}

/// One log and what must be in it.
struct Campaign {
    scratch: tempfile::TempDir,
    numbers: Numbers,
    seed: u64,
    /// The last record that was there when somebody looked.
    last: u64,
    /// How long the latest writer took to open the log.
    opening: Duration,
    done: Kills,
}

/// When a writer is killed.
enum Moment {
    /// So long after its start, whatever it does: while it opens the log, most likely.
    After(Duration),
    /// When it has told of so many acknowledgements.
    Acknowledged(u32),
}

impl Campaign {
    fn new(seed: u64) -> Result<Campaign, String> {
        let scratch = tempfile::tempdir().map_err(|error| error.to_string())?;
        let (numbers, opening) = (Numbers::of(seed), Duration::from_millis(10));
        Ok(Campaign { scratch, numbers, seed, last: 0, opening, done: Kills::default() })
    }

    fn moment(&mut self) -> Moment {
        let draw = self.numbers.draw();
        match draw % OPENINGS_ONE_IN {
            0 => Moment::After(self.opening.mul_f64(f64::from(draw >> 24) / 256.0)),
            _ => Moment::Acknowledged((draw >> 8) % ACKS_MAX),
        }
    }

    /// `writer` writes and is killed, `reader` reads.
    fn round<'a>(&mut self, writer: &'a Runner, reader: &'a Runner) -> Result<Step<'a>, String> {
        let directory = self.scratch.path().join("log");
        let seed = u64::from(self.numbers.draw());
        let moment = self.moment();
        let (last, number) = (self.last, self.done.kills + 1);
        let place = |error: String| {
            format!(
                "{} writes, {} reads, kill {number} of seed {}: {error}",
                writer.language, reader.language, self.seed
            )
        };
        let (acknowledged, opening) =
            killed(writer, &directory, seed, moment, last).map_err(place)?;
        self.opening = opening.unwrap_or(self.opening);
        let found = look(reader, &directory).map_err(place)?;
        if found < acknowledged {
            return Err(place(format!("{acknowledged} was acknowledged, the log ends at {found}")));
        }
        if found > acknowledged + IN_FLIGHT_MAX {
            return Err(place(format!("the log ends at {found}, which nobody appended")));
        }
        let step = Step {
            writer,
            reader,
            acknowledged: acknowledged - last,
            beyond: found - acknowledged,
            last: found,
        };
        self.done.kills += 1;
        self.done.acknowledged += step.acknowledged;
        self.done.beyond += step.beyond;
        self.last = found;
        Ok(step)
    }

    /// Lets a writer end in order, and sees that nothing is missing then.
    fn end(mut self, runner: &Runner) -> Result<Kills, String> {
        let directory = self.scratch.path().join("log");
        let words = [Path::new("write"), &directory, Path::new("20"), Path::new("1")];
        let ended = runner.run(&words)?;
        let last = ended.stdout.lines().last().and_then(|line| line.strip_prefix("done "));
        let last: Option<u64> = last.and_then(|last| last.parse().ok());
        let place = |error: &str| format!("{runner} ended in order: {error}");
        match last {
            Some(last) if ended.status.success() && last >= self.last + 20 => {
                if look(runner, &directory)? != last {
                    return Err(place("the log does not end where it said"));
                }
                self.done.acknowledged += last - self.last;
                Ok(self.done)
            }
            _ => Err(place(&format!("{}: {}{}", ended.status, ended.stdout, ended.stderr))),
        }
    }
}

/// Kills a writer; returns the last acknowledgement that was seen, and how long the opening took if
/// it was seen.
fn killed(
    writer: &Runner,
    directory: &Path,
    seed: u64,
    moment: Moment,
    last: u64,
) -> Result<(u64, Option<Duration>), String> {
    let started = Instant::now();
    let mut writing = writer.start_writing(directory, seed)?;
    let mut acknowledged = last;
    let mut opening = None;
    let mut take = |line: String| match opening {
        None if line == format!("open {last}") => {
            opening = Some(started.elapsed());
            Ok(())
        }
        None => Err(format!("the log ends at {last}, the writer says {line}")),
        Some(_) => {
            acknowledged = acknowledgement(&line, acknowledged)?;
            Ok(())
        }
    };
    match moment {
        Moment::After(span) => thread::sleep(span),
        Moment::Acknowledged(count) => {
            for _ in 0..=count {
                take(writing.line()?.ok_or("ended by itself")?)?;
            }
        }
    }
    writing.kill()?;
    // What it printed before it died was acknowledged as well.
    while let Some(line) = writing.line()? {
        take(line)?;
    }
    Ok((acknowledged, opening))
}

fn acknowledgement(line: &str, before: u64) -> Result<u64, String> {
    let lsn = line.strip_prefix("ack ").and_then(|lsn| lsn.parse().ok());
    let lsn: u64 = lsn.ok_or_else(|| format!("`{line}` is no acknowledgement"))?;
    // Completions need not come in order.
    if lsn + IN_FLIGHT_MAX < before {
        return Err(format!("acknowledges {lsn} after {before}"));
    }
    Ok(lsn.max(before))
}

/// Has a language read the log, and compares; returns the last record. What it has recovered and
/// closed is sound.
fn look(reader: &Runner, directory: &Path) -> Result<u64, String> {
    let ended = reader.run(&[Path::new("read"), directory])?;
    let line = ended.stdout.trim_end();
    if !ended.status.success() {
        return Err(format!("{reader}: {}: {line}{}", ended.status, ended.stderr));
    }
    let report = check::verify(directory, |_, _| {}).map_err(|error| error.to_string())?;
    if let Some(finding) = report.findings.first() {
        return Err(format!("{reader} left behind: {}", finding.error));
    }
    if line == "records - - 00000000" {
        return Ok(0);
    }
    let words: Vec<&str> = line.split(' ').collect();
    let ["records", "1", last, crc] = words[..] else {
        return Err(format!("{reader} printed `{line}`"));
    };
    let last: u64 = last.parse().map_err(|_| format!("{reader} printed `{line}`"))?;
    let expected = format!("{:08x}", checksum(1..=last));
    if crc != expected {
        return Err(format!("{reader} read {crc} up to {last}, written was {expected}"));
    }
    Ok(last)
}

/// A writer is killed before it has acknowledged so many calls.
const ACKS_MAX: u32 = 60;
/// One kill in so many comes while the log is being opened.
const OPENINGS_ONE_IN: u32 = 6;
/// What a writer has in flight at the most.
const IN_FLIGHT_MAX: u64 = 16;
