//! `wal-bench run`: P1 to P11.

use std::time::Instant;

use crate::args::RunArgs;
use crate::campaign::{Campaign, Shape, systems_of};
use crate::goals;
use crate::machine::Machine;
use crate::row;
use crate::summary;
use crate::table;
use crate::workload::WORKLOADS;

/// Measures, prints the table and the goals, and writes the rows.
///
/// # Errors
/// A directory or file that cannot be written. A system that fails is a row that says so.
pub fn run(args: &RunArgs) -> Result<(), String> {
    let started = Instant::now();
    let mut rows = Vec::new();
    let mut mounts = Vec::new();
    for (number, directory) in args.directories.iter().enumerate() {
        let campaign = Campaign::new(directory, args, number == 0)?;
        mounts.push(campaign.mount.clone());
        for workload in WORKLOADS {
            if campaign.wants(workload) {
                let shape = Shape::of(workload, &campaign.pace());
                rows.extend(campaign.measure(workload, shape, &systems_of(workload, args.quick)));
            }
        }
    }
    summary::spread_not_durable(&mut rows);
    summary::set_apart_rare_syncs(&mut rows);
    summary::compare(&mut rows);
    let machine = Machine::here(&mounts, args.quick);
    row::write(&args.results, &rows)?;
    machine.write(&args.results.with_file_name("machine.json"))?;
    for line in machine.lines() {
        println!("{line}");
    }
    if args.quick {
        println!("A QUICK run: 3 short rounds and small logs. Good for a look, not for a claim.");
    }
    print!("\n{}\n{}", table::plain(&rows), goals::plain(&goals::judge(&rows)));
    println!("\n{} rows in {}", rows.len(), args.results.display());
    println!("{} s", started.elapsed().as_secs());
    Ok(())
}
