//! Which wounds are inflicted on which logs, and by how many threads.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::image::{copy_of, state_path, storage_of};
use super::verdict::judge;
use super::wound::{Changed, SECTOR_BYTES, changed};
use super::{Image, PartKind, Sector, Shape, Wound};
use crate::{Rng, Tally};

/// How much is done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Every sector, and every bit that can matter; otherwise a share of them.
    pub is_full: bool,
    /// Every bit of every file, also where one of a byte, or of eight bytes, says enough.
    pub every_bit: bool,
    /// What the random pairs come from.
    pub seed: u64,
    /// When to end with the pairs. What is enumerated is enumerated to its end.
    pub budget: Duration,
    /// This shape alone.
    pub shape: Option<String>,
    /// This wound alone, as a story names it.
    pub only: Option<String>,
    /// Threads at work.
    pub threads: usize,
}

/// Does it.
///
/// # Errors
///
/// If a sound log does not work.
pub fn run(plan: &Plan, tally: &mut Tally) -> Result<(), String> {
    let started = Instant::now();
    let shapes = Shape::all()?;
    let other = another_log(&shapes)?;
    for shape in &shapes {
        if plan.shape.as_ref().is_some_and(|name| name != shape.name) {
            continue;
        }
        let share = Share::of(plan, shape);
        let campaign = Campaign { plan, shape, other: &other, tally: Mutex::new(&mut *tally) };
        campaign.sound()?;
        campaign.each(&share.bits(shape), Campaign::flips);
        campaign.each(&share.sectors(shape), |campaign, wound| campaign.one(wound, true));
        campaign.each(&files(shape, plan.is_full), |campaign, wound| campaign.one(wound, true));
        if plan.only.is_none() || plan.only.as_ref().is_some_and(|only| only.contains(" and ")) {
            let deadline = started + plan.budget;
            campaign.pairs(plan.is_full, deadline);
        }
    }
    Ok(())
}

/// A log that has nothing to do with any of the shapes.
fn another_log(shapes: &[Shape]) -> Result<Image, String> {
    // Each shape has an identity of its own, and they have the same file names.
    let mut other = shapes.last().map(|shape| shape.image.clone()).unwrap_or_default();
    let again = Shape::all()?;
    for shape in again {
        for (path, bytes) in shape.image {
            other.insert(path, bytes);
        }
    }
    Ok(other)
}

/// What of the enumeration is done.
struct Share {
    /// Of the bytes that structure a log, one in this many; all eight bits of each.
    used: u64,
    /// The same of what lies inside records, and whether all eight bits.
    inner: (u64, bool),
    /// The same of what the log does not need.
    unused: (u64, bool),
    /// Of sectors, two in this many.
    sectors: u64,
}

impl Share {
    fn of(plan: &Plan, shape: &Shape) -> Share {
        let first = shape.name == "closed";
        match (plan.is_full, plan.every_bit) {
            (_, true) => Share::all(),
            (true, _) if first => Share { unused: (1, false), ..Share::all() },
            (true, _) => Share { inner: (1, false), unused: (8, false), ..Share::all() },
            _ => Share { used: 7, inner: (997, true), unused: (9973, true), sectors: 47 },
        }
    }

    fn all() -> Share {
        Share { used: 1, inner: (1, true), unused: (1, true), sectors: 1 }
    }

    /// The bytes whose bits are flipped: all of them, or one.
    fn bits(&self, shape: &Shape) -> Vec<Bits> {
        let mut places = Vec::new();
        for path in shape.image.keys() {
            for part in shape.anatomy.parts(path) {
                for at in part.range.clone() {
                    let from_start = at - part.range.start;
                    let is_edge = from_start < EDGE_BYTES || at + EDGE_BYTES >= part.range.end;
                    let (step, all) = match part.kind {
                        PartKind::Nothing => self.unused,
                        PartKind::Commit if !is_edge => self.inner,
                        PartKind::Header(_) if from_start > EDGE_BYTES => (self.inner.0, true),
                        _ => (self.used, true),
                    };
                    if from_start % step == 0 {
                        places.push(Bits { path: path.clone(), at, all });
                    }
                }
            }
        }
        places
    }

    fn sectors(&self, shape: &Shape) -> Vec<Wound> {
        let mut wounds = Vec::new();
        for (path, bytes) in &shape.image {
            for number in 0..(bytes.len() / SECTOR_BYTES) as u64 {
                let range = number * SECTOR_BYTES as u64..(number + 1) * SECTOR_BYTES as u64;
                let mut touched = shape.anatomy.touched(path, std::slice::from_ref(&range));
                let is_dull = touched.all(|part| part.kind == PartKind::Nothing);
                let step = if is_dull { self.sectors * 4 } else { self.sectors };
                if self.sectors == 1 || number % step < 2 {
                    wounds.extend(
                        Sector::ALL.map(|sector| Wound::Sector(path.clone(), number, sector)),
                    );
                }
            }
        }
        wounds
    }
}

/// Whole files: gone, cut, extended, exchanged, another log's.
fn files(shape: &Shape, is_full: bool) -> Vec<Wound> {
    let mut wounds = Vec::new();
    let state = state_path();
    for (path, bytes) in &shape.image {
        let len = bytes.len() as u64;
        wounds.push(Wound::Missing(path.clone()));
        wounds.push(Wound::Foreign(path.clone()));
        let step = if is_full { 1 } else { 16 };
        for sector in (0..=len / SECTOR_BYTES as u64).step_by(step) {
            let at = sector * SECTOR_BYTES as u64;
            for at in [at.saturating_sub(1), at, at + 1] {
                if at < len {
                    wounds.push(Wound::Cut(path.clone(), at));
                }
            }
        }
        for by in [1, 7, 8, 511, 512, 513, 4096, 65_536, 131_072] {
            for byte in [0, 1, 0xff] {
                wounds.push(Wound::Extended(path.clone(), by, byte));
            }
        }
        for other in shape.image.keys().filter(|other| *other != path) {
            if other > path {
                wounds.push(Wound::Exchanged(path.clone(), other.clone()));
            }
            if *other != state {
                wounds.push(Wound::Copied(path.clone(), other.clone()));
            }
        }
    }
    wounds.dedup();
    wounds
}

