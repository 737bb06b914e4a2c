//! Where the cases of one worker take place, one after the other.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::case::{Case, Language, Play};
use super::fault::Fault;
use super::ledger::Ledger;
use super::model::Model;
use super::programs::Programs;
use super::script::{Op, Script};
use super::tracer::{self, End, Plan, Run};
use super::verdict::{self, Disturbance};
use super::watch::Watch;
use super::writers::Writers;

/// A directory with a log, the ledger of its driver, and the programs that drive it.
pub struct Site {
    root: PathBuf,
    ledgers: PathBuf,
    programs: Arc<Programs>,
    watch: Arc<Watch>,
}

/// What a case came to.
pub struct Report {
    /// How the driver's run went.
    pub run: Run,
    /// Whether what was planned took place. If not, the case shows nothing.
    pub reached: bool,
    /// The promise that was broken, as a story.
    pub broken: Option<String>,
}

impl Site {
    /// A site below `base`.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn new(base: &Path, programs: Arc<Programs>, watch: Arc<Watch>) -> io::Result<Site> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("wal-crash-{}-{number}", std::process::id());
        let root = base.join(&name);
        fs::create_dir_all(&root)?;
        // The ledger is no part of what is tested: in memory it costs no write-back.
        let memory = Path::new("/dev/shm");
        let ledgers = if memory.is_dir() { memory.join(&name) } else { root.join("ledgers") };
        fs::create_dir_all(&ledgers)?;
        Ok(Site { root, ledgers, programs, watch })
    }

    /// Takes a case from the beginning to the verdict.
    ///
    /// # Errors
    /// If the case could not be carried out; that says nothing about the log.
    pub fn take(&self, case: &Case) -> io::Result<Report> {
        self.clear()?;
        let ledger = Ledger::create(&self.ledgers.join("first"), &case.script())?;
        ledger.clear(1);
        let run = self.run(case.language, &ledger, case.plan)?;
        let mut reached = run.place.is_some() || case.plan == Plan::Count;
        let mut broken = self.ended(&run, case.plan).err();
        let mut told = tell(&ledger);
        if broken.is_none() {
            broken = match case.play {
                Play::Life => {
                    let mut model = Model::default();
                    let taken = verdict::take_in(&mut model, &ledger, disturbance(&run));
                    let again = match (&taken, case.again) {
                        (Ok(()), Some(plan)) => Some(self.come_back(case, plan, &mut model)?),
                        _ => None,
                    };
                    let came_back = again.unwrap_or(Ok((true, String::new())));
                    if let Ok((also_reached, story)) = &came_back {
                        reached &= also_reached;
                        told += story;
                    }
                    let judged = taken.and(came_back.map(drop));
                    judged.and_then(|()| verdict::judge(&self.log(), &model)).err()
                }
                Play::Writers(_) => Writers::of(&ledger)
                    .and_then(|writers| {
                        verdict::catching(|| {
                            let compare = |found: &_| writers.compare(found);
                            verdict::go_on(&self.log(), writers.opened(), compare).map(drop)
                        })
                    })
                    .err(),
            };
        }
        let broken = broken.map(|broken| self.story(case, &run, &told, &broken));
        Ok(Report { run, reached, broken })
    }

    /// Somebody opens the log that the crash left, and crashes as well.
    fn come_back(
        &self,
        case: &Case,
        plan: Plan,
        model: &mut Model,
    ) -> io::Result<Result<(bool, String), String>> {
        let ledger = Ledger::create(&self.ledgers.join("second"), &Script::comeback(case.flags))?;
        ledger.clear(2);
        let run = self.run(case.language, &ledger, plan)?;
        let taken = self.ended(&run, plan);
        let taken = taken.and_then(|()| verdict::take_in(model, &ledger, disturbance(&run)));
        let story = format!("  then, after {:?}:\n{}", run.place, tell(&ledger));
        Ok(taken
            .map(|()| (run.place.is_some(), story.clone()))
            .map_err(|text| format!("{text}\n{story}")))
    }

    fn run(&self, language: Language, ledger: &Ledger, plan: Plan) -> io::Result<Run> {
        let mut command = Command::new(self.programs.of(language));
        command.arg(self.log()).arg(ledger.path()).env("RUST_BACKTRACE", "0");
        let errors = File::create(self.root.join("errors"))?;
        tracer::run(&mut command, errors, ledger, plan, &self.watch)
    }

    /// Whether the driver ended as it should.
    fn ended(&self, run: &Run, plan: Plan) -> Result<(), String> {
        let was_killed = matches!(plan, Plan::Kill(_) | Plan::KillAfter(_));
        match &run.end {
            End::Exited(0) => Ok(()),
            End::Signalled(libc::SIGKILL) if was_killed => Ok(()),
            End::Hung(doing) => Err(format!("the driver hung:\n{doing}")),
            end => {
                let errors = fs::read_to_string(self.root.join("errors")).unwrap_or_default();
                let errors: Vec<_> = errors.lines().take(LINES_MAX).collect();
                Err(format!("the driver ended with {end:?}: {}", errors.join("\n")))
            }
        }
    }

    fn story(&self, case: &Case, run: &Run, told: &str, broken: &str) -> String {
        let kept = self.root.with_extension(format!("kept-{}", case.to_string().replace('/', "-")));
        let place = run.place.as_deref().unwrap_or("nowhere");
        let kept = match copy(&self.root, &kept) {
            Ok(()) => format!("what was left, after the verdict, is in {}", kept.display()),
            Err(error) => format!("what was left could not be kept: {error}"),
        };
        let again = format!("again: crash-processes case '{case}'");
        format!("{case}\n{told}  struck at {place}\n{broken}\n{kept}\n{again}")
    }

    fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    fn clear(&self) -> io::Result<()> {
        for name in ["log", "log.copy"] {
            match fs::remove_dir_all(self.root.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        for directory in [&self.root, &self.ledgers] {
            match fs::remove_dir_all(directory) {
                // One lies in the other where logs are kept in memory as well.
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    eprintln!("{}: {error}", directory.display());
                }
                _ => {}
            }
        }
    }
}

