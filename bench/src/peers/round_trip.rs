//! What every peer has to do in a test: give back what it took, equal and in order.

use futures::executor::block_on;

use crate::log::{Failure, Log, Result, System};

/// A way to append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Append,
    Async,
    Batch,
    Pipelined,
    Buffered,
    System,
}

/// Appends in every way, each in a log of its own, and reads everything after opening it again.
/// The ways that are not in `ways`, and reads unless `has_reads`, have to be refused by name.
pub fn round_trip(system: &dyn System, ways: &[Way], has_reads: bool) {
    assert!(system.is_not_durable().is_none());
    for way in ALL_WAYS {
        let directory = tempfile::tempdir().unwrap();
        let log = system.open(directory.path()).unwrap();
        let records = records();
        let result = append(&*log, way, &records);
        if !ways.contains(&way) {
            assert!(matches!(result, Err(Failure::Unsupported(_))), "{way:?}: {result:?}");
            log.close().unwrap();
            continue;
        }
        result.unwrap();
        // Twice: as long as it is open, and after.
        expect_all(&*log, &records, way);
        log.close().unwrap();
        let log = system.open(directory.path()).unwrap();
        expect_all(&*log, &records, way);
        expect_all(&*log, &records, way);
        expect_reads(&*log, &records, has_reads);
        // What comes after is behind what was there.
        log.append(b"one more").unwrap();
        let mut last = Vec::new();
        let count = log.replay(&mut |record| last = record.to_vec()).unwrap();
        assert_eq!(count, records.len() as u64 + 1);
        if way != Way::System {
            assert_eq!(last, b"one more");
        }
        log.close().unwrap();
    }
}

fn append(log: &dyn Log, way: Way, records: &[Vec<u8>]) -> Result<()> {
    let slices: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
    match way {
        Way::Append => records.iter().try_for_each(|record| log.append(record)),
        Way::Async => records.iter().try_for_each(|record| block_on(log.append_async(record))),
        Way::Batch => slices.chunks(300).try_for_each(|batch| log.append_batch(batch)),
        Way::Pipelined => log.append_pipelined(&mut slices.iter().copied()),
        Way::Buffered => {
            records.iter().try_for_each(|record| log.append_buffered(record))?;
            log.sync()
        }
        Way::System => records.iter().try_for_each(|record| log.append_to_system(record)),
    }
}

fn expect_all(log: &dyn Log, records: &[Vec<u8>], way: Way) {
    let mut found = Vec::new();
    let count = log.replay(&mut |record| found.push(record.to_vec())).unwrap();
    assert_eq!(count, records.len() as u64, "{way:?}");
    assert!(found == records, "{way:?}: the records differ");
}

fn expect_reads(log: &dyn Log, records: &[Vec<u8>], has_reads: bool) {
    let mut buffer = b"left over".to_vec();
    if !has_reads {
        assert!(matches!(log.read(0, &mut buffer), Err(Failure::Unsupported(_))));
        return;
    }
    for index in [0, 999, 500, 1, 998] {
        log.read(index, &mut buffer).unwrap();
        assert_eq!(buffer, records[index as usize]);
    }
    assert!(matches!(log.read(1000, &mut buffer), Err(Failure::Failed(_))));
}

/// A thousand records of 256 bytes, no two alike.
fn records() -> Vec<Vec<u8>> {
    let mut state = 1_u64;
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    (0..1000).map(|_| (0..256).map(|_| byte()).collect()).collect()
}

const ALL_WAYS: [Way; 6] =
    [Way::Append, Way::Async, Way::Batch, Way::Pipelined, Way::Buffered, Way::System];
