//! The harness for all languages.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use wal_conformance::harness::{
    Kills, Runner, Suite, compare, kill_loop, matrix, pack, relay, reread, transcript,
};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["compare", runner] => compared(runner),
        ["bless", runner] => blessed(runner),
        ["pack", directory] => pack(Path::new(directory)).map(|text| print!("{text}")),
        ["reread", reader] => read_again(reader),
        ["kills", count, seed, runner] => killed(count, seed, runner),
        ["matrix", rounds, seed, ref runners @ ..] if !runners.is_empty() => {
            crossed(rounds, seed, runners)
        }
        ["relay", rounds, seed, ref runners @ ..] if !runners.is_empty() => {
            handed_on(rounds, seed, runners)
        }
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn compared(runner: &str) -> Result<(), String> {
    let (suite, runner) = (Suite::of_checkout(), Runner::parse(runner)?);
    for (operation, why) in suite.exceptions(&runner.language)?.iter() {
        println!("{}: NOT RUN: {operation}: {why}", runner.language);
    }
    let (count, failures) = compare(&suite, &runner)?;
    if failures.is_empty() {
        println!("{}: {count} scenarios, all as expected", runner.language);
        return Ok(());
    }
    let told = failures.join("\n");
    Err(format!("{told}\n{}: {} of {count} scenarios differ", runner.language, failures.len()))
}

/// Makes what a runner prints the expectation of all: to be read line by line before it is
/// committed.
fn blessed(runner: &str) -> Result<(), String> {
    let runner = Runner::parse(runner)?;
    for scenario in Suite::of_checkout().scenarios()? {
        let found = transcript(&runner, &scenario)
            .map_err(|error| format!("{}: {error}", scenario.name))?;
        if scenario.expected().ok().as_ref() != Some(&found) {
            println!("{}", scenario.name);
            fs::write(scenario.expected_path(), found).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

fn read_again(reader: &str) -> Result<(), String> {
    let (count, failures) = reread(&Suite::of_checkout(), Path::new(reader))?;
    if failures.is_empty() {
        println!("{count} golden logs, each what the document of the format says");
        return Ok(());
    }
    Err(failures.join("\n"))
}

fn killed(count: &str, seed: &str, runner: &str) -> Result<(), String> {
    let runner = Runner::parse(runner)?;
    let kills = kill_loop(&runner, number(count)?, number(seed)?)?;
    tell(&runner.language, kills);
    Ok(())
}

/// One log through the hands of all languages, as a table.
fn handed_on(rounds: &str, seed: &str, runners: &[&str]) -> Result<(), String> {
    let runners = parsed(runners)?;
    println!(
        "{:10}{:>14}{:>14}  {:14}{:>10}",
        "writes", "acknowledged", "more found", "recovers", "last LSN"
    );
    let kills = relay(&runners, number(rounds)?, number(seed)?, |step| {
        println!(
            "{:10}{:>14}{:>14}  {:14}{:>10}",
            step.writer.language, step.acknowledged, step.beyond, step.reader.language, step.last
        );
    })?;
    tell("one log through all hands", kills);
    Ok(())
}

fn crossed(rounds: &str, seed: &str, runners: &[&str]) -> Result<(), String> {
    let runners = parsed(runners)?;
    let kills = matrix(&runners, number(rounds)?, number(seed)?)?;
    let languages: Vec<&str> = runners.iter().map(|runner| &*runner.language).collect();
    tell(&format!("all pairs of {}", languages.join(", ")), kills);
    Ok(())
}

fn parsed(runners: &[&str]) -> Result<Vec<Runner>, String> {
    runners.iter().map(|runner| Runner::parse(runner)).collect()
}

fn tell(who: &str, kills: Kills) {
    println!(
        "{who}: {} kills, {} records acknowledged and none lost, {} more found",
        kills.kills, kills.acknowledged, kills.beyond
    );
}

fn number(word: &str) -> Result<u64, String> {
    word.parse().map_err(|_| format!("{word} is no number\n{USAGE}"))
}

const USAGE: &str = "\
usage: conformance compare LANGUAGE=RUNNER             every scenario, byte for byte
       conformance bless LANGUAGE=RUNNER               writes the transcripts that are expected
       conformance kills COUNT SEED LANGUAGE=RUNNER    writes, kills and reads
       conformance matrix ROUNDS SEED LANGUAGE=RUNNER ...   one writes, is killed, another reads
       conformance relay ROUNDS SEED LANGUAGE=RUNNER ...    one log through all hands, as a table
       conformance reread READER                       golden logs, by docs/reader.py
       conformance pack DIRECTORY                      prints a directory as a golden log";
