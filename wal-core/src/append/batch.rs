//! The records of one append, measured before anything is claimed.

use super::Ring;
use crate::checksum::crc32;
use crate::error::{Error, Result};
use crate::frame::{
    FLAG_BATCH_CONTINUES, FRAME_ALIGNMENT, FRAME_HEADER_BYTES, FrameHeader, Kind, Seed, frame_bytes,
};
use crate::limits;
use crate::options::Options;

/// Records that are appended together. The slices were taken from the caller before the claim, so
/// that no foreign code runs between claim and publication.
pub(crate) struct Batch<'a> {
    records: Records<'a>,
    /// Records in it.
    pub(crate) count: u32,
    /// Sum of the payloads.
    pub(crate) payload_bytes: u64,
    /// Sum of the frames.
    pub(crate) frame_bytes: u64,
}

enum Records<'a> {
    One([&'a [u8]; 1]),
    Pieces(&'a [&'a [u8]]),
    Many(&'a [&'a [u8]]),
}

/// Where a batch's frames go and what they carry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Destination {
    /// File offset of the first frame.
    pub(crate) offset: u64,
    /// LSN delta of the first record.
    pub(crate) lsn_delta: u32,
    pub(crate) seed: Seed,
}

impl<'a> Batch<'a> {
    #[inline]
    pub(crate) fn one(record: &'a [u8], options: &Options) -> Result<Batch<'a>> {
        let payload_bytes = record.len() as u64;
        if payload_bytes > options.record_bytes_max || payload_bytes > options.batch_bytes_max {
            return Batch::measure(Records::One([record]), options);
        }
        let frame_bytes = frame_bytes(payload_bytes);
        Ok(Batch { records: Records::One([record]), count: 1, payload_bytes, frame_bytes })
    }

    pub(crate) fn pieces(pieces: &'a [&'a [u8]], options: &Options) -> Result<Batch<'a>> {
        Batch::measure(Records::Pieces(pieces), options)
    }

    pub(crate) fn many(records: &'a [&'a [u8]], options: &Options) -> Result<Batch<'a>> {
        if records.is_empty() {
            return Err(Error::invalid("an empty batch: append at least one record"));
        }
        Batch::measure(Records::Many(records), options)
    }

    fn measure(records: Records<'a>, options: &Options) -> Result<Batch<'a>> {
        let mut batch = Batch { records, count: 0, payload_bytes: 0, frame_bytes: 0 };
        let mut longest = 0;
        let (mut count, mut payload_sum, mut frame_sum) = (0u64, 0u64, 0u64);
        batch.each(|pieces| {
            let payload = pieces.iter().map(|piece| piece.len() as u64).sum();
            longest = longest.max(payload);
            count += 1;
            payload_sum = payload_sum.saturating_add(payload);
            frame_sum = frame_sum.saturating_add(frame_bytes(payload));
        });
        let refuse = |what: &str, is: u64, most: u64, name: &str| {
            Err(Error::invalid(format!(
                "{what} of {is} bytes is over {name} = {most}: split it, or raise the limit"
            )))
        };
        if longest > options.record_bytes_max {
            return refuse("a record", longest, options.record_bytes_max, "record_bytes_max");
        }
        if payload_sum > options.batch_bytes_max {
            return refuse("a batch", payload_sum, options.batch_bytes_max, "batch_bytes_max");
        }
        if count > limits::BATCH_RECORDS_MAX {
            return Err(Error::invalid(format!(
                "a batch of {count} records is over {}: split it",
                limits::BATCH_RECORDS_MAX
            )));
        }
        (batch.count, batch.payload_bytes, batch.frame_bytes) =
            (count as u32, payload_sum, frame_sum);
        Ok(batch)
    }

    /// Calls `visit` with the pieces of each record in turn.
    #[inline]
    fn each(&self, mut visit: impl FnMut(&[&[u8]])) {
        match &self.records {
            Records::One(record) => visit(record),
            Records::Pieces(pieces) => visit(pieces),
            Records::Many(records) => records.chunks(1).for_each(visit),
        }
    }

    /// Calls `place` with each record's frame offset from the first one, in order.
    #[inline]
    pub(crate) fn each_offset(&self, mut place: impl FnMut(u64)) {
        if self.count == 1 {
            return place(0);
        }
        let mut at = 0;
        self.each(|pieces| {
            place(at);
            at += frame_bytes(pieces.iter().map(|piece| piece.len() as u64).sum());
        });
    }

    /// Encodes the frames into the ring at `position`.
    ///
    /// # Safety
    /// The caller has claimed `position..position + self.frame_bytes` and not published it.
    #[allow(unsafe_code)]
    #[inline]
    pub(crate) unsafe fn encode_into(&self, ring: &Ring, position: u64, to: Destination) {
        if let Some(mut frame) = ring.piece(position, self.frame_bytes) {
            let mut write = |payload: &[u8], flags: u8, to: Destination| {
                // SAFETY: the claimed range lies in one piece, and the frames fill it one after the
                // other.
                unsafe {
                    frame = frame.add(write_frame(frame, payload, flags, to));
                }
            };
            match self.records {
                Records::One([payload]) => return write(payload, 0, to),
                Records::Many(payloads) => {
                    let mut to = to;
                    for (at, payload) in payloads.iter().enumerate() {
                        let is_final = at + 1 == payloads.len();
                        write(payload, if is_final { 0 } else { FLAG_BATCH_CONTINUES }, to);
                        to.offset += frame_bytes(payload.len() as u64);
                        to.lsn_delta += 1;
                    }
                    return;
                }
                Records::Pieces(_) => {}
            }
        }
        // SAFETY: the caller's promise is passed on.
        unsafe { self.encode_each(ring, position, to) };
    }

    #[allow(unsafe_code)]
    unsafe fn encode_each(&self, ring: &Ring, position: u64, to: Destination) {
        let mut position = position;
        self.each_frame(to, |header, pieces, seed| {
            let covered_from = position + CRC_BYTES;
            let mut at = position + FRAME_HEADER_BYTES;
            // SAFETY: each frame's bytes lie in the claimed range, one after the other; nobody
            // reads or writes there until the caller publishes.
            unsafe {
                ring.copy_in(position, &header.encode());
                for piece in pieces {
                    ring.copy_in(at, piece);
                    at += piece.len() as u64;
                }
                // The checksum is taken from the ring, not from the caller's memory, which a
                // foreign thread might be changing: what is checksummed is what is written.
                let [head, rest] = ring.slices(covered_from..at);
                let crc = crc32(crc32(seed, head), rest);
                ring.copy_in(position, &crc.to_le_bytes());
                position += header.frame_bytes();
                ring.copy_in(at, &[0; 7][..(position - at) as usize]);
            }
        });
    }

    /// Encodes the frames one after the other into memory of their own, which has room for them.
    pub(crate) fn encode_to_vec(&self, bytes: &mut Vec<u8>, to: Destination) {
        self.each_frame(to, |header, pieces, seed| {
            let start = bytes.len();
            bytes.extend_from_slice(&header.encode());
            pieces.iter().for_each(|piece| bytes.extend_from_slice(piece));
            let crc = crc32(seed, &bytes[start + CRC_BYTES as usize..]);
            bytes[start..start + CRC_BYTES as usize].copy_from_slice(&crc.to_le_bytes());
            bytes.resize(start + header.frame_bytes() as usize, 0);
        });
    }

    /// Calls `visit` with each frame's header, the record's pieces, and where its checksum starts.
    #[inline]
    fn each_frame(&self, to: Destination, mut visit: impl FnMut(FrameHeader, &[&[u8]], u32)) {
        let (mut offset, mut lsn_delta, mut left) = (to.offset, to.lsn_delta, self.count);
        self.each(|pieces| {
            left -= 1;
            let header = FrameHeader {
                payload_bytes: pieces.iter().map(|piece| piece.len()).sum::<usize>() as u32,
                kind: Kind::Record,
                flags: if left > 0 { FLAG_BATCH_CONTINUES } else { 0 },
                lsn_delta,
            };
            visit(header, pieces, to.seed.at(offset));
            offset += header.frame_bytes();
            lsn_delta += 1;
        });
    }
}

