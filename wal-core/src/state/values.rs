//! The key-value state of a log: small, durable, changed several keys at once.

use std::collections::BTreeMap;

use crate::error::{Error, ErrorKind, Result};
use crate::limits::{KEY_BYTES_MAX, STATE_SLOT_BYTES, VALUE_BYTES_MAX};
use crate::state::slot::{ENTRIES, entry_bytes};

/// Keys and values within the limits of a slot. Never changed in place: a change is made durable
/// as a whole before anybody sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ValueMap(BTreeMap<Vec<u8>, Vec<u8>>);

impl ValueMap {
    /// The values after these changes; `None` deletes. Of several changes to one key the last
    /// counts; deleting what is not there is no error.
    ///
    /// # Errors
    ///
    /// `Invalid` for an empty or too long key and for a too long value, `Full` if the values
    /// would not fit a slot together.
    pub(crate) fn apply(&self, changes: &[(&[u8], Option<&[u8]>)]) -> Result<ValueMap> {
        let mut values = self.clone();
        for &(key, value) in changes {
            check_key(key)?;
            match value {
                Some(value) => {
                    check_value(value)?;
                    values.0.insert(key.to_owned(), value.to_owned());
                }
                None => {
                    values.0.remove(key);
                }
            }
        }
        let bytes = values.slot_bytes();
        if bytes > STATE_SLOT_BYTES as usize {
            return Err(Error::plain(
                ErrorKind::Full,
                format!("the values would take {bytes} of {STATE_SLOT_BYTES} bytes; delete some"),
            ));
        }
        Ok(values)
    }

    /// The value of a key.
    pub(crate) fn value(&self, key: &[u8]) -> Option<&[u8]> {
        self.0.get(key).map(Vec::as_slice)
    }

    /// Keys and values in the order of the keys.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|(key, value)| (key.as_slice(), value.as_slice()))
    }

    /// Adds what a slot holds, whose keys were checked; their order is checked here.
    pub(super) fn push(&mut self, key: &[u8], value: &[u8]) -> bool {
        let is_last = self.0.last_key_value().is_none_or(|(last, _)| last.as_slice() < key);
        if is_last {
            self.0.insert(key.to_owned(), value.to_owned());
        }
        is_last
    }

    /// What a slot with these values and nothing else takes.
    pub(super) fn slot_bytes(&self) -> usize {
        let entries = self.iter().map(|(key, value)| entry_bytes(key.len(), value.len()));
        entries.fold(ENTRIES, usize::saturating_add)
    }
}

/// Refuses a key that no value can have.
pub(crate) fn check_key(key: &[u8]) -> Result<()> {
    if key.is_empty() || key.len() > KEY_BYTES_MAX {
        return Err(Error::invalid(format!(
            "a key of {} bytes: pass 1 to {KEY_BYTES_MAX}",
            key.len()
        )));
    }
    Ok(())
}

fn check_value(value: &[u8]) -> Result<()> {
    if value.len() > VALUE_BYTES_MAX {
        return Err(Error::invalid(format!(
            "a value of {} bytes: pass at most {VALUE_BYTES_MAX}",
            value.len()
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(changes: &[(&[u8], Option<&[u8]>)]) -> ErrorKind {
        ValueMap::default().apply(changes).expect_err("this is refused").kind()
    }

    #[test]
    fn keys_and_values_out_of_bounds_are_invalid() {
        assert_eq!(kind(&[(b"", Some(b"value"))]), ErrorKind::Invalid);
        assert_eq!(kind(&[(&[7; KEY_BYTES_MAX + 1], Some(b"value"))]), ErrorKind::Invalid);
        assert_eq!(kind(&[(b"key", Some(&[7; VALUE_BYTES_MAX + 1]))]), ErrorKind::Invalid);
        assert_eq!(kind(&[(b"good", Some(b"value")), (b"", None)]), ErrorKind::Invalid);
    }

    #[test]
    fn more_than_a_slot_holds_is_full_and_deleting_makes_room() {
        let mut values = ValueMap::default();
        let value = [7; VALUE_BYTES_MAX];
        let full = (0..=u8::MAX).find_map(|key| match values.apply(&[(&[key], Some(&value))]) {
            Ok(more) => {
                values = more;
                None
            }
            Err(error) => Some((key, error.kind())),
        });
        let (key, kind) = full.expect("a slot is bounded");
        assert_eq!((key, kind), (31, ErrorKind::Full));
        let swapped = values.apply(&[(&[0], None), (&[key], Some(&value))]).expect("it fits");
        assert_eq!(swapped.slot_bytes(), values.slot_bytes());
    }

    #[test]
    fn the_last_change_of_a_key_counts_and_the_old_values_stay() {
        let one = ValueMap::default().apply(&[(b"a", Some(b"1")), (b"b", Some(b"2"))]);
        let one = one.expect("it fits");
        let changes: [(&[u8], Option<&[u8]>); 4] =
            [(b"a", None), (b"b", Some(b"3")), (b"b", Some(b"")), (b"missing", None)];
        let two = one.apply(&changes).expect("it fits");
        assert_eq!((two.value(b"a"), two.value(b"b")), (None, Some(&b""[..])));
        assert_eq!(one.iter().collect::<Vec<_>>(), [(&b"a"[..], &b"1"[..]), (b"b", b"2")]);
    }
}
