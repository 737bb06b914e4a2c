//! The checks that hold the house together: `cargo run -p xtask -- <check>`.
//!
//! Each check reads the checkout and prints what it finds, one line a finding; it ends with an
//! error when there is any. Only `codes --write` and `guard --write` change files.
// A command may print; the libraries may not.
#![allow(clippy::print_stdout)]
#![forbid(unsafe_code)]

mod codes;
mod docs;
mod exceptions;
mod finding;
mod guard;
mod layers;
mod licences;
mod links;
mod manners;
mod shape;
mod source;
mod table;
mod tree;
mod versions;

use std::env;
use std::process::ExitCode;

use crate::finding::{Finding, Outcome};
use crate::tree::Tree;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["tidy"] => tidy(),
        ["docs"] => Tree::of_checkout().and_then(|tree| docs::check(&tree)),
        ["codes"] => Tree::of_checkout().and_then(|tree| codes::check(&tree)),
        ["codes", "--write"] => Tree::of_checkout().and_then(|tree| codes::write(&tree)),
        ["guard", counted] => Tree::of_checkout().and_then(|tree| guard::check(&tree, counted)),
        ["guard", "--terms", counted] => {
            Tree::of_checkout().and_then(|tree| guard::terms(&tree, counted)).map(|terms| {
                println!("{terms}");
                Vec::new()
            })
        }
        ["guard", "--write", counted] => {
            Tree::of_checkout().and_then(|tree| guard::write(&tree, counted))
        }
        ["licences"] => Tree::of_checkout().and_then(|tree| licences::check(&tree)),
        ["versions"] => Tree::of_checkout().and_then(|tree| versions::check(&tree)),
        _ => Err(format!("unknown arguments {words:?}\n{USAGE}")),
    };
    match outcome {
        Ok(findings) if findings.is_empty() => ExitCode::SUCCESS,
        Ok(findings) => {
            for finding in &findings {
                println!("{finding}");
            }
            println!("{} to mend", findings.len());
            ExitCode::FAILURE
        }
        Err(message) => {
            println!("{message}");
            ExitCode::from(2)
        }
    }
}

/// Everything about the sources that neither the compiler nor clippy looks at.
fn tidy() -> Outcome {
    let tree = Tree::of_checkout()?;
    let mut findings: Vec<Finding> = Vec::new();
    for file in tree.rust_files()? {
        findings.extend(shape::check(&file));
        findings.extend(manners::check(&file));
    }
    findings.extend(manners::check_texts(&tree)?);
    findings.extend(layers::check(&tree)?);
    findings.extend(exceptions::check(&tree)?);
    findings.sort();
    Ok(findings)
}

const USAGE: &str = "\
usage: cargo run -p xtask -- <check>
  tidy            length, layers and manners of the Rust sources
  docs            links, paths and make targets named in the documents
  codes           bindings/codes.toml against the engine, the C API document and wal-ffi
  codes --write   the same, and writes the parts that are generated from it
  guard FILE      figures counted by wal-guard against ci/guard.toml
  guard --terms FILE   how strictly they are compared, and why
  guard --write FILE   makes them the baseline
  licences        the licence of everything that is linked, against deny.toml
  versions        one version number in every package, header and binding";
