//! Every crash state of a recording, mounted, opened and judged.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::blocks::{Block, Blocks};
use super::check::Verdict;
use super::checker::Checker;
use super::event::Event;
use super::file_system::{FileSystem, HOME, LOG};
use super::image::Image;
use super::ledger::{Broken, Ledger, Model, judge};
use super::states::{Epoch, Subset};
use crate::Rng;

/// A disk on which states are mounted, and a process that checks what is on it.
pub struct Replay {
    file_system: FileSystem,
    image: Image,
    mount_point: PathBuf,
    checker: Checker,
    log: String,
    plain: bool,
    keep: PathBuf,
    /// The hashes of all states that were mounted.
    met: HashSet<u64>,
}

/// How much of a recording is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// States that are mounted.
    pub states: usize,
    /// When it has to end.
    pub until: Instant,
    /// Whether to begin at the last event before which nothing was marked, or just look at what
    /// power loss leaves at the end.
    pub at_the_end: bool,
    /// So many states that broke a promise are enough.
    pub broken_max: u64,
    /// So many states are kept, so that the recovery from them can be crashed as well.
    pub again: usize,
}

/// What came of a recording.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Different states that were mounted and judged.
    pub states: u64,
    /// States whose file system did not mount: the log was not asked.
    pub unmounted: u64,
    /// States that broke a promise, by the way they did.
    pub broken: BTreeMap<Kind, u64>,
    /// States to recover from once more, and what the log in them may be.
    pub again: Vec<(Blocks, Vec<Model>)>,
    /// The first of each kind, told so that it can be followed.
    pub violations: Vec<Violation>,
}

/// A promise that was broken.
#[derive(Debug)]
pub struct Violation {
    /// In which way.
    pub kind: Kind,
    /// The story.
    pub story: String,
}

/// The ways a log can break its promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Something acknowledged was gone.
    Lost,
    /// Something was there that was not appended, or not like this.
    Wrong,
    /// It did not open.
    DidNotOpen,
    /// It opened and lost or refused what came after.
    DidNotGoOn,
    /// It did not come to an end.
    Hung,
}

impl Replay {
    /// Replays on this image what this log left, plain if it is seen from outside; the images of
    /// violations are kept in `keep`.
    pub fn new(
        file_system: FileSystem,
        image: Image,
        mount_point: &Path,
        (log, plain): (&str, bool),
        keep: &Path,
    ) -> Replay {
        let (mount_point, keep) = (mount_point.to_path_buf(), keep.to_path_buf());
        let checker = Checker::new(log, plain);
        let (log, met) = (log.to_owned(), HashSet::new());
        Replay { file_system, image, mount_point, checker, log, plain, keep, met }
    }

    /// Goes through the states of a recording that began with what the image held at first.
    ///
    /// # Errors
    ///
    /// If the rig itself fails.
    pub fn run(
        &mut self,
        base: &Blocks,
        events: &[Event],
        ledger: &Ledger,
        seed: u64,
        effort: Effort,
    ) -> io::Result<Outcome> {
        self.image.rebase(base)?;
        let mut durable = base.clone();
        let mut rng = Rng::new(seed ^ 0x7374_6174_6573);
        let mut outcome = Outcome::default();
        let mut seen: HashMap<u64, Verdict> = HashMap::new();
        let mut counted = HashSet::new();
        let epochs = interesting(Epoch::all(events), events, effort.at_the_end, &mut durable);
        let mut left = epochs.len();
        for epoch in &epochs {
            let states_left = effort.states.saturating_sub(seen.len());
            let share = states_left.div_ceil(left.max(1));
            left -= 1;
            // Where there are fewer states to look at than epochs, chance takes some of these.
            if rng.below((left + 1) * 2) >= states_left {
                epoch.complete(&mut durable);
                self.image.rebase_quickly(&durable)?;
                continue;
            }
            self.image.rebase_quickly(&durable)?;
            let models = Models::of(epoch, events, ledger, effort.at_the_end);
            for subset in epoch.subsets(share, &mut rng) {
                let (blocks, hash) = epoch.patch(&durable, &subset);
                if Instant::now() >= effort.until {
                    return Ok(outcome);
                }
                let verdict = match seen.entry(hash) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(unknown) => {
                        let verdict = self.verdict(&blocks, seed)?;
                        self.count(&mut outcome, &verdict, hash);
                        unknown.insert(verdict)
                    }
                };
                let cuts = models.from(epoch.earliest_cut(&subset));
                let Some((kind, cut, words)) = objection(verdict, cuts) else {
                    let chosen = outcome.again.len() < effort.again && rng.chance(3);
                    if let (true, Verdict::Found(_), Some((_, models))) =
                        (chosen, &*verdict, cuts.last())
                    {
                        let mut disk = durable.clone();
                        blocks.into_iter().for_each(|(number, block)| disk.put(number, block));
                        outcome.again.push((disk, models.clone()));
                    }
                    continue;
                };
                if counted.insert(hash) && outcome.is_first(kind) {
                    let image = self.save(&blocks, seed, hash)?;
                    let story = Story { epoch, subset: &subset, cut, ledger, seed };
                    let story = story.tell(self, verdict, &words, &image);
                    outcome.violations.push(Violation { kind, story });
                }
                if outcome.broken.values().sum::<u64>() >= effort.broken_max {
                    return Ok(outcome);
                }
            }
            epoch.complete(&mut durable);
        }
        Ok(outcome)
    }

    /// Counts a state, unless another recording has led to the very same one.
    fn count(&mut self, outcome: &mut Outcome, verdict: &Verdict, hash: u64) {
        match verdict {
            Verdict::DidNotMount(_) => outcome.unmounted += 1,
            _ => outcome.states += u64::from(self.met.insert(hash)),
        }
    }

    /// Mounts a state, asks the log about it, and puts the disk back.
    fn verdict(&mut self, blocks: &[(u64, Block)], seed: u64) -> io::Result<Verdict> {
        self.image.patch(blocks)?;
        let verdict = match self.file_system.mount(self.image.device(), &self.mount_point) {
            Err(error) => Verdict::DidNotMount(error.to_string()),
            Ok(mounted) => {
                let log = self.mount_point.join(HOME).join(LOG);
                let verdict = self.checker.check(seed, &log)?;
                mounted.unmount()?;
                verdict
            }
        };
        self.image.put_back()?;
        Ok(verdict)
    }

    fn save(&mut self, blocks: &[(u64, Block)], seed: u64, hash: u64) -> io::Result<PathBuf> {
        std::fs::create_dir_all(&self.keep)?;
        let name = format!("{}-{seed}-{hash:016x}.img", self.file_system.name());
        let path = self.keep.join(name);
        self.image.patch(blocks)?;
        self.image.save(&path)?;
        self.image.put_back()?;
        Ok(path)
    }
}