/// From where on something may have failed. What a correct program does not notice disturbs
/// nothing.
fn disturbance(run: &Run) -> Disturbance {
    let Some(call) = run.failed else { return Disturbance::default() };
    let harmless = run.fault.is_some_and(|fault| fault.is_harmless(&call));
    Disturbance {
        from: (!harmless).then_some(run.sequence),
        writes_fail: call.writes(),
        may_be_full: run.fault.is_some_and(Fault::is_full),
    }
}

/// The last operations of a driver, in words.
fn tell(ledger: &Ledger) -> String {
    let mut lines = Vec::new();
    for index in 0..ledger.main_count() {
        let (op, outcome) = (ledger.op(index), ledger.read(index));
        if outcome.begun.is_none() {
            continue;
        }
        let end = match outcome.done {
            None => "was not seen to end".into(),
            Some(_) if outcome.status == super::ledger::OK => format!("{:?}", outcome.values),
            Some(_) => format!("failed: {} {}", outcome.status, outcome.text),
        };
        let Op { kind, a, b, c } = op;
        lines.push(format!("  {index}: {kind:?} {a} {b} {c} ({}): {end}\n", outcome.argument));
    }
    // What matters is around the first thing that went wrong; else at the end.
    let wrong = lines.iter().position(|line| line.contains(": failed: "));
    let last = lines.len().saturating_sub(LINES_MAX);
    let first = wrong.map_or(last, |wrong| wrong.saturating_sub(3).min(last));
    lines[first..].iter().take(LINES_MAX).map(String::as_str).collect()
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name()))?,
            false => fs::copy(entry.path(), to.join(entry.file_name())).map(drop)?,
        }
    }
    Ok(())
}

const LINES_MAX: usize = 16;
