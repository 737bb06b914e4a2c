//! `wal-bench languages`: what the same work costs in each language, round by round in turns.
//!
//! Each language has a program that does one workload after the other as it is asked
//! ([`measurer::Measurer`]), and so has what its users would otherwise take; that of Rust is
//! `wal-bench answer`. They stay alive between the rounds, so that what compiles as it runs has
//! compiled.

mod answer;
mod beside;
mod judged;
mod measurer;
mod row;
mod run;
mod workloads;

pub use answer::answer;
pub use judged::markdown;
pub use row::{Row, read};
pub use run::run;
use workloads::WORKLOADS;
