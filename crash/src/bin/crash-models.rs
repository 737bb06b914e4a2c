//! The rung of the crash campaign that explores models of the engine's threads exhaustively, weak
//! memory included, up to a number of switches.

use std::io;
use std::process::{Command, ExitCode};
use std::time::Duration;

use clap::Parser;
use wal_core::models::{Bounds, MODELS};
use wal_crash::Tally;

/// Explores situations of the engine's threads with loom.
#[derive(Parser)]
struct Arguments {
    /// Only this situation.
    #[arg(long)]
    model: Option<String>,
    /// Switches in one execution, at the most.
    #[arg(long, default_value_t = 2)]
    preemptions: usize,
    /// Seconds for each situation, at the most.
    #[arg(long, default_value_t = 2)]
    seconds: u64,
    /// Explores here, and not in a process of its own.
    #[arg(long, hide = true)]
    child: bool,
}

fn main() -> io::Result<ExitCode> {
    let arguments = Arguments::parse();
    if let (true, Some(name)) = (arguments.child, &arguments.model) {
        return Ok(explore(name, &arguments));
    }
    let mut tally = Tally::new("loom");
    let is_chosen = |name: &str| arguments.model.as_deref().is_none_or(|only| only == name);
    for model in MODELS.iter().filter(|model| is_chosen(model.name)) {
        // A model that fails may abort: loom's threads are not unwound in order.
        let output = Command::new(std::env::current_exe()?)
            .args(["--child", "--model", model.name])
            .args(["--preemptions", &arguments.preemptions.to_string()])
            .args(["--seconds", &arguments.seconds.to_string()])
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let mut words = text.split_whitespace();
        let (executions, how) = (words.next().and_then(|count| count.parse().ok()), words.next());
        let (Some(executions), Some(how)) = (executions, how) else {
            let told = String::from_utf8_lossy(&output.stderr);
            tally.violation(&format!(
                "{} ({}): {told}\nrepeat it with: LOOM_LOG=trace LOOM_LOCATION=1 crash-models \
                 --model {} --preemptions {}",
                model.name, model.about, model.name, arguments.preemptions
            ));
            continue;
        };
        let is_complete = how == "complete";
        let reach = if is_complete { "all" } else { "as far as the time went," };
        println!(
            "{:10} {executions:8} executions, {reach} with up to {} preemptions: {}",
            model.name, arguments.preemptions, model.about
        );
        tally.add("executions", executions);
        tally.add("models complete", u64::from(is_complete));
    }
    tally.finish()
}

/// What the process does that was started for one model.
fn explore(name: &str, arguments: &Arguments) -> ExitCode {
    let Some(model) = MODELS.iter().find(|model| model.name == name) else {
        return ExitCode::FAILURE;
    };
    let time = Duration::from_secs(arguments.seconds);
    let explored = model.explore(Bounds { preemptions: arguments.preemptions, time });
    let how = if explored.is_complete { "complete" } else { "incomplete" };
    println!("{} {how}", explored.executions);
    ExitCode::SUCCESS
}
