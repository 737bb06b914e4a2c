//! Plants the bugs of `crash/planted/bank.toml` one at a time, and sees that each is caught.
//!
//! `crash-planted check` holds the bank against the sources and builds nothing, `slice` plants
//! the bugs that are marked so, `full` all of them, `one NAME...` those named.

use std::collections::{BTreeSet, VecDeque};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;

use clap::{Parser, Subcommand};
use wal_crash::Tally;
use wal_crash::planted::{Bank, Bug, Build, Copy, Outcome, Rung, Trial};

/// Plants bugs and sees that they are caught.
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    what: What,
    /// Trials at the same time.
    #[arg(long, global = true, default_value_t = 2)]
    jobs: usize,
}

#[derive(Subcommand)]
enum What {
    /// Sees that every bug can still be planted.
    Check,
    /// Prints every bug, its promise and its rung.
    List,
    /// Plants some.
    Slice,
    /// Plants all.
    Full,
    /// Plants these.
    One {
        /// Their names.
        names: Vec<String>,
    },
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("planted: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<ExitCode, String> {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("no checkout")?;
    let bank = Bank::of_checkout(checkout)?;
    bank.check_against(checkout)?;
    match &args.what {
        What::Check => {
            println!("planted: {} bugs, each at its place", bank.bugs.len());
            Ok(ExitCode::SUCCESS)
        }
        What::List => {
            for bug in &bank.bugs {
                println!("{} | {} | {}", bug.name, bug.promise, bug.rung);
            }
            Ok(ExitCode::SUCCESS)
        }
        What::Slice => plant(checkout, &bank, args, |bug| bug.in_slice),
        What::Full => plant(checkout, &bank, args, |_| true),
        What::One { names } => {
            let is_there = |name: &&String| bank.bugs.iter().any(|bug| bug.name == **name);
            if let Some(name) = names.iter().find(|name| !is_there(name)) {
                return Err(format!("no bug is called `{name}`"));
            }
            plant(checkout, &bank, args, |bug| names.contains(&bug.name))
        }
    }
}

fn plant(
    checkout: &Path,
    bank: &Bank,
    args: &Args,
    wanted: impl Fn(&Bug) -> bool,
) -> Result<ExitCode, String> {
    let mut tally = Tally::new("planted");
    let bugs: Vec<&Bug> = bank.bugs.iter().filter(|bug| wanted(bug)).collect();
    if bugs.is_empty() {
        return Err("no such bug".into());
    }
    let target = target_dir()?.join("planted");
    let copy = Copy::make(checkout, &target.join("src"), bank)?;
    let rungs: Vec<&Rung> = bugs.iter().filter_map(|bug| bank.rung_of(bug)).collect();
    let build = Build::of(&copy, &target.join("build"), &rungs)?;
    let trials = Trials { bank, build: &build, is_slice: matches!(args.what, What::Slice) };
    let results = trials.all(&bugs, args.jobs)?;
    let mut figures = Figures::default();
    for (case, trial) in &results {
        figures.judge(case, trial, &mut tally);
    }
    tally.add("planted bugs", figures.planted);
    tally.add("planted bugs caught", figures.caught);
    let code = tally.finish().map_err(|error| error.to_string())?;
    if figures.not_run > 0 {
        println!("planted: NOT RUN: {} bugs whose rung cannot run here", figures.not_run);
    }
    println!("planted bugs caught {} of {}", figures.caught, figures.planted);
    Ok(code)
}

/// Where this program was built, which is where the copy goes.
fn target_dir() -> Result<PathBuf, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    Ok(program.ancestors().nth(2).ok_or("no build directory")?.to_owned())
}

/// A run of a rung: with a bug, or with none.
#[derive(Clone, Copy)]
enum Case<'a> {
    Bug(&'a Bug),
    /// The rung and the arguments of this bug, without it.
    Sound(&'a Bug),
}

struct Trials<'a> {
    bank: &'a Bank,
    build: &'a Build,
    is_slice: bool,
}

