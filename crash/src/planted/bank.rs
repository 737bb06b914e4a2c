//! The bank: which bugs there are, and which rung is to catch each.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use toml::{Table, Value};

/// All planted bugs, and the rungs that are to catch them.
#[derive(Clone, Debug)]
pub struct Bank {
    /// In the order of the file.
    pub bugs: Vec<Bug>,
    /// By their names.
    pub rungs: BTreeMap<String, Rung>,
}

/// A small change that a tired engineer could make.
#[derive(Clone, Debug)]
pub struct Bug {
    /// What `WAL_PLANTED` is set to.
    pub name: String,
    /// The promise it breaks, in a line.
    pub promise: String,
    /// The source it is in, below the checkout.
    pub file: String,
    /// The text it replaces, which stands there once.
    pub find: String,
    /// What stands there instead; see [`super::Planted`].
    pub replace: String,
    /// Who is to catch it.
    pub rung: String,
    /// What the rung is called with besides its own arguments.
    pub args: Vec<String>,
    /// Whether it is one of those that `make test` plants.
    pub in_slice: bool,
    /// Whether it may show in nothing but that the rung never ends.
    pub hangs: bool,
    /// How often the rung is run until it catches it, where threads of the background decide
    /// whether it comes across the bug.
    pub tries: u64,
}

/// How a rung is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    /// What is run.
    pub program: Program,
    /// With what.
    pub args: Vec<String>,
    /// The features of this package it is built with.
    pub features: Vec<String>,
    /// Binaries that it starts itself.
    pub needs: Vec<String>,
    /// After how long it is given up. Nothing but a bug that hangs gets near.
    pub limit: Duration,
    /// Whether a run that finds nothing is long. `make test` has run it on the engine itself, and
    /// leaves the run without any bug to the whole campaign.
    pub is_long: bool,
}

/// An executable of the copy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Program {
    /// A binary of this package.
    Binary(String),
    /// A test of the engine: the name of its file, or `lib` for the units.
    Test(String),
}

impl Bank {
    /// Reads the bank of a checkout.
    ///
    /// # Errors
    ///
    /// What is wrong with it: a file that cannot be read, a key that is missing or unknown, a name
    /// used twice, a rung nobody has described.
    pub fn of_checkout(root: &Path) -> Result<Bank, String> {
        let path = root.join(PATH);
        let text = fs::read_to_string(&path).map_err(|error| format!("{PATH}: {error}"))?;
        Bank::parse(&text).map_err(|error| format!("{PATH}: {error}"))
    }

    /// Reads a bank.
    ///
    /// # Errors
    ///
    /// As [`Bank::of_checkout`].
    pub fn parse(text: &str) -> Result<Bank, String> {
        let mut table: Table = text.parse().map_err(|error| format!("{error}"))?;
        let mut rungs = BTreeMap::new();
        if let Some(Value::Table(described)) = table.remove("rung") {
            for (name, value) in described {
                let fields = Fields::of(value, format!("rung `{name}`"))?;
                rungs.insert(name, rung(fields)?);
            }
        }
        let mut bugs = Vec::new();
        if let Some(Value::Array(described)) = table.remove("bug") {
            for value in described {
                bugs.push(bug(Fields::of(value, "a bug".to_owned())?)?);
            }
        }
        if let Some(key) = table.keys().next() {
            return Err(format!("`{key}` is nothing a bank has"));
        }
        let bank = Bank { bugs, rungs };
        bank.check()?;
        Ok(bank)
    }

    /// The rung of a bug.
    pub fn rung_of(&self, bug: &Bug) -> Option<&Rung> {
        self.rungs.get(&bug.rung)
    }

    fn check(&self) -> Result<(), String> {
        let mut names = BTreeSet::new();
        for bug in &self.bugs {
            if !names.insert(&bug.name) {
                return Err(format!("two bugs are called `{}`", bug.name));
            }
            if self.rung_of(bug).is_none() {
                return Err(format!("`{}`: no rung is called `{}`", bug.name, bug.rung));
            }
            if bug.find.is_empty() || bug.find == bug.replace {
                return Err(format!("`{}` changes nothing", bug.name));
            }
        }
        Ok(())
    }
}

/// Where the bank is, below the checkout.
const PATH: &str = "crash/planted/bank.toml";

fn rung(mut fields: Fields) -> Result<Rung, String> {
    let program = match (fields.text_or_none("binary")?, fields.text_or_none("test")?) {
        (Some(name), None) => Program::Binary(name),
        (None, Some(name)) => Program::Test(name),
        _ => return Err(format!("{}: either `binary` or `test`", fields.what)),
    };
    let (args, features) = (fields.texts("args")?, fields.texts("features")?);
    let needs = fields.texts("needs")?;
    let limit = Duration::from_secs(fields.number_or("seconds", LIMIT_SECONDS)?);
    let is_long = fields.flag("long")?;
    fields.end(Rung { program, args, features, needs, limit, is_long })
}

