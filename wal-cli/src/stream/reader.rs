//! Reads an export stream and believes nothing in it that is not checked.

use std::fmt;
use std::io::{self, Read};

use super::layout::{
    Batch, CHUNK_BATCH, CHUNK_END, CHUNK_HEAD_BYTES, CHUNK_VALUES, HEADER_BYTES, Header, MAGIC,
    PAYLOAD_BYTES_MAX, VERSION,
};

/// Hands out chunks in order, each only after its checksum and its place were verified.
pub struct StreamReader<R> {
    source: R,
    header: Header,
    /// Over every byte before the chunk being read.
    checksum: crc32fast::Hasher,
    /// Where in the stream the next byte is.
    offset: u64,
    next_lsn: u64,
    records: u64,
}

/// A verified chunk.
#[derive(Debug, PartialEq, Eq)]
pub enum Chunk {
    /// Records appended together, the next ones in LSN order.
    Batch(Batch),
    /// The key-value state.
    Values(Vec<(Vec<u8>, Vec<u8>)>),
    /// The end: everything before it was seen, and nothing follows.
    End,
}

/// Why a stream cannot be read on.
#[derive(Debug)]
pub enum StreamError {
    /// The source could not be read.
    Read(io::Error),
    /// The bytes are not what was exported.
    Damaged {
        /// Where the header or chunk that is wrong begins.
        offset: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// A version this program does not know.
    Unsupported(u16),
}

impl<R: Read> StreamReader<R> {
    /// Reads and verifies the header.
    pub fn new(mut source: R) -> Result<StreamReader<R>, StreamError> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        read_up_to(&mut source, &mut bytes, HEADER_BYTES)?;
        let damaged =
            |problem: &str| StreamError::Damaged { offset: 0, problem: problem.to_owned() };
        if !bytes.starts_with(MAGIC) {
            return Err(damaged("it does not begin with WALEXPRT, so this is no export stream"));
        }
        let mut fields = Fields(&bytes[MAGIC.len()..]);
        // The version comes first: a newer one may have another header.
        let version = fields.u16().ok_or_else(|| damaged("the stream ends inside its header"))?;
        if version != VERSION {
            return Err(StreamError::Unsupported(version));
        }
        let header = (|| {
            let flags = fields.u16()?;
            let uuid = fields.bytes(16)?.try_into().ok()?;
            let header = Header { uuid, first_lsn: fields.u64()?, next_lsn: fields.u64()? };
            Some((flags, header, fields.u32()?))
        })();
        let Some((flags, header, crc)) = header else {
            return Err(damaged("the stream ends inside its header"));
        };
        if crc != crc32fast::hash(&bytes[..HEADER_BYTES - 4]) {
            return Err(damaged("the header's checksum is wrong"));
        }
        if flags != 0 {
            return Err(damaged("the header has flags that version 1 does not know"));
        }
        if header.first_lsn == 0 || header.next_lsn < header.first_lsn {
            return Err(damaged("the header's LSNs contradict each other"));
        }
        let mut checksum = crc32fast::Hasher::new();
        checksum.update(&bytes);
        let (offset, next_lsn) = (HEADER_BYTES as u64, header.first_lsn);
        Ok(StreamReader { source, header, checksum, offset, next_lsn, records: 0 })
    }

    /// What the stream says about its log.
    pub fn header(&self) -> Header {
        self.header
    }

    /// Where the next chunk begins.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Reads and verifies the next chunk. After [`Chunk::End`] there is none.
    pub fn next_chunk(&mut self) -> Result<Chunk, StreamError> {
        let mut bytes = Vec::new();
        read_up_to(&mut self.source, &mut bytes, CHUNK_HEAD_BYTES)?;
        let mut fields = Fields(&bytes);
        let (Some(kind), Some(length)) = (fields.u8(), fields.u32()) else {
            return Err(self.damaged("the stream ends here without its end chunk"));
        };
        if u64::from(length) > PAYLOAD_BYTES_MAX {
            return Err(self.damaged("the chunk's length is more than any chunk has"));
        }
        let total = CHUNK_HEAD_BYTES + length as usize + 4;
        read_up_to(&mut self.source, &mut bytes, total)?;
        if bytes.len() < total {
            return Err(self.damaged("the stream ends inside this chunk"));
        }
        let (body, crc) = bytes.split_at(total - 4);
        if Fields(crc).u32() != Some(crc32fast::hash(body)) {
            return Err(self.damaged("the chunk's checksum is wrong"));
        }
        let payload = &body[CHUNK_HEAD_BYTES..];
        let chunk = match kind {
            CHUNK_BATCH => self.batch(payload)?,
            CHUNK_VALUES => Chunk::Values(
                values(payload).ok_or_else(|| self.damaged("the values do not fill the chunk"))?,
            ),
            CHUNK_END => self.end(payload)?,
            _ => return Err(self.damaged(&format!("a chunk of the unknown type {kind}"))),
        };
        self.checksum.update(&bytes);
        self.offset += total as u64;
        Ok(chunk)
    }

