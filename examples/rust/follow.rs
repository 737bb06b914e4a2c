//! Follows a log while it is written, as a consumer in another process would.
//!
//! ```sh
//! cargo run -p wal-demo --example follow -- /tmp/events
//! ```

use std::thread;
use std::time::Duration;

use wal_core::{Log, Options, Position};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::args().nth(1).unwrap_or_else(|| "events.wal".to_owned());
    let (log, _) = Log::open(&dir, Options::default())?;

    // A reader needs no lock: this could as well be another process.
    let (reader, _) = Log::open_read_only(&dir, Options::default())?;
    let mut follower = reader.follow(Position::End)?;

    let writer = thread::spawn(move || {
        for number in 1..=5 {
            log.append(format!("event {number}").as_bytes())?;
            thread::sleep(Duration::from_millis(100));
        }
        log.close()
    });

    for _ in 0..5 {
        // Blocks until a record is durable: what is seen here cannot be lost any more.
        let record = follower.next()?;
        println!("{}: {}", record.lsn(), String::from_utf8_lossy(&record));
    }
    writer.join().map_err(|_| "the writing thread panicked")??;
    Ok(())
}
