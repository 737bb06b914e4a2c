//! Kills a writer in the middle of its work and shows that nothing acknowledged is lost.
//!
//! The program starts itself a second time; that process appends numbers and prints each one after
//! it was acknowledged, until it is killed.
//!
//! ```sh
//! cargo run -p wal-demo --example recover -- /tmp/numbers
//! ```

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use wal_core::{Log, Lsn, Options};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::args().nth(1).unwrap_or_else(|| "numbers.wal".to_owned());
    if std::env::args().nth(2).as_deref() == Some("write") {
        return write(&dir);
    }

    let mut writer = Command::new(std::env::current_exe()?)
        .args([&dir, "write"])
        .stdout(Stdio::piped())
        .spawn()?;
    let lines = BufReader::new(writer.stdout.take().ok_or("no output to read")?).lines();
    let mut acknowledged = 0;
    for line in lines {
        acknowledged = line?.parse()?;
        if acknowledged % 1000 == 0 {
            // SIGKILL: the process has no chance to tidy up. What it still printed is read on.
            writer.kill()?;
        }
    }
    writer.wait()?;

    let (log, report) = Log::open(&dir, Options::default())?;
    println!("recovered in {:?}: {}", report.duration, report.case);
    if let Some(cut) = &report.cut {
        println!("cut {} bytes at {}: {}", cut.bytes, cut.place, cut.reason);
    }
    for number in 1..=acknowledged {
        let lsn = Lsn::try_from(number)?;
        let record = log.read(lsn)?;
        assert_eq!(&record[..], number.to_string().as_bytes(), "record {lsn}");
    }
    println!(
        "all {acknowledged} acknowledged records are there, the next LSN is {}",
        log.next_lsn()
    );
    log.close()?;
    Ok(())
}

/// Appends the next numbers for ever: record n is the number n.
fn write(dir: &str) -> Result<(), Box<dyn std::error::Error>> {
    let (log, _) = Log::open(dir, Options::default())?;
    loop {
        let number = log.next_lsn().get();
        log.append(number.to_string().as_bytes())?;
        println!("{number}");
    }
}
