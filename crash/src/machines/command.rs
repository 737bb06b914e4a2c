//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use super::campaign::{self, Goal};
use super::guest;

#[derive(Parser)]
#[command(about = "Power cuts of a virtual machine")]
struct Arguments {
    #[command(subcommand)]
    effort: Effort,
    /// A directory with a kernel: `boot/vmlinuz-*` and `lib/modules/*`.
    /// WAL_CRASH_KERNEL unless set, or `machines/kernel` where this program was built.
    #[arg(long, global = true)]
    kernel: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Effort {
    /// Two cuts with a fixed seed.
    Slice,
    /// As many cuts as WAL_CRASH_SECONDS (80) allow, from WAL_CRASH_SEED (the clock).
    Full {
        /// Instead of WAL_CRASH_SEED.
        #[arg(long)]
        seed: Option<u64>,
        /// So many disks with twelve cuts each, however long that takes.
        #[arg(long)]
        chains: Option<usize>,
    },
}

/// Does what the command line says; as the first process of a machine, what the disk says.
pub fn main() -> ExitCode {
    if std::process::id() == 1 && std::env::args_os().next().is_some_and(|name| name == "/init") {
        guest::main();
    }
    let arguments = Arguments::parse();
    let goal = match arguments.effort {
        Effort::Slice => Goal::slice(),
        Effort::Full { seed, chains } => Goal::full(seed, chains),
    };
    match campaign::run(&goal, &arguments.kernel.unwrap_or_else(kernel)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("crash-machines: {error}");
            ExitCode::FAILURE
        }
    }
}

fn kernel() -> PathBuf {
    if let Some(directory) = std::env::var_os("WAL_CRASH_KERNEL") {
        return directory.into();
    }
    let program = std::env::current_exe().unwrap_or_default();
    let places = program.ancestors().map(|directory| directory.join("machines/kernel"));
    places.into_iter().find(|place| place.is_dir()).unwrap_or_else(|| "machines/kernel".into())
}
