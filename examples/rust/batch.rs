//! Appends records together: after a crash either all of a batch are there or none.
//!
//! ```sh
//! cargo run -p wal-demo --example batch -- /tmp/transfers
//! ```

use wal_core::{AppendOptions, Level, Log, Options};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::args().nth(1).unwrap_or_else(|| "transfers.wal".to_owned());
    let (log, _) = Log::open(&dir, Options::default())?;

    // One batch, one acknowledgement: half a transfer can never be read.
    let range = log.append_batch(&["debit alice 10", "credit bob 10"])?;
    println!("the transfer is records {range}");

    // Several batches on their way at once share their syncs. The tickets come in LSN order.
    let tickets: Vec<_> = (0..1000)
        .map(|number| log.submit_batch(&[format!("debit {number}"), format!("credit {number}")]))
        .collect::<Result<_, _>>()?;
    for ticket in &tickets {
        ticket.wait()?;
    }
    println!("1000 more are durable, up to record {}", log.next_lsn().get() - 1);

    // One append may ask for less than the log's level, or for more.
    let quick = AppendOptions { level: Some(Level::Os), ..AppendOptions::default() };
    log.with(quick).append(b"a note that only has to survive this process")?;

    // Closing makes everything durable, whatever level it was appended at.
    log.close()?;
    Ok(())
}
