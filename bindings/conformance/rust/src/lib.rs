//! Shows that languages conform: scenarios and their transcripts, golden logs, kills.
//!
//! `bindings/conformance/README.md` says what the formats are and what is promised. The binary
//! `conformance-runner` is the runner in Rust, `conformance` the harness for all languages.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod generator;
mod golden;
pub mod harness;
mod literal;
pub mod runner;
mod scenario;
