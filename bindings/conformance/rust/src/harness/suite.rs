//! The files of `bindings/conformance/`.

use std::fs;
use std::path::{Path, PathBuf};

use super::exceptions::Exceptions;

/// Where scenarios and exceptions lie.
pub struct Suite {
    directory: PathBuf,
}

/// A scenario and what it has to print.
pub struct Scenario {
    /// The name of the file without its ending.
    pub name: String,
    /// The file.
    pub path: PathBuf,
}

impl Scenario {
    /// Where the transcript lies that all languages have to print.
    pub fn expected_path(&self) -> PathBuf {
        self.path.with_extension("expected")
    }

    /// That transcript.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn expected(&self) -> Result<String, String> {
        read(&self.expected_path())
    }

    /// The calls.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn text(&self) -> Result<String, String> {
        read(&self.path)
    }
}

impl Suite {
    /// That of the checkout this program was built from.
    pub fn of_checkout() -> Suite {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        Suite { directory: here.parent().unwrap_or(here).to_owned() }
    }

    /// Where it lies.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Every scenario, by name.
    ///
    /// # Errors
    /// A directory that cannot be read or holds no scenario.
    pub fn scenarios(&self) -> Result<Vec<Scenario>, String> {
        let directory = self.directory.join("scenarios");
        let told = |error| format!("{}: {error}", directory.display());
        let mut scenarios = Vec::new();
        for entry in fs::read_dir(&directory).map_err(told)? {
            let path = entry.map_err(told)?.path();
            let name = path.file_stem().and_then(|name| name.to_str()).map(str::to_owned);
            if let Some(name) = name.filter(|_| path.extension().is_some_and(|e| e == "scenario")) {
                scenarios.push(Scenario { name, path });
            }
        }
        if scenarios.is_empty() {
            return Err(format!("{}: no scenarios", directory.display()));
        }
        scenarios.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(scenarios)
    }

    /// What a language does not have; nothing if it has no file.
    ///
    /// # Errors
    /// A file that cannot be read or understood.
    pub fn exceptions(&self, language: &str) -> Result<Exceptions, String> {
        let path = self.directory.join("exceptions").join(format!("{language}.txt"));
        if !path.exists() {
            return Ok(Exceptions::default());
        }
        Exceptions::parse(&read(&path)?).map_err(|error| format!("{}: {error}", path.display()))
    }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