/// Writes the frame of a record that lies in one piece; returns its length.
///
/// # Safety
/// The frame's bytes from `frame` on are the caller's alone.
#[allow(unsafe_code)]
#[inline]
unsafe fn write_frame(frame: *mut u8, payload: &[u8], flags: u8, to: Destination) -> usize {
    let header = FrameHeader {
        payload_bytes: payload.len() as u32,
        kind: Kind::Record,
        flags,
        lsn_delta: to.lsn_delta,
    };
    let header_bytes = FRAME_HEADER_BYTES as usize;
    let end = header.frame_bytes() as usize;
    // SAFETY: everything written and read lies between `frame` and `end`, which is at least a
    // header and at most seven bytes after the payload; the payload is foreign memory.
    unsafe {
        // The end first: what the payload does not cover of it is the padding.
        frame
            .add(end - FRAME_ALIGNMENT as usize)
            .cast::<[u8; FRAME_ALIGNMENT as usize]>()
            .write([0; 8]);
        frame.cast::<[u8; FRAME_HEADER_BYTES as usize]>().write(header.encode());
        std::ptr::copy_nonoverlapping(payload.as_ptr(), frame.add(header_bytes), payload.len());
        // From what was copied, as in `encode_each`.
        let covered_bytes = header_bytes - CRC_BYTES as usize + payload.len();
        let covered = std::slice::from_raw_parts(frame.add(CRC_BYTES as usize), covered_bytes);
        let crc = crc32(to.seed.at(to.offset), covered);
        frame.cast::<[u8; CRC_BYTES as usize]>().write(crc.to_le_bytes());
    }
    end
}

