//! What claims keep apart.

use std::path::PathBuf;

use super::*;
use crate::limits::SEGMENT_BYTES_MAX;
use crate::lsn::{FileOffset, Place, SegmentId};
use crate::options::{Options, ReadMode};
use crate::segment::SegmentHeader;
use crate::vfs::MemVfs;

fn segment() -> Arc<Segment> {
    let header = SegmentHeader {
        uuid: [3; 16],
        id: SegmentId(1),
        first_lsn: 1,
        epoch: 1,
        salt: 1,
        created_ns: 0,
        predecessor: None,
        durable_through: Place { segment: SegmentId(0), offset: FileOffset(0) },
        state_seq: 0,
    };
    let path = PathBuf::from("/log/1");
    Segment::new(Arc::new(MemVfs::new()), path, header, ReadMode::Map, None, None)
}

/// Each step claims the long way or the short one and may take a commit, as appenders and the
/// committer do, until the segment is full; `claim_quickly` itself checks what it is sure of.
#[test]
fn what_is_claimed_the_short_way_always_fits() {
    let mut random = 7u64;
    let mut next = |below: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) % below
    };
    let options = Options::default();
    for pad_to_block in [false, true] {
        let segment = segment();
        let mut claims = Claims::new(1, 1 << 16, pad_to_block);
        claims.enter(Arc::clone(&segment), 4 << 20, DATA_START, segment.header().seed());
        let (mut quick, mut slow) = (0u32, 0u32);
        loop {
            let record = vec![0; [0, 40, 400, 9000, 20_000][next(5) as usize]];
            let batch = Batch::one(&record, &options).expect("within limits");
            let terms = Terms { wants_sync: true, acknowledged: false, time_ns: None };
            if claims.claim_quickly(&batch, terms).is_some() {
                quick += 1;
            } else {
                match claims.fit(&batch, 4 << 20) {
                    Fit::Here => drop(claims.claim(&batch, terms, 1 << 15)),
                    Fit::NeedsSegment(_) => break,
                    other => assert_eq!(other, Fit::NeedsRoom),
                }
                slow += 1;
            }
            if next(3) > 0
                && let Some(group) = claims.take()
            {
                claims.free(group.after);
            }
        }
        assert!(quick > slow, "{quick} the short way, {slow} the long one");
    }
}

#[test]
fn offsets_up_to_the_end_of_the_largest_segment_are_exact() {
    let segment = segment();
    let seed = segment.header().seed();
    let mut claims = Claims::new(1, 1 << 20, false);
    let start = SEGMENT_BYTES_MAX - 64 * 1024;
    claims.enter(Arc::clone(&segment), SEGMENT_BYTES_MAX, start, seed);
    let record = [0; 1000];
    let batch = Batch::one(&record, &Options::default()).expect("within limits");
    let terms = Terms { wants_sync: true, acknowledged: false, time_ns: None };
    let mut offsets = Vec::new();
    while claims.fit(&batch, SEGMENT_BYTES_MAX) == Fit::Here {
        let claim = claims.claim(&batch, terms, 1 << 20);
        assert_eq!(claim.destination.offset % BLOCK_BYTES, claim.position % BLOCK_BYTES);
        offsets.push(claim.destination.offset);
    }
    assert!(matches!(claims.fit(&batch, SEGMENT_BYTES_MAX), Fit::NeedsSegment(_)));
    assert!(offsets.len() > 50, "{} records fitted", offsets.len());
    assert!(offsets.iter().all(|&offset| offset > u64::from(u32::MAX) - 64 * 1024));
    let indexed = segment.index_entries(offsets.len() as u32).map(|entry| u64::from(entry) * 8);
    assert!(indexed.eq(offsets.iter().copied()));
    let records = offsets.len() as u64;
    let end = offsets.last().expect("some") + batch.frame_bytes + COMMIT_FRAME_BYTES;
    let footer = footer_bytes(records, OPENINGS_PER_SEGMENT_MAX as u64);
    assert!(end + footer <= SEGMENT_BYTES_MAX, "the footer still fits");
}

#[test]
fn a_log_that_empties_its_ring_keeps_to_the_beginning_of_it() {
    let capacity = 16 << 20;
    let segment = segment();
    let mut claims = Claims::new(1, capacity, false);
    claims.enter(Arc::clone(&segment), 1 << 30, DATA_START, segment.header().seed());
    let record = [0; 10_000];
    let batch = Batch::one(&record, &Options::default()).expect("within limits");
    let terms = Terms { wants_sync: true, acknowledged: false, time_ns: None };
    let claim = |claims: &mut Claims| {
        assert_eq!(claims.fit(&batch, 1 << 30), Fit::Here);
        let claim = claims.claim(&batch, terms, 1 << 20);
        assert_eq!(claim.destination.offset % BLOCK_BYTES, claim.position % BLOCK_BYTES);
        claim.position
    };
    for _ in 0..3000 {
        assert!(claim(&mut claims) % capacity < 2 * REWIND_BYTES);
        let group = claims.take().expect("one was claimed");
        claims.free(group.after);
    }
    // With something still in it, it goes on where it is.
    let mut furthest = 0;
    let mut before = claim(&mut claims);
    for _ in 0..1000 {
        let group = claims.take().expect("one was claimed");
        let position = claim(&mut claims);
        assert!(position > before, "nothing is claimed twice");
        claims.free(group.after);
        (before, furthest) = (position, furthest.max(position % capacity));
    }
    assert!(furthest > 8 * REWIND_BYTES);
}
