//! The runner in Rust: `run SCENARIO SCRATCH`, `write DIR COUNT SEED`, `read DIR`.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use wal_conformance::runner;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (outcome, failure) = match words[..] {
        ["run", scenario, scratch] => {
            let mut stdout = io::BufWriter::new(io::stdout().lock());
            let outcome = runner::run(Path::new(scenario), Path::new(scratch), &mut stdout);
            (outcome, 2)
        }
        ["write", directory, count, seed] => match (count.parse(), seed.parse()) {
            (Ok(count), Ok(seed)) => {
                let mut stdout = io::stdout().lock();
                let outcome = runner::write(Path::new(directory), count, seed, &mut stdout);
                (outcome.map_err(|error| error.to_string()), 1)
            }
            _ => return usage(),
        },
        ["read", directory] => {
            let outcome = runner::read(Path::new(directory));
            (outcome.map(|line| println!("{line}")).map_err(|error| error.to_string()), 1)
        }
        _ => return usage(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("conformance-runner: {message}");
            ExitCode::from(failure)
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: conformance-runner run SCENARIO SCRATCH | write DIR COUNT SEED | read DIR");
    ExitCode::from(2)
}