/// Bytes of the checksum at the start of a frame; it covers what follows.
const CRC_BYTES: u64 = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::frame::Frame;
    use crate::lsn::SegmentId;

    fn destination() -> Destination {
        Destination { offset: 8192, lsn_delta: 3, seed: Seed::new(&[1; 16], SegmentId(1), 1, 2) }
    }

    #[test]
    fn what_is_over_a_limit_is_refused() {
        let options = Options { record_bytes_max: 10, batch_bytes_max: 15, ..Options::default() };
        let refused = |batch: Result<Batch<'_>>| batch.err().map(|error| error.kind());
        let eleven: &[u8] = &[0; 11];
        let ten: &[u8] = &[0; 10];
        assert_eq!(refused(Batch::one(eleven, &options)), Some(ErrorKind::Invalid));
        assert_eq!(refused(Batch::pieces(&[ten, &[1]], &options)), Some(ErrorKind::Invalid));
        assert_eq!(refused(Batch::many(&[ten, ten], &options)), Some(ErrorKind::Invalid));
        assert_eq!(refused(Batch::many(&[], &options)), Some(ErrorKind::Invalid));
        assert_eq!(refused(Batch::one(ten, &options)), None);
        assert_eq!(refused(Batch::pieces(&[], &options)), None);
    }

    #[test]
    fn both_encodings_are_the_frames_a_reader_expects() {
        let records: Vec<Vec<u8>> = (0..40u8).map(|n| vec![n; n as usize * 7]).collect();
        let records: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
        let batch = Batch::many(&records, &Options::default()).expect("within limits");
        let mut bytes = Vec::new();
        batch.encode_to_vec(&mut bytes, destination());
        assert_eq!(bytes.len() as u64, batch.frame_bytes);

        let ring = Ring::new(16384).expect("memory");
        let position = 16384 * 3 + 10_000;
        // SAFETY: a single thread owns the whole ring.
        #[allow(unsafe_code)]
        let pieces = unsafe {
            batch.encode_into(&ring, position, destination());
            ring.slices(position..position + batch.frame_bytes)
        };
        assert_eq!(pieces.concat(), bytes);

        let mut at = 0;
        for (delta, record) in records.iter().enumerate() {
            let Destination { offset, seed, .. } = destination();
            let frame = Frame::decode(&bytes[at..], offset + at as u64, seed).expect("a frame");
            assert_eq!(frame.payload, *record);
            assert_eq!(frame.header.lsn_delta, 3 + delta as u32);
            assert_eq!(frame.header.flags == FLAG_BATCH_CONTINUES, delta + 1 < records.len());
            at += frame.header.frame_bytes() as usize;
        }
    }
}
