//! `wal-bench run`: P1 to P11.

use crate::args::RunArgs;
use crate::campaign::{Campaign, Pace, Shape, systems_of};
use crate::durations::Durations;
use crate::goals;
use crate::machine::Machine;
use crate::row;
use crate::summary;
use crate::sync_count::SyncCounts;
use crate::table;
use crate::workload::WORKLOADS;

/// Measures, prints the table and the goals, and writes the rows.
///
/// # Errors
/// A directory or file that cannot be written. A system that fails is a row that says so.
pub fn run(args: &RunArgs) -> Result<(), String> {
    let (mut durations, mut counts) = (Durations::start(), SyncCounts::default());
    let mut rows = Vec::new();
    let mut mounts = Vec::new();
    for (number, directory) in args.directories.iter().enumerate() {
        let campaign = Campaign::new(directory, args, Pace::of(args), number == 0)?;
        mounts.push(campaign.mount.clone());
        for workload in WORKLOADS {
            if !campaign.wants(workload) {
                continue;
            }
            let shape = Shape::of(workload, &campaign.pace());
            let systems = systems_of(workload, args.quick);
            let label = campaign.mount.label();
            rows.extend(durations.time(workload.name, &label, || {
                let mut rows = campaign.measure(workload, shape, &systems);
                if !args.quick || workload.is_told_by_syncs() {
                    campaign.count_syncs(workload, shape, &mut rows, &mut counts);
                }
                rows
            }));
        }
        durations.time("removing logs", &campaign.mount.label(), || drop(campaign));
    }
    summary::spread_not_durable(&mut rows);
    summary::set_apart_rare_syncs(&mut rows);
    summary::compare(&mut rows);
    let machine = Machine::here(&mounts, args.quick, durations.seconds());
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
    print!("\n{}", durations.plain());
    Ok(())
}
