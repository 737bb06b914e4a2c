//! The log's small key-value state: a vote, a term, an offset.

use crate::error::Result;
use crate::log::Log;
use crate::state::check_key;

/// A few small facts that belong to the log and survive with it: a vote, a term, an offset.
///
/// Keys are 1 to 255 bytes, values up to 4 KiB, everything together up to 128 KiB. Each change
/// costs one sync and is independent of appends.
///
/// ```
/// # let directory = tempfile::tempdir().unwrap();
/// # let (log, _) = wal_core::Log::open(directory.path().join("log"), Default::default())?;
/// let values = log.values();
/// values.update(&[(b"term", Some(b"7")), (b"vote", Some(b"node-2"))])?;
/// assert_eq!(values.get(b"vote")?.as_deref(), Some(&b"node-2"[..]));
/// values.delete(b"vote")?;
/// assert_eq!(values.get(b"vote")?, None);
/// # Ok::<(), wal_core::Error>(())
/// ```
pub struct Values<'a> {
    log: &'a Log,
}

impl<'a> Values<'a> {
    pub(crate) fn new(log: &'a Log) -> Values<'a> {
        Values { log }
    }

    /// The value of a key, `None` when it was never set or was deleted.
    ///
    /// # Errors
    /// `Closed`, `Forked`; `Corrupt` on a read-only log whose state is lost.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.log.value_map()?.value(key).map(<[u8]>::to_vec))
    }

    /// Sets a key.
    ///
    /// When this returns, the value survives power loss; a crash before leaves the old one or the
    /// new one.
    ///
    /// # Errors
    /// `Invalid` for a key or value out of bounds and on a read-only log, `Full` when everything
    /// together would be too large; then nothing was changed. After a failed write `Io`, and the
    /// log is poisoned.
    pub fn set(&self, key: &[u8], value: &[u8]) -> Result<()> {
        self.update(&[(key, Some(value))])
    }

    /// Deletes a key; returns whether it was set.
    ///
    /// When this returns, the deletion survives power loss.
    ///
    /// # Errors
    /// As [`Values::set`].
    pub fn delete(&self, key: &[u8]) -> Result<bool> {
        let engine = self.log.writer()?;
        check_key(key)?;
        if engine.values()?.value(key).is_none() {
            return Ok(false);
        }
        self.update(&[(key, None)])?;
        Ok(true)
    }

    /// Sets (`Some`) and deletes (`None`) several keys at once; of a key named twice the last
    /// counts.
    ///
    /// When this returns, all of it survives power loss; a crash before leaves all or nothing of
    /// it.
    ///
    /// # Errors
    /// As [`Values::set`].
    pub fn update(&self, changes: &[(&[u8], Option<&[u8]>)]) -> Result<()> {
        self.log.writer()?.update_values(changes)
    }

    /// Every key and its value, in the order of the keys.
    ///
    /// # Errors
    /// As [`Values::get`].
    pub fn list(&self) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let values = self.log.value_map()?;
        Ok(values.iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect())
    }
}
