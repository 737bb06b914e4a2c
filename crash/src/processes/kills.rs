//! SIGKILL at every entry into a system call and every exit from one, then at random.

use std::io;

use super::campaign::Field;
use super::case::{Case, Language, Play};
use super::script::{DIRECT, PAD, PREAD};
use super::tracer::Plan;
use crate::{Rng, Tally};

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Every how many-th stop of the life of a log is a place to die; 1 is all of them.
    pub step: u64,
    /// How many cases are taken at random; `None`: until the time is over.
    pub random: Option<u64>,
    /// Where the random ones begin.
    pub seed: u64,
}

/// Runs the kills.
///
/// # Errors
/// If they cannot be carried out.
pub fn run(field: &Field, tally: &mut Tally, extent: Extent) -> io::Result<()> {
    let lives = lives(field)?;
    for life in &lives {
        println!("kills: {} has {} stops", life.case, life.stops);
    }
    let sweep: Vec<Case> = lives
        .iter()
        .flat_map(|life| {
            let first = if extent.step > 1 { extent.seed % extent.step } else { 0 };
            let stops = (1..=life.stops).skip(first as usize).step_by(extent.step as usize);
            stops.map(|stop| Case { plan: Plan::Kill(stop), ..life.case })
        })
        .collect();
    let swept = |number| sweep.get(number as usize).copied();
    field.take_all(tally, swept, |tally, _, report| {
        tally.add("kills", u64::from(report.reached));
        tally.add("at every stop", u64::from(report.reached));
    })?;
    let probes: Vec<Life> = field.programs().languages().into_iter().map(probe).collect();
    let random = |number| {
        let more = extent.random.is_none_or(|count| number < count);
        more.then(|| random_case(&mut Rng::new(extent.seed ^ number << 20), &lives, &probes))
    };
    field.take_all(tally, random, |tally, case, report| {
        // Two kills where the one who came back was killed as well.
        let kills = u64::from(report.reached) * (1 + u64::from(case.again.is_some()));
        tally.add("kills", kills);
        tally.add(figure(case), kills);
    })
}

/// A script, and how often it enters and leaves the kernel.
struct Life {
    case: Case,
    stops: u64,
}

fn lives(field: &Field) -> io::Result<Vec<Life>> {
    let site = field.site()?;
    let mut lives = Vec::new();
    for language in field.programs().languages() {
        for flags in [0, DIRECT | PREAD | PAD] {
            let case = Case { language, flags, play: Play::Life, plan: Plan::Count, again: None };
            let report = site.take(&case)?;
            if let Some(story) = report.broken {
                return Err(io::Error::other(story));
            }
            lives.push(Life { case, stops: report.run.stops });
        }
    }
    Ok(lives)
}

fn probe(language: Language) -> Life {
    let play = Play::Writers(0);
    let case = Case { language, flags: 0, play, plan: Plan::Count, again: None };
    Life { case, stops: WRITERS_STOPS }
}

fn random_case(rng: &mut Rng, lives: &[Life], writers: &[Life]) -> Case {
    let kill = |rng: &mut Rng, stops: u64| Plan::Kill(1 + rng.below(stops as usize) as u64);
    if rng.chance(30) {
        let life = &lives[rng.below(lives.len())];
        let (plan, again) = (kill(rng, life.stops), Some(kill(rng, COMEBACK_STOPS)));
        return Case { plan, again, ..life.case };
    }
    let life = &writers[rng.below(writers.len())];
    let plan = match rng.chance(50) {
        true => kill(rng, life.stops),
        false => Plan::KillAfter(rng.below(WRITERS_MICROS) as u64),
    };
    let flags = [0, 0, 0, DIRECT, PREAD, PAD][rng.below(6)];
    Case { plan, flags, play: Play::Writers(rng.next() >> 16), ..life.case }
}

fn figure(case: &Case) -> &'static str {
    match (case.play, case.again) {
        (Play::Writers(_), _) => "under 8 writers",
        (_, Some(_)) => "twice",
        (_, None) => "at every stop",
    }
}

/// About how often eight writers enter and leave the kernel.
const WRITERS_STOPS: u64 = 3000;
/// About how often somebody does who comes back.
const COMEBACK_STOPS: u64 = 330;
/// About how long eight writers write.
const WRITERS_MICROS: usize = 60_000;
