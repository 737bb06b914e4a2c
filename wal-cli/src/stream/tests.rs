use super::layout::HEADER_BYTES;
use super::*;

fn sample() -> Vec<u8> {
    let header = Header { uuid: *b"0123456789abcdef", first_lsn: 5, next_lsn: 8 };
    let mut writer = StreamWriter::new(Vec::new(), &header).expect("a vector");
    writer.batch(1_000, &[b"one".to_vec(), b"".to_vec()]).expect("a vector");
    writer.batch(2_000, &[b"three"]).expect("a vector");
    writer.values(&[(b"key".to_vec(), b"value".to_vec())]).expect("a vector");
    writer.finish().expect("a vector")
}

fn read_all(bytes: &[u8]) -> Result<Vec<Chunk>, StreamError> {
    let mut reader = StreamReader::new(bytes)?;
    let mut chunks = Vec::new();
    loop {
        chunks.push(reader.next_chunk()?);
        if chunks.last() == Some(&Chunk::End) {
            return Ok(chunks);
        }
    }
}

#[test]
fn every_flipped_bit_is_found() {
    let bytes = sample();
    for at in 0..bytes.len() * 8 {
        let mut broken = bytes.clone();
        broken[at / 8] ^= 1 << (at % 8);
        let outcome = read_all(&broken);
        assert!(outcome.is_err(), "bit {at}");
        if at / 8 >= HEADER_BYTES {
            let Err(StreamError::Damaged { offset, .. }) = outcome else { panic!("bit {at}") };
            assert!(offset >= HEADER_BYTES as u64 && offset <= at as u64 / 8, "bit {at}");
        }
    }
}

#[test]
fn every_missing_tail_and_every_addition_is_found() {
    let bytes = sample();
    for length in 0..bytes.len() {
        assert!(read_all(&bytes[..length]).is_err(), "{length} bytes");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(read_all(&longer).is_err());
}

#[test]
fn a_newer_version_is_unsupported_not_damaged() {
    let mut bytes = sample();
    bytes[8] = 2;
    assert!(matches!(read_all(&bytes), Err(StreamError::Unsupported(2))));
}

#[test]
fn what_was_written_is_read() {
    let chunks = read_all(&sample()).expect("an unharmed stream");
    let batch = |first_lsn, time_ns, records: &[&[u8]]| {
        let records = records.iter().map(|record| record.to_vec()).collect();
        Chunk::Batch(Batch { first_lsn, time_ns, records })
    };
    assert_eq!(
        chunks,
        [
            batch(5, 1_000, &[b"one", b""]),
            batch(7, 2_000, &[b"three"]),
            Chunk::Values(vec![(b"key".to_vec(), b"value".to_vec())]),
            Chunk::End,
        ]
    );
}

#[test]
fn the_layout_is_the_documented_one() {
    let bytes = sample();
    assert_eq!(&bytes[..8], b"WALEXPRT");
    assert_eq!(bytes[8..12], [1, 0, 0, 0]);
    assert_eq!(&bytes[12..28], b"0123456789abcdef");
    assert_eq!(bytes[28..44], [5, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(bytes[44..48], crc32fast::hash(&bytes[..44]).to_le_bytes());
    // The first chunk: type, length, first LSN, time, count, then each record behind its length.
    assert_eq!(bytes[48..53], [2, 31, 0, 0, 0]);
    assert_eq!(bytes[53..61], 5u64.to_le_bytes());
    assert_eq!(bytes[61..69], 1_000u64.to_le_bytes());
    assert_eq!(bytes[69..73], 2u32.to_le_bytes());
    assert_eq!(bytes[73..84], [3, 0, 0, 0, b'o', b'n', b'e', 0, 0, 0, 0]);
    assert_eq!(bytes[84..88], crc32fast::hash(&bytes[48..84]).to_le_bytes());
    // The end: count, last LSN and the checksum of all before it.
    let end = bytes.len() - 29;
    assert_eq!(bytes[end..end + 5], [3, 20, 0, 0, 0]);
    assert_eq!(bytes[end + 5..end + 13], 3u64.to_le_bytes());
    assert_eq!(bytes[end + 13..end + 21], 7u64.to_le_bytes());
    assert_eq!(bytes[end + 21..end + 25], crc32fast::hash(&bytes[..end]).to_le_bytes());
}
