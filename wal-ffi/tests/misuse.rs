//! The programs that misuse the library leave nothing out: whoever adds a function or an argument
//! adds its line to `tests/c/arguments.c`, and to `tests/c/gone.c` when it works on a handle.

#[path = "contract/header.rs"]
mod contract;

use contract::Function;

#[test]
fn null_is_tried_for_every_pointer_argument_of_every_function() {
    let program = program("arguments.c");
    let mut missing = Vec::new();
    for function in contract::functions(&contract::header()) {
        let name = &function.name;
        let pointers: Vec<_> = function.arguments.iter().filter(|a| a.is_pointer()).collect();
        if pointers.is_empty() && !program.contains(&format!("ANSWERS({name}, ")) {
            missing.push(format!("ANSWERS({name}, condition)"));
        }
        for argument in pointers {
            let argument = &argument.name;
            let is_there = ["REFUSES", "ALLOWS", "IGNORES"]
                .iter()
                .any(|word| program.contains(&format!("{word}({name}, {argument}, ")));
            if !is_there {
                missing.push(format!("REFUSES({name}, {argument}, call)"));
            }
        }
    }
    assert!(missing.is_empty(), "tests/c/arguments.c lacks:\n{}", missing.join("\n"));
}

#[test]
fn every_call_on_a_handle_is_tried_on_a_closed_log_and_after_a_fork() {
    let program = program("gone.c");
    let functions = contract::functions(&contract::header());
    let mut wrong = Vec::new();
    for function in functions.iter().filter(|function| works_on_a_handle(function)) {
        let name = &function.name;
        let codes = codes_of(&functions, function);
        let Some((_, line)) = program.split_once(&format!("GONE({name}, ")) else {
            if !program.contains(&format!("STAYS({name}, ")) {
                wrong.push(format!("lacks GONE({name}, closed, forked, call)"));
            }
            continue;
        };
        let mut tried = line.split(", ");
        for code in ["WAL_ERR_CLOSED", "WAL_ERR_FORKED"] {
            let is_tried = tried.next() == Some(code);
            let is_told = codes.contains(code);
            if is_tried != is_told {
                let not = if is_told { "" } else { "not " };
                wrong.push(format!("{name}: wal.h does {not}tell {code}"));
            }
        }
    }
    assert!(wrong.is_empty(), "tests/c/gone.c and wal.h disagree:\n{}", wrong.join("\n"));
}

/// Whether it can be called when the log behind its handle is gone.
fn works_on_a_handle(function: &Function) -> bool {
    let handles =
        ["wal_log", "wal_cursor", "wal_follower", "wal_notifier", "wal_completions", "wal_record"];
    let Some(first) = function.arguments.first() else { return false };
    !function.name.ends_with("_release")
        && handles.iter().any(|handle| first.kind.ends_with(&format!("struct {handle} *")))
}

/// What the documentation says under "Errors", and what it says by naming another function.
fn codes_of(functions: &[Function], function: &Function) -> String {
    let mut text = function.section("Errors");
    let mut seen = vec![function.name.clone()];
    while let Some(next) = functions
        .iter()
        .find(|other| !seen.contains(&other.name) && text.contains(&format!("`{}`", other.name)))
    {
        seen.push(next.name.clone());
        text.push_str(&next.section("Errors"));
    }
    text
}

/// The program on one line, so that a line may be broken anywhere.
fn program(name: &str) -> String {
    let path = contract::root().join("wal-ffi/tests/c").join(name);
    let text = std::fs::read_to_string(&path).expect("the program");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
