//! `wal set`: sets or deletes a value of the log's key-value state.

use std::ffi::OsString;
use std::path::PathBuf;

use super::dispatch::open_to_write;
use crate::failure::Failure;
use crate::output::note;

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The log's directory.
    dir: PathBuf,
    /// The key.
    key: OsString,
    /// The value; without one the key is deleted.
    value: Option<OsString>,
}

/// Runs it. When this returns, the change survives power loss.
pub fn run(args: Args) -> Result<(), Failure> {
    let log = open_to_write(&args.dir)?;
    let key = args.key.as_encoded_bytes();
    match &args.value {
        Some(value) => log.values().set(key, value.as_encoded_bytes())?,
        None => {
            if !log.values().delete(key)? {
                note(&format!("there was no key `{}`", args.key.display()));
            }
        }
    }
    Ok(log.close()?)
}
