//! Writes an export stream.

use std::io::{self, Write};

use super::layout::{CHUNK_BATCH, CHUNK_END, CHUNK_VALUES, HEADER_BYTES, Header, MAGIC, VERSION};

/// Writes the header, chunks in the order they are given, and the end.
pub struct StreamWriter<W> {
    sink: W,
    /// Over every byte written so far.
    checksum: crc32fast::Hasher,
    next_lsn: u64,
    records: u64,
    payload: Vec<u8>,
}

impl<W: Write> StreamWriter<W> {
    /// Writes the header.
    pub fn new(mut sink: W, header: &Header) -> io::Result<StreamWriter<W>> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&0u16.to_le_bytes());
        bytes.extend_from_slice(&header.uuid);
        bytes.extend_from_slice(&header.first_lsn.to_le_bytes());
        bytes.extend_from_slice(&header.next_lsn.to_le_bytes());
        let crc = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        sink.write_all(&bytes)?;
        let mut checksum = crc32fast::Hasher::new();
        checksum.update(&bytes);
        let next_lsn = header.first_lsn;
        Ok(StreamWriter { sink, checksum, next_lsn, records: 0, payload: Vec::new() })
    }

    /// Writes a batch; the caller gives them in LSN order.
    pub fn batch<R: AsRef<[u8]>>(&mut self, time_ns: u64, records: &[R]) -> io::Result<()> {
        let mut payload = std::mem::take(&mut self.payload);
        payload.clear();
        payload.extend_from_slice(&self.next_lsn.to_le_bytes());
        payload.extend_from_slice(&time_ns.to_le_bytes());
        payload.extend_from_slice(&length(records.len())?.to_le_bytes());
        for record in records {
            payload.extend_from_slice(&length(record.as_ref().len())?.to_le_bytes());
            payload.extend_from_slice(record.as_ref());
        }
        self.chunk(CHUNK_BATCH, &payload)?;
        self.payload = payload;
        self.next_lsn += records.len() as u64;
        self.records += records.len() as u64;
        Ok(())
    }

    /// Writes the key-value state.
    pub fn values(&mut self, entries: &[(Vec<u8>, Vec<u8>)]) -> io::Result<()> {
        let mut payload = Vec::new();
        payload.extend_from_slice(&length(entries.len())?.to_le_bytes());
        for (key, value) in entries {
            payload.extend_from_slice(&length(key.len())?.to_le_bytes());
            payload.extend_from_slice(key);
            payload.extend_from_slice(&length(value.len())?.to_le_bytes());
            payload.extend_from_slice(value);
        }
        self.chunk(CHUNK_VALUES, &payload)
    }

    /// Writes the end and gives the sink back, flushed.
    pub fn finish(mut self) -> io::Result<W> {
        let mut payload = Vec::new();
        payload.extend_from_slice(&self.records.to_le_bytes());
        payload.extend_from_slice(&self.next_lsn.saturating_sub(1).to_le_bytes());
        payload.extend_from_slice(&self.checksum.clone().finalize().to_le_bytes());
        self.chunk(CHUNK_END, &payload)?;
        self.sink.flush()?;
        Ok(self.sink)
    }

    fn chunk(&mut self, kind: u8, payload: &[u8]) -> io::Result<()> {
        let mut head = [kind, 0, 0, 0, 0];
        head[1..].copy_from_slice(&length(payload.len())?.to_le_bytes());
        let mut crc = crc32fast::Hasher::new();
        crc.update(&head);
        crc.update(payload);
        let crc = crc.finalize().to_le_bytes();
        for part in [&head[..], payload, &crc[..]] {
            self.checksum.update(part);
            self.sink.write_all(part)?;
        }
        Ok(())
    }
}

fn length(bytes: usize) -> io::Result<u32> {
    u32::try_from(bytes).map_err(|_| io::Error::other("a batch too large for the stream"))
}