/// A byte, and whether each of its bits is flipped or one.
struct Bits {
    path: PathBuf,
    at: u64,
    all: bool,
}

/// One shape at work.
struct Campaign<'a> {
    plan: &'a Plan,
    shape: &'a Shape,
    other: &'a Image,
    tally: Mutex<&'a mut Tally>,
}

impl Campaign<'_> {
    /// An undamaged log has to pass, or every verdict would be worth nothing.
    fn sound(&self) -> Result<(), String> {
        judge(self.shape, &copy_of(&self.shape.storage), &Changed::new(), true)
            .map_err(|what| format!("the sound log `{}`: {what}", self.shape.name))
    }

    /// Shares the work among the threads, a few at a time.
    fn each<T: Sync>(&self, work: &[T], judge: impl Fn(&Self, &T) -> u64 + Sync) {
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..self.plan.threads {
                scope.spawn(|| {
                    loop {
                        let at = next.fetch_add(AT_ONCE, Ordering::Relaxed);
                        let Some(some) = work.get(at..work.len().min(at + AT_ONCE)) else { break };
                        if some.is_empty() {
                            break;
                        }
                        let states = some.iter().map(|work| judge(self, work)).sum();
                        self.tally
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .add("states", states);
                    }
                });
            }
        });
    }

    /// Flips the bits of a byte, one at a time; of some bytes everybody is asked about one of them.
    fn flips(&self, bits: &Bits) -> u64 {
        let (path, at) = (&bits.path, bits.at);
        let part = self.shape.anatomy.at(path, at);
        let is_dull = part.is_none_or(|part| part.kind == PartKind::Nothing);
        let all_are_asked = at % if is_dull { 509 } else { 17 } == 0;
        let chosen = (at % 8) as u8;
        (0..8)
            .filter(|&bit| bits.all || bit == chosen || self.plan.only.is_some())
            .map(|bit| {
                let wound = Wound::Flip(path.clone(), at, bit);
                if self.plan.only.as_ref().is_some_and(|only| *only != wound.to_string()) {
                    return 0;
                }
                let vfs = copy_of(&self.shape.storage);
                if let Err(error) = vfs.corrupt(path, at, 1 << bit) {
                    self.complain(&wound, &error.to_string());
                    return 0;
                }
                let mut changed = Changed::new();
                changed.insert(path.clone(), std::iter::once(at..at + 1).collect());
                let thoroughly = self.plan.only.is_some() || (all_are_asked && bit == chosen);
                if let Err(what) = judge(self.shape, &vfs, &changed, thoroughly) {
                    self.complain(&wound, &what);
                }
                1
            })
            .sum()
    }

    fn one(&self, wound: &Wound, thoroughly: bool) -> u64 {
        if self.plan.only.as_ref().is_some_and(|only| *only != wound.to_string()) {
            return 0;
        }
        let mut image = self.shape.image.clone();
        wound.inflict(&mut image, self.shape, self.other);
        let changed = changed(&self.shape.image, &image);
        if changed.is_empty() {
            return 0;
        }
        let judged = storage_of(&image).map_err(|error| error.to_string());
        let judged = judged.and_then(|vfs| judge(self.shape, &vfs, &changed, thoroughly));
        if let Err(what) = judged {
            self.complain(wound, &what);
        }
        1
    }

    /// Two wounds at once, from the seed: for as long as there is time.
    fn pairs(&self, is_full: bool, deadline: Instant) {
        let mut rng = Rng::new(self.plan.seed);
        let mut all = files(self.shape, true);
        all.extend(Share::all().sectors(self.shape));
        let flips = Share { inner: (97, true), unused: (9973, true), ..Share::all() };
        let flips = flips.bits(self.shape);
        let rounds = if is_full { 40 } else { 1 };
        for _ in 0..rounds {
            let pairs: Vec<_> = (0..if is_full { 500 } else { 60 })
                .map(|_| {
                    let mut one = || match rng.chance(50) {
                        true => all[rng.below(all.len())].clone(),
                        false => {
                            let flip = &flips[rng.below(flips.len())];
                            Wound::Flip(flip.path.clone(), flip.at, rng.below(8) as u8)
                        }
                    };
                    Wound::Both(Box::new(one()), Box::new(one()))
                })
                .collect();
            self.each(&pairs, |campaign, wound| campaign.one(wound, true));
            // A pair that is looked for is found, however slow the machine is.
            if is_full && self.plan.only.is_none() && Instant::now() > deadline {
                break;
            }
        }
    }

    fn complain(&self, wound: &Wound, what: &str) {
        let story = format!(
            "log `{}`, {wound}: {what}\n\
             again: crash-damage {} --seed {} --shape {} --only '{wound}'",
            self.shape.name,
            if self.plan.is_full { "full" } else { "slice" },
            self.plan.seed,
            self.shape.name,
        );
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).violation(&story);
    }
}

/// How far from the ends of a part bytes are looked at one by one also in a slice.
const EDGE_BYTES: u64 = 168;
const AT_ONCE: usize = 16;
