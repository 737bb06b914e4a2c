//! What a machine has said before its power was lost.

use crate::disks::{Event, Verdict};

/// What was heard of one machine.
#[derive(Debug, Default)]
pub struct Told {
    /// Whether the file system was mounted.
    pub is_mounted: bool,
    /// Why it was not.
    pub unmounted: Option<String>,
    /// What an opening found.
    pub opening: Option<Verdict>,
    /// What was begun and done from then on.
    pub marks: Vec<Event>,
    /// What went wrong in a machine on whose disk nothing did.
    pub failure: Option<String>,
}

impl Told {
    /// Reads the lines.
    ///
    /// # Errors
    ///
    /// A line that no machine says.
    pub fn of(lines: &[String]) -> Result<Told, String> {
        let mut told = Told::default();
        for line in lines {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "ready" | super::watch::IDLE => {}
                "mounted" => told.is_mounted = true,
                "unmounted" => told.unmounted = Some(rest.to_owned()),
                "error" => told.failure = Some(rest.to_owned()),
                "found" | "unopened" | "stuck" => told.opening = Some(Verdict::of_line(line)),
                // Of an opening that has not said yet what it found: it has promised nothing.
                "begin" | "done" | "failed" if told.opening.is_none() => {}
                "begin" | "done" | "failed" => told.marks.push(Event::Mark(line.clone())),
                _ => return Err(format!("a machine said `{line}`")),
            }
        }
        Ok(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn only_what_follows_an_opening_promises_anything() {
        let said = lines(&["mounted", "begin open", "done", "found 1||", "begin sync", "done"]);
        let told = Told::of(&said).expect("every line is one of a machine");
        assert!(told.is_mounted && matches!(told.opening, Some(Verdict::Found(_))));
        assert_eq!(told.marks.len(), 2);
        let told = Told::of(&said[..3]).expect("every line is one of a machine");
        assert!(told.opening.is_none() && told.marks.is_empty());
    }

    #[test]
    fn what_went_wrong_is_heard_and_nonsense_is_refused() {
        let told = Told::of(&lines(&["mounted", "unopened it is gone"]));
        let opening = told.expect("every line is one of a machine").opening;
        assert_eq!(opening, Some(Verdict::DidNotOpen("it is gone".to_owned())));
        let told = Told::of(&lines(&["unmounted bad superblock"]));
        let unmounted = told.expect("every line is one of a machine").unmounted;
        assert_eq!(unmounted.as_deref(), Some("bad superblock"));
        assert!(Told::of(&lines(&["mounted", "Kernel panic"])).is_err());
    }
}
