//! What a rung has done, in figures.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Instant;

/// The figures of one rung: what it counted, and what went wrong.
///
/// Every figure is something that was looked at and judged, never something that was planned.
#[derive(Debug)]
pub struct Tally {
    rung: &'static str,
    figures: Vec<(&'static str, u64)>,
    violations: u64,
    started: Instant,
}

impl Tally {
    /// Nothing done yet.
    pub fn new(rung: &'static str) -> Tally {
        Tally { rung, figures: Vec::new(), violations: 0, started: Instant::now() }
    }

    /// Adds to a figure: `states`, `states exhaustive`, `states ext4`, `kills`, `faults`, or one of
    /// the rung's own.
    pub fn add(&mut self, figure: &'static str, count: u64) {
        match self.figures.iter_mut().find(|(name, _)| *name == figure) {
            Some((_, sum)) => *sum += count,
            None => self.figures.push((figure, count)),
        }
    }

    /// What a figure has come to.
    pub fn figure(&self, figure: &str) -> u64 {
        self.figures.iter().find(|(name, _)| *name == figure).map_or(0, |(_, sum)| *sum)
    }

    /// Counts a broken promise, and tells its story.
    pub fn violation(&mut self, story: &dyn fmt::Display) {
        self.violations += 1;
        eprintln!("{}: VIOLATION\n{story}\n", self.rung);
    }

    /// How many promises were broken.
    pub fn violations(&self) -> u64 {
        self.violations
    }

    /// Prints the rung's line, adds it to the file named by `WAL_CRASH_TALLY` for the campaign's
    /// sum, and says how to end: with failure if a promise was broken.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn finish(self) -> io::Result<ExitCode> {
        println!("{self}");
        if let Some(path) = std::env::var_os("WAL_CRASH_TALLY") {
            let mut file = OpenOptions::new().create(true).append(true).open(path)?;
            writeln!(file, "{self}")?;
        }
        Ok(if self.violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.rung)?;
        for (name, sum) in &self.figures {
            write!(f, "{name} {sum}, ")?;
        }
        let seconds = self.started.elapsed().as_secs_f64();
        write!(f, "violations {}, {seconds:.1} s", self.violations)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_summed_and_a_violation_is_failure() -> io::Result<()> {
        let mut tally = Tally::new("rung");
        tally.add("states", 3);
        tally.add("kills", 1);
        tally.add("states", 4);
        assert_eq!((tally.figure("states"), tally.figure("faults")), (7, 0));
        assert!(tally.to_string().starts_with("rung: states 7, kills 1, violations 0, "));
        tally.violation(&"it was lost");
        assert_eq!(tally.finish()?, ExitCode::FAILURE);
        Ok(())
    }
}
