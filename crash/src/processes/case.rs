//! One run of a driver that is killed, or whose system calls fail, as a line that brings it back.

use std::fmt;
use std::str::FromStr;

use super::fault::{Fault, Often};
use super::script::Script;
use super::tracer::Plan;

/// A case: `rust:0:life:kill=523`, `c:7:writers=99:after=8123`, `rust:0:life:kill=12,kill=40`,
/// `c:0:life:fail=120/EIO/once`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// Through which language.
    pub language: Language,
    /// The flags of every opening.
    pub flags: u64,
    /// What is done.
    pub play: Play,
    /// What befalls it.
    pub plan: Plan,
    /// What befalls whoever comes back to the log.
    pub again: Option<Plan>,
}

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// `wal-core`.
    Rust,
    /// `libwal.so`.
    C,
}

/// What a driver does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Play {
    /// The life of a log.
    Life,
    /// Threads that write at random, by a seed.
    Writers(u64),
}

impl Case {
    /// The script of the driver.
    pub fn script(&self) -> Script {
        match self.play {
            Play::Life => Script::life_cycle(self.flags),
            Play::Writers(seed) => Script::writers(seed, self.flags),
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let language = match self.language {
            Language::Rust => "rust",
            Language::C => "c",
        };
        write!(f, "{language}:{}:", self.flags)?;
        match self.play {
            Play::Life => write!(f, "life:")?,
            Play::Writers(seed) => write!(f, "writers={seed}:")?,
        }
        write_plan(f, self.plan)?;
        if let Some(again) = self.again {
            write!(f, ",")?;
            write_plan(f, again)?;
        }
        Ok(())
    }
}

impl FromStr for Case {
    type Err = String;

    fn from_str(text: &str) -> Result<Case, String> {
        let wrong = || format!("`{text}` is no case");
        let mut parts = text.splitn(4, ':');
        let mut part = || parts.next().ok_or_else(wrong);
        let language = match part()? {
            "rust" => Language::Rust,
            "c" => Language::C,
            _ => return Err(wrong()),
        };
        let flags = part()?.parse().map_err(|_| wrong())?;
        let play = match part()? {
            "life" => Play::Life,
            play => {
                let seed = play.strip_prefix("writers=").ok_or_else(wrong)?;
                Play::Writers(seed.parse().map_err(|_| wrong())?)
            }
        };
        let mut plans = part()?.split(',').map(|plan| parse_plan(plan).ok_or_else(wrong));
        let plan = plans.next().ok_or_else(wrong)??;
        let again = plans.next().transpose()?;
        Ok(Case { language, flags, play, plan, again })
    }
}

fn write_plan(f: &mut fmt::Formatter<'_>, plan: Plan) -> fmt::Result {
    match plan {
        Plan::Count => write!(f, "count"),
        Plan::Kill(stop) => write!(f, "kill={stop}"),
        Plan::KillAfter(micros) => write!(f, "after={micros}"),
        Plan::Fail(position, fault, often) => {
            let often = if often == Often::Once { "once" } else { "ever" };
            write!(f, "fail={position}/{}/{often}", fault.name())
        }
    }
}

fn parse_plan(text: &str) -> Option<Plan> {
    if text == "count" {
        return Some(Plan::Count);
    }
    let (name, value) = text.split_once('=')?;
    match name {
        "kill" => Some(Plan::Kill(value.parse().ok()?)),
        "after" => Some(Plan::KillAfter(value.parse().ok()?)),
        "fail" => {
            let mut parts = value.split('/');
            let position = parts.next()?.parse().ok()?;
            let name = parts.next()?;
            let fault = *Fault::ALL.iter().find(|fault| fault.name() == name)?;
            let often = if parts.next()? == "once" { Often::Once } else { Often::ForEver };
            Some(Plan::Fail(position, fault, often))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_that_was_printed_is_read_back() {
        let lines = [
            "rust:0:life:kill=523",
            "c:7:writers=99:after=8123",
            "rust:0:life:kill=12,kill=40",
            "c:3:life:fail=120/EDQUOT/ever",
            "rust:0:life:fail=1/short/once",
        ];
        for line in lines {
            assert_eq!(line.parse::<Case>().map(|case| case.to_string()), Ok(line.into()));
        }
        assert!("perl:0:life:count".parse::<Case>().is_err());
        assert!("c:0:life:fail=1/EPERM/once".parse::<Case>().is_err());
    }
}
