//! Transcripts, byte for byte.

use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::process::Runner;
use super::suite::{Scenario, Suite};

/// Runs every scenario with a runner, several at once. Returns how many there are, and what
/// differs.
///
/// # Errors
/// Files of the suite that cannot be read.
pub fn compare(suite: &Suite, runner: &Runner) -> Result<(usize, Vec<String>), String> {
    let exceptions = suite.exceptions(&runner.language)?;
    let scenarios = suite.scenarios()?;
    let adapted = |scenario: &Scenario| Ok(exceptions.apply(&scenario.expected()?));
    let expected: Vec<String> = scenarios.iter().map(adapted).collect::<Result<_, String>>()?;
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::new());
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let (Some(scenario), Some(expected)) = (scenarios.get(at), expected.get(at)) else {
                return;
            };
            let failure = match transcript(runner, scenario) {
                Ok(found) if found == *expected => continue,
                Ok(found) => difference(expected, &found),
                Err(error) => error,
            };
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            found.push(format!("{}: {failure}", scenario.name));
        }
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let mut failures = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    failures.sort();
    for (operation, _) in exceptions.iter() {
        let line = format!("UNSUPPORTED {operation}");
        if !expected.iter().any(|text| text.lines().any(|found| found == line)) {
            failures.push(format!("no scenario has the operation {operation} of the exceptions"));
        }
    }
    Ok((scenarios.len(), failures))
}

/// What the runner prints for a scenario.
///
/// # Errors
/// A runner that cannot be run, does not end or did not understand.
pub fn transcript(runner: &Runner, scenario: &Scenario) -> Result<String, String> {
    let scratch = tempfile::tempdir().map_err(|error| error.to_string())?;
    let ended = runner.run(&[Path::new("run"), &scenario.path, scratch.path()])?;
    if !ended.status.success() {
        let told = ended.stderr.trim_end();
        let last = ended.stdout.lines().last().unwrap_or_default();
        return Err(format!("{}, after `{last}`: {told}", ended.status));
    }
    Ok(ended.stdout)
}

/// The first line that differs, with the call it belongs to.
fn difference(expected: &str, found: &str) -> String {
    let (mut expected, mut found) = (expected.lines(), found.lines());
    let mut call = "";
    loop {
        match (expected.next(), found.next()) {
            (Some(wanted), Some(got)) if wanted == got => {
                if wanted.starts_with("> ") {
                    call = wanted;
                }
            }
            (None, None) => return "white space at the end of a line".to_owned(),
            (wanted, got) => {
                let (wanted, got) = (wanted.unwrap_or("the end"), got.unwrap_or("the end"));
                return format!("after `{call}`\n    expected {wanted}\n    printed  {got}");
            }
        }
    }
}

/// Runners at once; each may have threads of its own.
const THREADS_MAX: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_told_with_its_call() {
        let told = difference("> open\nok\n> sync\nok durable=3\n", "> open\nok\n> sync\nok\n");
        assert_eq!(told, "after `> sync`\n    expected ok durable=3\n    printed  ok");
        let told = difference("> open\nok\n", "> open\n");
        assert_eq!(told, "after `> open`\n    expected ok\n    printed  the end");
    }
}
