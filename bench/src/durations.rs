//! How long a run took, workload by workload.

use std::time::{Duration, Instant};

/// The parts of a run in the order they were measured.
pub struct Durations {
    started: Instant,
    parts: Vec<Part>,
}

struct Part {
    name: String,
    fs: String,
    taken: Duration,
}

impl Durations {
    /// A run that starts now.
    pub fn start() -> Durations {
        Durations { started: Instant::now(), parts: Vec::new() }
    }

    /// Does a part of the run and keeps how long it took. Parts of one name are added up.
    pub fn time<T>(&mut self, name: &str, fs: &str, part: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let result = part();
        let taken = started.elapsed();
        eprintln!("{name:<20} {fs:<22} {:.1} s", taken.as_secs_f64());
        match self.parts.iter_mut().find(|part| part.name == name && part.fs == fs) {
            Some(part) => part.taken += taken,
            None => self.parts.push(Part { name: name.to_owned(), fs: fs.to_owned(), taken }),
        }
        result
    }

    /// Whole seconds since the start.
    pub fn seconds(&self) -> u64 {
        self.started.elapsed().as_secs()
    }

    /// A line for each part, and their sum, which leaves out what lies between the parts.
    pub fn plain(&self) -> String {
        let mut text = String::from("Wall time\n");
        for Part { name, fs, taken } in &self.parts {
            text.push_str(&format!("{name:<20} {fs:<22} {:>7.1} s\n", taken.as_secs_f64()));
        }
        let sum: Duration = self.parts.iter().map(|part| part.taken).sum();
        text + &format!("{:<20} {:<22} {:>7.1} s\n", "all", "", sum.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_one_name_and_place_are_one_line() {
        let mut durations = Durations::start();
        assert_eq!(durations.time("P1", "ext4", || 7), 7);
        durations.time("P1", "ext4", || ());
        durations.time("P1", "xfs", || ());
        let text = durations.plain();
        assert_eq!(text.lines().filter(|line| line.starts_with("P1")).count(), 2, "{text}");
        assert!(text.lines().last().unwrap().starts_with("all"), "{text}");
    }
}
