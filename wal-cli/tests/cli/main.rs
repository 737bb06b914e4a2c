//! The `wal` command against real logs: what a person types and what a program may rely on.

mod ack;
mod append;
mod cat;
mod damage;
mod edit;
mod export;
mod follow;
mod json;
mod refusal;
mod round_trip;
mod run;
mod sample;
