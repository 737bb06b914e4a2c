//! Appends records that survive power loss, one by one, and reads them back.
//!
//! ```sh
//! cargo run -p wal-demo --example append -- /tmp/orders
//! ```

use wal_core::{Log, Options, Position};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::args().nth(1).unwrap_or_else(|| "orders.wal".to_owned());
    let (log, report) = Log::open(&dir, Options::default())?;
    println!("opened {dir}: {}", report.case);

    for number in 1..=3 {
        // When this returns, the record survives power loss: that is the default.
        let lsn = log.append(format!("order {number}").as_bytes())?;
        println!("order {number} is record {lsn}");
    }

    for record in log.cursor(Position::First)? {
        let record = record?;
        println!("{}: {}", record.lsn(), String::from_utf8_lossy(&record));
    }

    // Dropping the log would close it too; only `close` can say that something went wrong.
    log.close()?;
    Ok(())
}
