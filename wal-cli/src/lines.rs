//! Cuts a stream of bytes into records at a delimiter, without copying them.

use std::io::{self, BufRead, Read};
use std::ops::Range;

/// Reads chunks from a source and hands out the complete records of each.
///
/// Records are ranges of one buffer that is reused, so a record costs neither an allocation nor a
/// copy; only a record cut in two by a chunk's end is moved to the buffer's front.
pub struct Lines<R> {
    source: R,
    delimiter: u8,
    record_bytes_max: usize,
    buffer: Vec<u8>,
    /// Where the bytes that are not handed out yet begin.
    start: usize,
    /// Up to where the buffer holds bytes of the source.
    filled: usize,
    /// Up to where the buffer was searched for a delimiter.
    searched: usize,
    is_at_end: bool,
}

/// What [`Lines::fill`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// More bytes came.
    More,
    /// The source has ended; [`Lines::take`] gives what is left.
    End,
}

/// Why a record could not be cut.
#[derive(Debug)]
pub enum LinesError {
    /// The source could not be read.
    Read(io::Error),
    /// The record after those handed out so far is longer than a log accepts.
    TooLong,
}

impl<R: Read> Lines<R> {
    /// Records of at most `record_bytes_max` bytes, each ended by the delimiter.
    pub fn new(source: R, delimiter: u8, record_bytes_max: usize) -> Lines<R> {
        Lines {
            source,
            delimiter,
            record_bytes_max,
            buffer: vec![0; CHUNK_BYTES],
            start: 0,
            filled: 0,
            searched: 0,
            is_at_end: false,
        }
    }