    fn batch(&mut self, payload: &[u8]) -> Result<Chunk, StreamError> {
        let Some(batch) = batch(payload) else {
            return Err(self.damaged("the records do not fill the chunk"));
        };
        let next_lsn = self.next_lsn.checked_add(batch.records.len() as u64);
        let next_lsn = next_lsn.filter(|next| *next <= self.header.next_lsn);
        let (Some(next_lsn), true) = (next_lsn, batch.first_lsn == self.next_lsn) else {
            return Err(self.damaged(&format!(
                "a batch of LSN {} where {} is next, of {} in all",
                batch.first_lsn,
                self.next_lsn,
                self.header.next_lsn - 1
            )));
        };
        self.next_lsn = next_lsn;
        self.records += batch.records.len() as u64;
        Ok(Chunk::Batch(batch))
    }

    fn end(&mut self, payload: &[u8]) -> Result<Chunk, StreamError> {
        let mut fields = Fields(payload);
        let found = (fields.u64(), fields.u64(), fields.u32(), fields.is_empty());
        let expected = (
            Some(self.records),
            Some(self.next_lsn - 1),
            Some(self.checksum.clone().finalize()),
            true,
        );
        if found != expected || self.next_lsn != self.header.next_lsn {
            return Err(self.damaged("the end does not match what came before it"));
        }
        let mut rest = Vec::new();
        read_up_to(&mut self.source, &mut rest, 1)?;
        if !rest.is_empty() {
            return Err(self.damaged("bytes follow the stream's end chunk"));
        }
        Ok(Chunk::End)
    }

    fn damaged(&self, problem: &str) -> StreamError {
        StreamError::Damaged { offset: self.offset, problem: problem.to_owned() }
    }
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StreamError::Read(error) => write!(f, "reading the stream: {error}"),
            StreamError::Damaged { offset, problem } => {
                write!(f, "the stream is damaged at byte {offset}: {problem}")
            }
            StreamError::Unsupported(version) => write!(
                f,
                "the stream has version {version}, this program reads version {VERSION}; use the \
                 newer version of wal that wrote it"
            ),
        }
    }
}

/// Takes little-endian fields off the front of untrusted bytes.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn u8(&mut self) -> Option<u8> {
        self.bytes(1)?.first().copied()
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.bytes(2)?.try_into().ok()?))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.bytes(4)?.try_into().ok()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.bytes(8)?.try_into().ok()?))
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn batch(payload: &[u8]) -> Option<Batch> {
    let mut fields = Fields(payload);
    let (first_lsn, time_ns, count) = (fields.u64()?, fields.u64()?, fields.u32()?);
    // Every record has a length, so the payload bounds what a wrong count can make us reserve.
    let mut records = Vec::with_capacity((count as usize).min(payload.len() / 4));
    for _ in 0..count {
        let length = fields.u32()? as usize;
        records.push(fields.bytes(length)?.to_vec());
    }
    (count > 0 && fields.is_empty()).then_some(Batch { first_lsn, time_ns, records })
}

fn values(payload: &[u8]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut fields = Fields(payload);
    let count = fields.u32()?;
    let mut entries = Vec::with_capacity((count as usize).min(payload.len() / 8));
    for _ in 0..count {
        let length = fields.u32()? as usize;
        let key = fields.bytes(length)?.to_vec();
        let length = fields.u32()? as usize;
        entries.push((key, fields.bytes(length)?.to_vec()));
    }
    fields.is_empty().then_some(entries)
}

/// Reads until `bytes` holds `total` or the source ends. Memory grows with what was really read,
/// never with what a length claims.
fn read_up_to(
    source: &mut impl Read,
    bytes: &mut Vec<u8>,
    total: usize,
) -> Result<(), StreamError> {
    let missing = total.saturating_sub(bytes.len()) as u64;
    source.by_ref().take(missing).read_to_end(bytes).map_err(StreamError::Read)?;
    Ok(())
}
