//! The same kills for any log: at stops all over a plain script. What is left is opened by another
//! process, since a log may hang, panic, or keep state of its own.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::campaign::Field;
use super::ledger::{Ledger, OK};
use super::plain::Finding;
use super::programs;
use super::script::{Kind, Script};
use super::tracer::{self, End, Plan, Run};
use crate::{System, Tally};

/// What was found of one log.
#[derive(Default)]
struct Row {
    stops: u64,
    kills: u64,
    found: BTreeMap<&'static str, u64>,
    example: Option<String>,
}

/// Kills every log at so many stops, and prints a table.
///
/// # Errors
/// If that cannot be carried out.
pub fn run(field: &Field, tally: &mut Tally, kills: u64, only: Option<&str>) -> io::Result<()> {
    let mut lines = Vec::new();
    for system in crate::systems() {
        if only.is_some_and(|only| only != system.name()) {
            continue;
        }
        let row = row(field, &*system, kills)?;
        // What another log loses is a fact to be told, and no failure of this one.
        if system.name() == "libwal" && !row.found.is_empty() {
            tally.violation(&row.example.as_deref().unwrap_or_default());
        }
        tally.add("kills", row.kills);
        lines.push(line(&*system, &row));
        if let Some(example) = &row.example {
            println!("{}: for example\n{example}", system.name());
        }
    }
    println!(
        "| log | version | stops | kills | lost an acknowledged record | wrong bytes or order | \
         did not open | could not go on | hung or crashed |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    lines.iter().for_each(|line| println!("{line}"));
    Ok(())
}

fn row(field: &Field, system: &dyn System, kills: u64) -> io::Result<Row> {
    let place = Place::new(field, system)?;
    let (run, _) = place.strike(Plan::Count)?;
    if run.end != End::Exited(0) {
        let name = system.name();
        return Err(io::Error::other(format!("{name} ends with {:?} unharmed", run.end)));
    }
    place.refuse_failures(&run)?;
    let stops = run.stops;
    drop(place);
    let row = Mutex::new(Row { stops, ..Row::default() });
    let next = AtomicU64::new(0);
    let wanted = kills.min(stops);
    let work = || -> io::Result<()> {
        let place = Place::new(field, system)?;
        while !field.is_over() {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= wanted {
                break;
            }
            // Evenly over the script; with as many kills as stops, at every one.
            let stop = 1 + number * stops / wanted;
            let (run, _) = place.strike(Plan::Kill(stop))?;
            let Some(struck) = &run.place else { continue };
            let verdict = place.judge(field)?;
            let mut row = row.lock().unwrap_or_else(PoisonError::into_inner);
            row.kills += 1;
            if let Some((name, text)) = verdict {
                *row.found.entry(name).or_default() += 1;
                row.example.get_or_insert_with(|| {
                    format!("  killed at stop {stop}, {struck}\n  {name}: {}", text.trim())
                });
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..field.workers()).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| {
            worker.join().map_err(|_| io::Error::other("a worker panicked"))?
        })
    })?;
    Ok(row.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Where one log is killed again and again.
struct Place<'a> {
    field: &'a Field,
    name: &'static str,
    root: std::path::PathBuf,
    ledger: Ledger,
}

impl Place<'_> {
    fn new<'a>(field: &'a Field, system: &dyn System) -> io::Result<Place<'a>> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let (base, _) = field.directories();
        let name = system.name();
        let root = base.join(format!("wal-crash-{}-{name}-{number}", std::process::id()));
        fs::create_dir_all(&root)?;
        let ledger = Ledger::create(&root.join("ledger"), &Script::plain())?;
        Ok(Place { field, name, root, ledger })
    }

    /// Runs the driver from an empty directory on; the second value is where the log lies.
    fn strike(&self, plan: Plan) -> io::Result<(Run, std::path::PathBuf)> {
        let log = self.root.join("log");
        match fs::remove_dir_all(&log) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.ledger.clear(1);
        let mut command = self.driver()?;
        command.arg("peer").arg(self.name).arg(&log).arg(self.ledger.path());
        let errors = File::create(self.root.join("errors"))?;
        let run = tracer::run(&mut command, errors, &self.ledger, plan, self.field.watch())?;
        Ok((run, log))
    }

    /// A driver whose log fails unharmed is used wrongly: nothing it shows would count.
    fn refuse_failures(&self, run: &Run) -> io::Result<()> {
        for index in 0..self.ledger.main_count() {
            let outcome = self.ledger.read(index);
            if outcome.status != OK {
                let text = format!("{} fails unharmed: {} {run:?}", self.name, outcome.text);
                return Err(io::Error::other(text));
            }
        }
        Ok(())
    }

    /// Lets another process judge; `None`: all is well.
    fn judge(&self, field: &Field) -> io::Result<Option<(&'static str, String)>> {
        let (mut acknowledged, mut submitted) = (0_u64, 0_u64);
        for index in 0..self.ledger.main_count() {
            let outcome = self.ledger.read(index);
            if self.ledger.op(index).kind == Kind::Append {
                submitted += u64::from(outcome.begun.is_some());
                acknowledged += u64::from(outcome.done.is_some() && outcome.status == OK);
            }
        }
        let errors = self.root.join("errors");
        let mut child = self
            .driver()?
            .arg("judge")
            .arg(self.name)
            .arg(self.root.join("log"))
            .args([acknowledged.to_string(), submitted.to_string()])
            .stdout(std::process::Stdio::null())
            .stderr(File::create(&errors)?)
            .spawn()?;
        let guard = field.watch().begin(child.id() as i32);
        let status = child.wait()?;
        let hung = guard.end();
        if status.success() {
            return Ok(None);
        }
        let text = fs::read_to_string(&errors).unwrap_or_default();
        let text: String = text.chars().take(TEXT_MAX).collect();
        let name = match Finding::ALL.iter().find(|finding| status.code() == Some(**finding as i32))
        {
            Some(finding) => name_of(*finding),
            None => "hung or crashed",
        };
        Ok(Some((name, hung.unwrap_or(text))))
    }

    fn driver(&self) -> io::Result<Command> {
        let mut command = Command::new(programs::beside()?.join("crash-driver"));
        command.env("RUST_BACKTRACE", "0");
        Ok(command)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let root: &Path = &self.root;
        if let Err(error) = fs::remove_dir_all(root) {
            eprintln!("{}: {error}", root.display());
        }
    }
}

fn name_of(finding: Finding) -> &'static str {
    match finding {
        Finding::Lost => "lost an acknowledged record",
        Finding::Wrong => "wrong bytes or order",
        Finding::Refused => "did not open",
        Finding::Stuck => "could not go on",
    }
}

fn line(system: &dyn System, row: &Row) -> String {
    let names = Finding::ALL.map(name_of).into_iter().chain(["hung or crashed"]);
    let counts: Vec<String> =
        names.map(|name| row.found.get(name).copied().unwrap_or(0).to_string()).collect();
    let (name, version) = (system.name(), system.version());
    format!("| {name} | {version} | {} | {} | {} |", row.stops, row.kills, counts.join(" | "))
}

const TEXT_MAX: usize = 600;