impl<'a> Trials<'a> {
    /// Runs every bug, and every rung without one (in a slice: if that is not long); the sound ones
    /// first, since they take longest.
    fn all(&self, bugs: &[&'a Bug], jobs: usize) -> Result<Vec<(Case<'a>, Trial)>, String> {
        let mut rungs = BTreeSet::new();
        let is_long = |bug: &Bug| self.bank.rung_of(bug).is_some_and(|rung| rung.is_long);
        let sound = bugs.iter().filter(|bug| !(self.is_slice && is_long(bug)));
        let sound = sound.filter(|bug| rungs.insert((&bug.rung, &bug.args)));
        let sound = sound.map(|bug| Case::Sound(bug));
        let cases = sound.chain(bugs.iter().map(|bug| Case::Bug(bug)));
        let left: Mutex<VecDeque<Case<'a>>> = Mutex::new(cases.collect());
        let done = Mutex::new(Vec::new());
        thread::scope(|scope| {
            let threads: Vec<_> =
                (0..jobs.max(1)).map(|_| scope.spawn(|| self.work(&left, &done))).collect();
            threads
                .into_iter()
                .try_for_each(|thread| thread.join().unwrap_or_else(|_| Err("a trial died".into())))
        })?;
        Ok(done.into_inner().unwrap_or_default())
    }

    fn work(
        &self,
        left: &Mutex<VecDeque<Case<'a>>>,
        done: &Mutex<Vec<(Case<'a>, Trial)>>,
    ) -> Result<(), String> {
        loop {
            let next = left.lock().map_err(|_| "a trial died")?.pop_front();
            let Some(case) = next else { return Ok(()) };
            let trial = self.one(case)?;
            print_line(case, &trial);
            done.lock().map_err(|_| "a trial died")?.push((case, trial));
        }
    }

    fn one(&self, case: Case<'a>) -> Result<Trial, String> {
        let (bug, name) = match case {
            Case::Bug(bug) => (bug, bug.name.as_str()),
            Case::Sound(bug) => (bug, ""),
        };
        let Some(Rung { program, args, limit, .. }) = self.bank.rung_of(bug) else {
            return Err(format!("`{}` has no rung", bug.name));
        };
        let path = self.build.path(program).ok_or_else(|| format!("{program:?} is not built"))?;
        let args: Vec<&OsStr> = args.iter().chain(&bug.args).map(OsStr::new).collect();
        let tries = if name.is_empty() { 1 } else { bug.tries };
        let mut trial = Trial::run(path, &self.build.directory(program), &args, name, *limit)?;
        for _ in 1..tries {
            if trial.outcome != Outcome::Clean {
                break;
            }
            trial = Trial::run(path, &self.build.directory(program), &args, name, *limit)?;
        }
        Ok(trial)
    }
}

fn print_line(case: Case<'_>, trial: &Trial) {
    let seconds = trial.time.as_secs_f64();
    let (name, promise, rung) = match case {
        Case::Bug(bug) => (bug.name.as_str(), bug.promise.as_str(), rung_text(bug)),
        Case::Sound(bug) => ("(no bug)", "the rung is clean without one", rung_text(bug)),
    };
    let verdict = match (&case, &trial.outcome) {
        (Case::Bug(_), Outcome::Violation(what)) => format!("caught after {seconds:.1} s: {what}"),
        (Case::Bug(bug), Outcome::Hang) if bug.hangs => {
            format!("caught: it hangs, given up after {seconds:.0} s")
        }
        (Case::Sound(_), Outcome::Clean) => format!("clean after {seconds:.1} s"),
        (_, Outcome::NotRun(why)) => format!("NOT RUN: {why}"),
        (Case::Bug(_), _) => format!("NOT CAUGHT after {seconds:.1} s"),
        (Case::Sound(_), outcome) => format!("NOT CLEAN after {seconds:.1} s: {outcome:?}"),
    };
    println!("{name} | {promise} | {rung} | {verdict}");
}

fn rung_text(bug: &Bug) -> String {
    let mut text = bug.rung.clone();
    for arg in &bug.args {
        text.push(' ');
        text.push_str(arg);
    }
    text
}

#[derive(Default)]
struct Figures {
    planted: u64,
    caught: u64,
    not_run: u64,
}

impl Figures {
    fn judge(&mut self, case: &Case<'_>, trial: &Trial, tally: &mut Tally) {
        let said = || trial.said.join("\n  ");
        let story = match (case, &trial.outcome) {
            (_, Outcome::NotRun(_)) => {
                self.not_run += u64::from(matches!(case, Case::Bug(_)));
                return;
            }
            (Case::Sound(_), Outcome::Clean) => return,
            (Case::Sound(bug), outcome) => {
                format!("`{}` without any bug: {outcome:?}\n  {}", rung_text(bug), said())
            }
            (Case::Bug(bug), outcome) => {
                self.planted += 1;
                let is_hang = bug.hangs && *outcome == Outcome::Hang;
                if is_hang || matches!(outcome, Outcome::Violation(_)) {
                    self.caught += 1;
                    return;
                }
                format!(
                    "`{}` was not caught by `{}` ({outcome:?}): {}\n  {}\n  again: crash-planted \
                     one {}",
                    bug.name,
                    rung_text(bug),
                    bug.promise,
                    said(),
                    bug.name
                )
            }
        };
        tally.violation(&story);
    }
}
