//! Every file call of the life of a log fails, with every error, once and for ever.

use std::io;

use super::calls::FileCall;
use super::campaign::Field;
use super::case::{Case, Play};
use super::fault::{Fault, Often};
use super::script::{DIRECT, PAD, PREAD};
use super::tracer::Plan;
use crate::Tally;

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Every how many-th case is taken; 1 is all of them.
    pub step: u64,
    /// Which of them is the first.
    pub seed: u64,
}

/// Runs the faults.
///
/// # Errors
/// If they cannot be carried out.
pub fn run(field: &Field, tally: &mut Tally, extent: Extent) -> io::Result<()> {
    let mut cases = Vec::new();
    let site = field.site()?;
    for language in field.programs().languages() {
        for flags in [0, DIRECT | PREAD | PAD] {
            let case = Case { language, flags, play: Play::Life, plan: Plan::Count, again: None };
            let report = site.take(&case)?;
            if let Some(story) = report.broken {
                return Err(io::Error::other(story));
            }
            println!("faults: {case} has {} file calls", report.run.calls.len());
            cases.extend(faults_of(case, &report.run.calls));
        }
    }
    drop(site);
    let (count, wanted) = (cases.len() as u64, cases.len() as u64 / extent.step);
    println!("faults: {wanted} of {count} cases, scattered");
    // Where the time ends early, what was taken lies all over the life of the log.
    let next = |number: u64| {
        let place = (number * STRIDE + extent.seed) % count;
        cases.get(place as usize).copied().filter(|_| number < wanted)
    };
    field.take_all(tally, next, |tally, case, report| {
        tally.add("faults", u64::from(report.reached));
        if let Plan::Fail(_, fault, often) = case.plan {
            tally.add(fault.name(), u64::from(report.reached));
            let figure = if often == Often::Once { "once" } else { "for ever" };
            tally.add(figure, u64::from(report.reached));
        }
    })
}

fn faults_of(case: Case, calls: &[FileCall]) -> Vec<Case> {
    let mut cases = Vec::new();
    for (position, call) in (1..).zip(calls) {
        for fault in Fault::ALL.into_iter().filter(|fault| fault.befalls(call)) {
            for often in [Often::Once, Often::ForEver] {
                cases.push(Case { plan: Plan::Fail(position, fault, often), ..case });
            }
        }
    }
    cases
}

/// A prime larger than any count of cases, so that every case is taken once.
const STRIDE: u64 = 15_485_863;
