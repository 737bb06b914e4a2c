//! What the simulations rest on: everything comes out the same again, and what is looked at is
//! counted once.
#![cfg(feature = "simulate")]
#![allow(missing_docs)]

use wal_crash::simulation::{History, play};
use wal_crash::states::{Bounds, Seen, explore, parse, workload, workloads};

const BOUNDS: Bounds = Bounds { most: 4096, sample: 200 };

#[test]
fn a_workload_has_the_same_states_again_and_none_of_them_counts_twice() {
    let letters = parse("os,rotate,trim").unwrap_or_default();
    let seen = Seen::default();
    let first = explore(&letters, BOUNDS, &seen).map_err(|violation| violation.to_string());
    let first = first.unwrap_or_else(|story| panic!("{story}"));
    let again = explore(&letters, BOUNDS, &Seen::default());
    assert_eq!(again.map(|explored| explored.states).ok(), Some(first.states));
    assert!(first.states > 20, "{first:?}");
    assert_eq!(explore(&letters, BOUNDS, &seen).map(|explored| explored.states).ok(), Some(0));
}

#[test]
fn every_workload_has_a_number() {
    let all: std::collections::BTreeSet<String> = (0..workloads(2))
        .map(|number| workload(2, number).iter().map(ToString::to_string).collect())
        .collect();
    assert_eq!(all.len(), 144);
}

#[test]
fn a_history_comes_out_the_same_again_also_in_another_thread() {
    let played = || play(&History::new(42)).map(|played| (played.states, played.crashes));
    let first = played().unwrap_or_else(|failure| panic!("{}", failure.text));
    assert!(first.0 > 100 && first.1 > 0, "{first:?}");
    let again = std::thread::spawn(played).join().expect("it does not panic");
    assert_eq!(again.map_err(|failure| failure.text), Ok(first));
}
