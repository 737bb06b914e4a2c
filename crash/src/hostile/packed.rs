//! Packed batches through the C ABI.

use std::ffi::CString;
use std::ptr;

use wal::{
    wal_append_packed, wal_close, wal_log, wal_open, wal_options, wal_options_init, wal_release,
};
use wal_core::{Log, Options, Position};

/// Appends the bytes as a packed batch. What the description of the layout calls one has to be
/// taken, and read back; everything else refused, with nothing appended.
pub fn packed(bytes: &[u8]) {
    let Ok(directory) = tempfile::Builder::new().tempdir_in(scratch()) else { return };
    let path = directory.path().join("log");
    let Some(c_path) = path.to_str().and_then(|path| CString::new(path).ok()) else { return };
    // In memory of its own size: reading behind it is seen by a sanitizer.
    let bytes: Box<[u8]> = bytes.into();
    let expected = unpack(&bytes);
    let mut log: *mut wal_log = ptr::null_mut();
    // SAFETY: the options are filled by their initialiser, the path ends in a zero byte, the outs
    // live through the calls, and the handle is released once.
    let codes = unsafe {
        let mut options = std::mem::zeroed::<wal_options>();
        let made = wal_options_init(&raw mut options, size_of::<wal_options>());
        options.level = OS;
        options.segment_bytes = 1 << 16;
        options.ring_bytes = 1 << 16;
        let opened = wal_open(
            c_path.as_ptr(),
            &raw const options,
            &raw mut log,
            ptr::null_mut(),
            ptr::null_mut(),
        );
        if opened != 0 {
            panic!("wal_open says {opened}");
        }
        let (mut first, mut last) = (0, 0);
        let appended = wal_append_packed(
            log,
            bytes.as_ptr().cast(),
            bytes.len(),
            OF_THE_LOG,
            &raw mut first,
            &raw mut last,
            ptr::null_mut(),
        );
        let closed = wal_close(log, ptr::null_mut());
        wal_release(log);
        (made, appended, closed, first, last)
    };
    let (made, appended, closed, first, last) = codes;
    assert_eq!((made, closed), (0, 0), "init and close");
    let records = expected.unwrap_or_default();
    assert_eq!(appended == 0, !records.is_empty(), "{} records: {appended}", records.len());
    if appended == 0 {
        assert_eq!((first, last), (1, records.len() as u64), "the LSNs");
    }
    let options = Options { segment_bytes: 1 << 16, ..Options::default() };
    let found = Log::open_read_only(&path, options).and_then(|(log, _)| {
        let cursor = log.cursor(Position::First)?;
        cursor.map(|record| record.map(|record| record.to_vec())).collect::<Result<Vec<_>, _>>()
    });
    match found {
        Ok(found) => assert!(found == records, "other records were read than appended"),
        Err(error) => panic!("what was appended is not read: {error:?}"),
    }
}

/// The records of a packed batch by the words of its description; none if it is not one.
fn unpack(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut records = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let header = bytes.get(at..at + 16)?;
        let len = u32::from_le_bytes(header[..4].try_into().ok()?) as usize;
        let flags = u32::from_le_bytes(header[4..8].try_into().ok()?);
        if flags > 1 || header[8..].iter().any(|&byte| byte != 0) {
            return None;
        }
        let end = at + 16 + len.next_multiple_of(8);
        records.push(bytes.get(at + 16..at + 16 + len)?.to_vec());
        bytes.get(at..end)?;
        at = end;
    }
    Some(records)
}

/// In memory where there is such a place: what survives is not the question here.
fn scratch() -> std::path::PathBuf {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() }
}

/// The level that waits for no disk.
const OS: i32 = 2;
/// The level that the log has.
const OF_THE_LOG: i32 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_taken_and_a_cut_one_refused() {
        let mut batch = vec![5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        batch.extend(b"hello\0\0\0");
        batch.extend([0; 16]);
        assert_eq!(unpack(&batch), Some(vec![b"hello".to_vec(), Vec::new()]));
        packed(&batch);
        for cut in [1, 15, 17, 22, 23, 25, 39] {
            assert_eq!(unpack(&batch[..cut]), None, "{cut}");
            packed(&batch[..cut]);
        }
        packed(&[]);
    }
}