fn bug(mut fields: Fields) -> Result<Bug, String> {
    let name = fields.text("name")?;
    fields.what = format!("bug `{name}`");
    let bug = Bug {
        name,
        promise: fields.text("promise")?,
        file: fields.text("file")?,
        find: fields.text("find")?,
        replace: fields.text("replace")?,
        rung: fields.text("rung")?,
        args: fields.texts("args")?,
        in_slice: fields.flag("slice")?,
        hangs: fields.flag("hangs")?,
        tries: fields.number_or("tries", 1)?,
    };
    fields.end(bug)
}

const LIMIT_SECONDS: u64 = 180;

/// The keys of one table, each taken once.
struct Fields {
    what: String,
    table: Table,
}

impl Fields {
    fn of(value: Value, what: String) -> Result<Fields, String> {
        match value {
            Value::Table(table) => Ok(Fields { what, table }),
            _ => Err(format!("{what} is no table")),
        }
    }

    fn text_or_none(&mut self, key: &str) -> Result<Option<String>, String> {
        match self.table.remove(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(format!("{}: `{key}` is no text", self.what)),
        }
    }

    fn text(&mut self, key: &str) -> Result<String, String> {
        let text = self.text_or_none(key)?;
        text.ok_or_else(|| format!("{}: `{key}` is missing", self.what))
    }

    fn texts(&mut self, key: &str) -> Result<Vec<String>, String> {
        let wrong = || format!("{}: `{key}` is no list of texts", self.what);
        match self.table.remove(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(values)) => values
                .into_iter()
                .map(|value| value.as_str().map(str::to_owned).ok_or_else(wrong))
                .collect(),
            Some(_) => Err(wrong()),
        }
    }

    fn flag(&mut self, key: &str) -> Result<bool, String> {
        match self.table.remove(key) {
            None => Ok(false),
            Some(Value::Boolean(flag)) => Ok(flag),
            Some(_) => Err(format!("{}: `{key}` is neither true nor false", self.what)),
        }
    }

    fn number_or(&mut self, key: &str, default: u64) -> Result<u64, String> {
        match self.table.remove(key) {
            None => Ok(default),
            Some(Value::Integer(number)) => {
                u64::try_from(number).map_err(|_| format!("{}: `{key}` is negative", self.what))
            }
            Some(_) => Err(format!("{}: `{key}` is no number", self.what)),
        }
    }

    /// Refuses what nobody has asked for: a key that is misspelt would otherwise be ignored.
    fn end<T>(self, whole: T) -> Result<T, String> {
        match self.table.keys().next() {
            Some(key) => Err(format!("{}: `{key}` is unknown", self.what)),
            None => Ok(whole),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNG: &str = "[rung.states]\nbinary = 'crash-states'\nargs = ['random']\n";

    fn bug(lines: &str) -> String {
        format!(
            "{RUNG}[[bug]]\nname = 'a'\npromise = 'b'\nfile = 'c.rs'\nfind = 'd'\nreplace = 'e'\n\
             rung = 'states'\n{lines}"
        )
    }

    #[test]
    fn a_bank_that_contradicts_itself_is_refused() {
        for (text, reason) in [
            (bug("colour = 'red'"), "`colour` is unknown"),
            (bug("slice = 'yes'"), "neither true nor false"),
            (bug("").replace("rung = 'states'", "rung = 'other'"), "no rung is called `other`"),
            (bug("").replace("find = 'd'", "find = 'e'"), "changes nothing"),
            (bug("").replace("promise = 'b'\n", ""), "`promise` is missing"),
            (format!("{0}\n{1}", bug(""), &bug("")[RUNG.len()..]), "two bugs are called `a`"),
            (RUNG.replace("binary", "script"), "either `binary` or `test`"),
            ("[nothing]".to_owned(), "`nothing` is nothing a bank has"),
        ] {
            let error = Bank::parse(&text).expect_err(reason);
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn a_bug_has_what_the_bank_says() {
        let bank = Bank::parse(&bug("args = ['x', 'y']\nslice = true")).expect("it is one");
        let bug = &bank.bugs[0];
        assert_eq!(
            (bug.name.as_str(), bug.args.len(), bug.in_slice, bug.hangs),
            ("a", 2, true, false)
        );
        let rung = bank.rung_of(bug).expect("it is described");
        assert_eq!(rung.program, Program::Binary("crash-states".into()));
        assert_eq!(rung.args, ["random"]);
    }
}
