//! SQLite in WAL mode, as a table of records.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;

use super::panics::caught;
use super::{Failed, Opened, Subject, System, failed};

/// SQLite with `journal_mode=WAL` and `synchronous=FULL`, a row and a transaction to a record, and
/// checkpoints that come often enough to use the WAL again.
pub struct Sqlite;

impl System for Sqlite {
    fn name(&self) -> &'static str {
        "SQLite"
    }

    fn version(&self) -> &'static str {
        rusqlite::version()
    }

    fn open(&self, directory: &Path) -> Result<Opened, Failed> {
        fs::create_dir_all(directory).map_err(failed)?;
        caught(|| {
            let connection = Connection::open(directory.join("log.db")).map_err(failed)?;
            let mode: String = connection
                .query_row("PRAGMA journal_mode=WAL", (), |row| row.get(0))
                .map_err(failed)?;
            if mode != "wal" {
                return Err(failed(format!("the journal mode is {mode}")));
            }
            connection.execute_batch(SETTINGS).map_err(failed)?;
            let found = connection
                .prepare("SELECT bytes FROM log ORDER BY number")
                .and_then(|mut rows| rows.query_map((), |row| row.get(0))?.collect())
                .map_err(failed)?;
            Ok((Box::new(Open(Mutex::new(connection))) as Box<dyn Subject>, found))
        })
    }
}

struct Open(Mutex<Connection>);

impl Subject for Open {
    fn append(&self, record: &[u8]) -> Result<(), Failed> {
        let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        caught(|| {
            let insert = "INSERT INTO log (bytes) VALUES (?1)";
            connection.execute(insert, (record,)).map(drop).map_err(failed)
        })
    }

    fn close(self: Box<Self>) -> Result<(), Failed> {
        let connection = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        caught(|| connection.close().map_err(|(_, error)| failed(error)))
    }
}

const SETTINGS: &str = "
    PRAGMA synchronous=FULL;
    PRAGMA wal_autocheckpoint=24;
    CREATE TABLE IF NOT EXISTS log
        (number INTEGER PRIMARY KEY AUTOINCREMENT, bytes BLOB NOT NULL);
";