impl Outcome {
    /// Counts a state that broke a promise; whether it is the first to do so in this way.
    fn is_first(&mut self, kind: Kind) -> bool {
        let count = self.broken.entry(kind).or_default();
        *count += 1;
        *count == 1
    }
}

/// What the log may be at each mark of an epoch.
struct Models(Vec<(usize, Vec<Model>)>);

impl Models {
    fn of(epoch: &Epoch, events: &[Event], ledger: &Ledger, at_the_end: bool) -> Models {
        let marks = (epoch.begin..epoch.end).filter(|at| matches!(events[*at], Event::Mark(_)));
        let mut cuts = vec![epoch.begin];
        cuts.extend(marks.map(|at| at + 1));
        if at_the_end {
            cuts.drain(..cuts.len() - 1);
        }
        Models(cuts.into_iter().map(|cut| (cut, ledger.candidates(cut))).collect())
    }

    /// Those that count when power is lost at `cut` or later in the epoch.
    fn from(&self, cut: usize) -> &[(usize, Vec<Model>)] {
        let before = self.0.iter().rposition(|(at, _)| *at <= cut).unwrap_or(0);
        &self.0[before..]
    }
}

/// Lets everything before the first mark arrive, or everything before the epoch of the last mark.
fn interesting(
    epochs: Vec<Epoch>,
    events: &[Event],
    at_the_end: bool,
    durable: &mut Blocks,
) -> Vec<Epoch> {
    let is_mark = |event: &Event| matches!(event, Event::Mark(_));
    let mark =
        if at_the_end { events.iter().rposition(is_mark) } else { events.iter().position(is_mark) };
    let mark = mark.unwrap_or(0);
    let mut kept = Vec::new();
    for epoch in epochs {
        if epoch.end < mark {
            epoch.complete(durable);
        } else if !at_the_end || epoch.begin <= mark {
            kept.push(epoch);
        }
    }
    kept
}

fn objection(verdict: &Verdict, cuts: &[(usize, Vec<Model>)]) -> Option<(Kind, usize, String)> {
    let cut = cuts.first().map_or(0, |(cut, _)| *cut);
    match verdict {
        Verdict::Found(found) => cuts.iter().find_map(|(cut, models)| {
            let (broken, words) = judge(found, models).err()?;
            let kind = if broken == Broken::Lost { Kind::Lost } else { Kind::Wrong };
            Some((kind, *cut, words))
        }),
        Verdict::DidNotOpen(words) => Some((Kind::DidNotOpen, cut, words.clone())),
        Verdict::DidNotGoOn(words) => Some((Kind::DidNotGoOn, cut, words.clone())),
        Verdict::Hung => Some((Kind::Hung, cut, "it did not answer".to_owned())),
        Verdict::DidNotMount(_) => None,
    }
}

struct Story<'a> {
    epoch: &'a Epoch,
    subset: &'a Subset,
    cut: usize,
    ledger: &'a Ledger,
    seed: u64,
}

impl Story<'_> {
    fn tell(&self, replay: &Replay, verdict: &Verdict, words: &str, image: &Path) -> String {
        let on = replay.file_system;
        let log =
            if replay.plain { format!("--log {} --plain", replay.log) } else { String::new() };
        let arrived = self.subset.iter().filter(|unit| **unit != 0).count();
        let verdict = match verdict {
            Verdict::Found(found) => {
                let next = found.first + found.records.len() as u64;
                format!("it opened with the records {}..{next}", found.first)
            }
            other => format!("{other:?}"),
        };
        format!(
            "  {}, seed {}: power lost at event {} of the disk,\n  \
             {arrived} of the {} blocks written since the flush before had arrived.\n  \
             The last operations of the workload:\n{}  \
             The log afterwards: {verdict}\n  That breaks the promise: {words}\n  \
             The disk as the crash left it: {}\n  \
             To look at it: crash-disks look --file-system {} --seed {} {} {}",
            on.name(),
            self.seed,
            self.cut,
            self.epoch.units(),
            self.ledger.last_operations(self.cut),
            image.display(),
            on.name(),
            self.seed,
            log,
            image.display(),
        )
    }
}
