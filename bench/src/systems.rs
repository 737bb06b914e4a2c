//! Every log under test, by name.

use crate::floor;
use crate::libwal;
use crate::log::System;
use crate::workload::WORKLOADS;

/// The log of this name.
pub fn by_name(name: &str) -> Option<Box<dyn System>> {
    all().into_iter().find(|system| system.name() == name)
}

/// libwal in its variants, then the peers.
pub fn all() -> Vec<Box<dyn System>> {
    let mut systems: Vec<Box<dyn System>> = Vec::new();
    for variant in libwal::VARIANTS {
        systems.push(Box::new(variant));
    }
    systems.extend(peers());
    systems
}

/// The logs that are not libwal.
pub fn peers() -> Vec<Box<dyn System>> {
    #[cfg(feature = "peers")]
    return crate::peers::all();
    #[cfg(not(feature = "peers"))]
    Vec::new()
}

/// Prints the names of systems and workloads.
pub fn print() {
    for floor in floor::NAMES {
        println!("system    {floor}");
    }
    for system in all() {
        println!("system    {} {}", system.name(), system.version());
    }
    for workload in WORKLOADS {
        println!("workload  {:<16} {}", workload.name, workload.title);
    }
}
