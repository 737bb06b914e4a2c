//! Measures the languages in turns.

use std::fs;
use std::path::Path;

use super::measurer::Measurer;
use super::row::{self, Row};
use super::{WORKLOADS, markdown};
use crate::args::LanguagesArgs;

/// Measures, prints the table and writes the rows.
///
/// # Errors
/// A program that cannot be started or does not answer, and files that cannot be written. A
/// workload that a language does not have is left out.
pub fn run(args: &LanguagesArgs) -> Result<(), String> {
    let mut measurers = vec![Measurer::ours()?];
    for named in &args.languages {
        let (name, command) =
            named.split_once('=').ok_or_else(|| format!("`{named}` is not name=command"))?;
        measurers.push(Measurer::start(name, Path::new(command))?);
    }
    fs::create_dir_all(&args.directory).map_err(|error| told(&args.directory, &error))?;
    let mut rows = Vec::new();
    for workload in WORKLOADS {
        let mut found: Vec<Vec<f64>> = vec![Vec::new(); measurers.len()];
        // The first round compiles and fills caches.
        for round in 0..=args.rounds {
            for (measurer, found) in measurers.iter_mut().zip(&mut found) {
                let place = args.directory.join("log");
                let nanoseconds = measurer.measure(workload, &place)?;
                if place.exists() {
                    fs::remove_dir_all(&place).map_err(|error| told(&place, &error))?;
                }
                found.extend(nanoseconds.filter(|_| round > 0));
            }
        }
        for (measurer, rounds) in measurers.iter().zip(found) {
            if let Some(row) = Row::of(measurer.name(), workload, rounds) {
                println!("{:<12} {:<12} {:>10.1} ns a record", row.workload, row.language, row.ns);
                rows.push(row);
            }
        }
    }
    row::write(&args.results, &rows)?;
    println!("\n{}", markdown(&rows));
    println!("{} rows in {}", rows.len(), args.results.display());
    Ok(())
}

fn told(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
