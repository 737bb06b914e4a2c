//! Takes many cases, in several threads, and counts.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::case::Case;
use super::programs::Programs;
use super::site::{Report, Site};
use super::watch::Watch;
use crate::Tally;

/// How a campaign is run.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// Below which directory the logs lie.
    pub base: PathBuf,
    /// How many threads take cases.
    pub workers: usize,
    /// When no new case is begun, if there is such a limit.
    pub deadline: Option<Instant>,
}

/// What the workers share.
pub struct Field {
    campaign: Campaign,
    programs: Arc<Programs>,
    watch: Arc<Watch>,
    home: Home,
}

/// The directory the C driver is compiled into; it goes with the campaign.
struct Home(PathBuf);

impl Campaign {
    /// A campaign of this length, on all processors.
    pub fn new(seconds: Option<u64>) -> Campaign {
        // What a process leaves when it dies is what the kernel has, on any medium: memory is the
        // fastest, and busy with nobody else.
        let memory = PathBuf::from("/dev/shm");
        let base = std::env::var_os("WAL_CRASH_DIR").map(PathBuf::from);
        let base = base.or(memory.is_dir().then_some(memory)).unwrap_or_else(std::env::temp_dir);
        let workers = std::thread::available_parallelism().map_or(2, usize::from);
        let deadline = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
        Campaign { base, workers, deadline }
    }

    /// Prepares the programs.
    ///
    /// # Errors
    /// If they were not built, or do not compile.
    pub fn prepare(self) -> io::Result<Field> {
        let home = Home(self.base.join(format!("wal-crash-{}-programs", std::process::id())));
        std::fs::create_dir_all(&home.0)?;
        let programs = Programs::prepare(&home.0, |why| println!("NOT RUN: through C: {why}"))?;
        let (programs, watch) = (Arc::new(programs), Arc::new(Watch::new()));
        Ok(Field { campaign: self, programs, watch, home })
    }
}

impl Field {
    /// The programs.
    pub fn programs(&self) -> &Programs {
        &self.programs
    }

    /// A place to take cases at.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn site(&self) -> io::Result<Site> {
        let (programs, watch) = (Arc::clone(&self.programs), Arc::clone(&self.watch));
        Site::new(&self.campaign.base, programs, watch)
    }

    /// Where logs lie, and where this campaign's programs do.
    pub fn directories(&self) -> (&PathBuf, &PathBuf) {
        (&self.campaign.base, &self.home.0)
    }

    /// The watch over all processes.
    pub fn watch(&self) -> &Arc<Watch> {
        &self.watch
    }

    /// How many threads there are.
    pub fn workers(&self) -> usize {
        self.campaign.workers
    }

    /// Whether the time is over.
    pub fn is_over(&self) -> bool {
        self.campaign.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Takes cases until there are no more, or the time is over. `next` gives the case of a number,
    /// `done` what it came to.
    ///
    /// # Errors
    /// The first case that could not be carried out.
    pub fn take_all(
        &self,
        tally: &mut Tally,
        next: impl Fn(u64) -> Option<Case> + Sync,
        done: impl Fn(&mut Tally, &Case, &Report) + Sync,
    ) -> io::Result<()> {
        let number = AtomicU64::new(0);
        let tally = Mutex::new(tally);
        let work = || -> io::Result<()> {
            let site = self.site()?;
            while !self.is_over() {
                let Some(case) = next(number.fetch_add(1, Ordering::Relaxed)) else { break };
                let report = site.take(&case)?;
                let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
                done(&mut tally, &case, &report);
                if let Some(story) = &report.broken {
                    tally.violation(story);
                }
                if tally.violations() >= VIOLATIONS_MAX {
                    break;
                }
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..self.campaign.workers).map(|_| scope.spawn(work)).collect();
            workers.into_iter().try_for_each(|worker| {
                worker.join().map_err(|_| io::Error::other("a worker panicked"))?
            })
        })
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("{}: {error}", self.0.display());
        }
    }
}

/// After so many broken promises nobody reads the next one.
const VIOLATIONS_MAX: u64 = 20;
