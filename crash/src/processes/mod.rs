//! Kills and system-call faults: a real process does what a script says to a real log, and dies, or
//! is told errors, at any of its system calls.
//!
//! The driver ([`driver`], or `c/driver.c`) notes in a shared [`ledger`] what it begins and what is
//! acknowledged. The [`tracer`] stops it at every entry into a system call and every exit from one.
//! No log bytes are written through a mapping, so these are all the places at which the death of
//! the process can leave different files. The [`verdict`] opens what is left, and holds it against
//! everything the [`model`] allows.

pub mod calls;
pub mod campaign;
pub mod case;
pub mod command;
pub mod driver;
pub mod fault;
pub mod faults;
pub mod filter;
pub mod kills;
pub mod ledger;
pub mod model;
pub mod peers;
pub mod plain;
pub mod programs;
pub mod registers;
pub mod script;
pub mod site;
pub mod tracer;
pub mod verdict;
pub mod watch;
pub mod writers;
