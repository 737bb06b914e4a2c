//! The rung of the crash campaign that explores schedules and crashes together.

use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Parser;
use wal_crash::Tally;
use wal_crash::schedules::{Plan, SCENARIOS, explore};

/// Runs the engine's threads under a scheduler over a simulated disk, and judges what crashes at
/// its operations leave.
#[derive(Parser)]
struct Arguments {
    /// Only the cases of this kind.
    #[arg(long)]
    scenario: Option<String>,
    /// The seed of all cases; the clock's unless set.
    #[arg(long)]
    seed: Option<u64>,
    /// Only this case, as a report has named it.
    #[arg(long)]
    case: Option<u64>,
    /// At most so many cases.
    #[arg(long, default_value_t = u64::MAX)]
    cases: u64,
    /// For at most so many seconds.
    #[arg(long)]
    seconds: Option<u64>,
    /// Crashes judged of each case.
    #[arg(long, default_value_t = 4)]
    crashes: usize,
    /// Cases at a time.
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// Says what kinds there are.
    #[arg(long)]
    list: bool,
}

fn main() -> std::io::Result<ExitCode> {
    let arguments = Arguments::parse();
    if arguments.list {
        SCENARIOS.iter().for_each(|one| println!("{:14} {}", one.name, one.about));
        return Ok(ExitCode::SUCCESS);
    }
    let is_chosen = |name: &str| arguments.scenario.as_deref().is_none_or(|only| only == name);
    let scenarios: Vec<_> = SCENARIOS.iter().filter(|one| is_chosen(one.name)).collect();
    if scenarios.is_empty() {
        eprintln!("no such scenario: see --list");
        return Ok(ExitCode::FAILURE);
    }
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let seed = arguments.seed.unwrap_or(clock);
    println!("schedules: seed {seed}");
    let cases = match arguments.case {
        Some(case) => case..case + 1,
        None => 0..arguments.cases,
    };
    let mut tally = Tally::new("schedules");
    let until = arguments.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let (crashes, workers) = (arguments.crashes, arguments.workers);
    let outcome = explore(Plan { scenarios, seed, cases, until, crashes, workers });
    tally.add("schedules", outcome.schedules);
    tally.add("states", outcome.states);
    tally.add("calls that failed", outcome.faults);
    for (case, story) in outcome.violations {
        let mut command = format!("crash-schedules --seed {seed} --case {case}");
        if let Some(scenario) = &arguments.scenario {
            command += &format!(" --scenario {scenario}");
        }
        tally.violation(&format!("{story}repeat it with: {command} --crashes {crashes}"));
    }
    tally.finish()
}