    /// Reads once. Of the ranges handed out before only those in `held`, the newest ones, stay
    /// valid: they move with their bytes.
    pub fn fill(&mut self, held: &mut [Range<usize>]) -> Result<Fill, LinesError> {
        self.make_room(held);
        loop {
            match self.source.read(&mut self.buffer[self.filled..]) {
                Ok(0) => {
                    self.is_at_end = true;
                    return Ok(Fill::End);
                }
                Ok(count) => {
                    self.filled += count;
                    return Ok(Fill::More);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(LinesError::Read(error)),
            }
        }
    }

    /// Moves up to `count_max` complete records, and about `bytes_max` bytes of them, to `records`;
    /// returns their bytes. Fewer than `count_max` means that the buffer holds no more of them.
    pub fn take(
        &mut self,
        records: &mut Vec<Range<usize>>,
        count_max: usize,
        bytes_max: usize,
    ) -> Result<usize, LinesError> {
        let mut bytes = 0;
        for _ in 0..count_max {
            let Some(record) = self.next_record()? else { break };
            bytes += record.len();
            records.push(record);
            if bytes >= bytes_max {
                break;
            }
        }
        Ok(bytes)
    }

    /// Whether every record of the source was handed out.
    pub fn is_done(&self) -> bool {
        self.is_at_end && self.start == self.filled
    }

    /// The bytes of a record handed out since the last [`Lines::fill`].
    pub fn bytes(&self, record: &Range<usize>) -> &[u8] {
        &self.buffer[record.clone()]
    }

    fn next_record(&mut self) -> Result<Option<Range<usize>>, LinesError> {
        let mut rest = &self.buffer[self.searched..self.filled];
        // The standard library's search looks at a word at a time; reading a slice cannot fail.
        let skipped = rest.skip_until(self.delimiter).unwrap_or(0);
        let end = self.searched + skipped;
        let is_ended = skipped > 0 && self.buffer[end - 1] == self.delimiter;
        self.searched = end;
        let record = if is_ended { self.start..end - 1 } else { self.start..end };
        if record.len() > self.record_bytes_max {
            return Err(LinesError::TooLong);
        }
        // A last line without a delimiter is a record; an empty one is not.
        if is_ended || (self.is_at_end && !record.is_empty()) {
            self.start = end;
            return Ok(Some(record));
        }
        Ok(None)
    }

    fn make_room(&mut self, held: &mut [Range<usize>]) {
        let kept = held.first().map_or(self.start, |record| record.start);
        if self.buffer.len() - self.filled >= CHUNK_BYTES / 2 {
            return;
        }
        // What is still wanted moves to the front; only what is longer than the room that frees
        // makes the buffer grow, up to a batch of the largest size or the longest record.
        self.buffer.copy_within(kept..self.filled, 0);
        for record in held {
            *record = record.start - kept..record.end - kept;
        }
        self.start -= kept;
        self.searched -= kept;
        self.filled -= kept;
        if self.buffer.len() - self.filled < CHUNK_BYTES / 2 {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
    }
}

/// Bytes asked of the source at a time.
const CHUNK_BYTES: usize = 512 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time, as a slow pipe does.
    struct Trickle<'a>(&'a [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buf.len());
            buf[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn cut(source: &[u8], step: usize, max: usize) -> Result<Vec<Vec<u8>>, LinesError> {
        let mut lines = Lines::new(Trickle(source, step), b'\n', max);
        let mut all = Vec::new();
        while !lines.is_done() {
            lines.fill(&mut [])?;
            let mut records = Vec::new();
            lines.take(&mut records, usize::MAX, usize::MAX)?;
            all.extend(records.iter().map(|record| lines.bytes(record).to_vec()));
        }
        Ok(all)
    }

    #[test]
    fn a_record_longer_than_the_limit_is_refused_also_without_its_end() {
        for source in ["ok\n123456\n", "ok\n123456", "123456789"] {
            for step in [1, 3, 100] {
                assert!(matches!(cut(source.as_bytes(), step, 5), Err(LinesError::TooLong)));
            }
        }
        assert_eq!(cut(b"12345\n", 2, 5).expect("fits"), [b"12345"]);
    }

    #[test]
    fn a_last_line_without_a_delimiter_is_a_record_and_an_empty_one_is_not() {
        for step in [1, 2, 7, 100] {
            let records = |source: &str| cut(source.as_bytes(), step, 100).expect("short lines");
            assert_eq!(records(""), Vec::<Vec<u8>>::new());
            assert_eq!(records("a"), [b"a".to_vec()]);
            assert_eq!(records("a\n"), [b"a".to_vec()]);
            assert_eq!(records("\n"), [b"".to_vec()]);
            assert_eq!(records("\n\na"), [b"".to_vec(), b"".to_vec(), b"a".to_vec()]);
            assert_eq!(records("a\n\n"), [b"a".to_vec(), b"".to_vec()]);
            assert_eq!(records("one\r\ntwo"), [b"one\r".to_vec(), b"two".to_vec()]);
        }
    }

    #[test]
    fn records_longer_than_a_chunk_come_whole() {
        let mut source = vec![b'x'; 3 * CHUNK_BYTES];
        source.push(b'\n');
        source.extend_from_slice(b"tail\n");
        let records = cut(&source, 100_000, 4 * CHUNK_BYTES).expect("within the limit");
        assert_eq!(records.len(), 2);
        assert_eq!(records[0].len(), 3 * CHUNK_BYTES);
        assert_eq!(records[1], b"tail");
    }

    #[test]
    fn held_records_move_with_their_bytes() {
        let mut source = Vec::new();
        for number in 0..200_000 {
            source.extend_from_slice(format!("record {number}\n").as_bytes());
        }
        let mut lines = Lines::new(Trickle(&source, 50_000), b'\n', 100);
        let mut held = Vec::new();
        while !lines.is_done() {
            lines.fill(&mut held).expect("a slice");
            lines.take(&mut held, usize::MAX, usize::MAX).expect("short lines");
        }
        assert_eq!(held.len(), 200_000);
        for (number, record) in held.iter().enumerate() {
            assert_eq!(lines.bytes(record), format!("record {number}").as_bytes());
        }
    }
}
