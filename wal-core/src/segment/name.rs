//! Segment files are named by their zero-padded id alone; everything else is inside them.

use crate::lsn::SegmentId;

/// The name of the segment's file.
pub(crate) fn file_name(id: SegmentId) -> String {
    format!("{:020}{SUFFIX}", id.0)
}

/// The segment a file name stands for; `None` for every other file, which is left alone.
pub(crate) fn parse_file_name(name: &str) -> Option<SegmentId> {
    let digits = name.strip_suffix(SUFFIX)?;
    if digits.len() != 20 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|&id| id != 0).map(SegmentId)
}

const SUFFIX: &str = ".wal";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_twenty_digits_and_the_suffix_name_a_segment() {
        for foreign in [
            "",
            ".wal",
            "1.wal",
            "00000000000000000001.wal~",
            "00000000000000000001",
            "0000000000000000000x.wal",
            "00000000000000000000.wal",
            "99999999999999999999.wal",
        ] {
            assert_eq!(parse_file_name(foreign), None, "{foreign}");
        }
        for id in [1, 7, u64::MAX] {
            assert_eq!(parse_file_name(&file_name(SegmentId(id))), Some(SegmentId(id)));
        }
    }
}
