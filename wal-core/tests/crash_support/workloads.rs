//! The scripts: each visits a part of the engine where something is changed step by step.

use wal_core::{Io, Level, Lsn, Options};

use super::rng::Rng;
use super::script::{Step, Workload};

/// Small segments and a small ring: rotation every few appends, large batches within reach.
pub fn small() -> Options {
    Options { segment_bytes: 64 * 1024, ring_bytes: 64 * 1024, ..Options::default() }
}

fn workload(name: &str, options: Options, steps: Vec<Step>) -> Workload {
    Workload { name: name.to_owned(), options, steps }
}

pub fn appends() -> Workload {
    let lens = [9000, 1, 0, 12_000, 5000, 8192, 20_000, 15_000, 511, 513];
    let steps = (0..26).map(|at| Step::Append(lens[at % lens.len()])).collect();
    workload("appends", small(), steps)
}

pub fn batches() -> Workload {
    let mut steps = Vec::new();
    for round in 0..4 {
        steps.push(Step::Batch(vec![100; 5 + round]));
        steps.push(Step::Batch(vec![6000, 0, 7000, 1]));
        steps.push(Step::Append(30_000));
        if round % 2 == 0 {
            // Larger than the ring, and larger than a segment.
            steps.push(Step::Batch(vec![50_000, 40_000, 20]));
        }
        steps.push(Step::Append(10));
    }
    workload("batches", small(), steps)
}

pub fn large_in_segment() -> Workload {
    let options = Options { segment_bytes: 512 * 1024, ..small() };
    let steps = vec![
        Step::Append(100),
        Step::Batch(vec![90_000, 10]),
        Step::Append(100),
        Step::Reopen,
        // The first commit of an opening, larger than the ring.
        Step::Batch(vec![70_000, 10]),
        Step::Append(300),
        Step::Reopen,
        Step::Append(45_000),
        Step::Append(1),
        Step::Pause,
        Step::Batch(vec![60_000, 60_000, 60_000]),
        Step::Append(1),
    ];
    workload("large in a segment", options, steps)
}

pub fn trims() -> Workload {
    let mut steps = Vec::new();
    for round in 0..5 {
        for _ in 0..4 {
            steps.push(Step::Append(14_000));
        }
        steps.push(Step::Pause);
        steps.push(if round % 2 == 0 { Step::TrimKeeping(3) } else { Step::TrimToSegment });
        steps.push(Step::Pause);
    }
    steps.push(Step::TrimKeeping(0));
    steps.push(Step::Append(7));
    steps.push(Step::Reopen);
    steps.push(Step::Append(40_000));
    steps.push(Step::TrimKeeping(1));
    workload("trims", small(), steps)
}

/// Each round trims right after a rotation, when no spare is waiting: the trimmed file becomes one,
/// and the next rotation writes over its old records.
pub fn recyclings() -> Workload {
    let mut steps = Vec::new();
    for round in 0..6 {
        steps.extend([Step::Append(14_000), Step::Append(15_000), Step::Append(13_000 + round)]);
        steps.extend([Step::Pause, Step::Append(14_000), Step::Append(1000)]);
        steps.extend([Step::TrimKeeping(1), Step::Pause]);
    }
    steps.extend([Step::Append(20_000), Step::Truncate(2), Step::Pause, Step::Append(30_000)]);
    steps.extend([Step::Append(30_000), Step::ResetAhead(0), Step::Pause, Step::Append(40_000)]);
    steps.extend([Step::Append(40_000), Step::Append(10)]);
    workload("recyclings", small(), steps)
}

pub fn truncations() -> Workload {
    let options = Options { first_lsn: Lsn::new(10).unwrap(), ..small() };
    let mut steps = vec![Step::Batch(vec![1000; 8]), Step::Truncate(3), Step::Append(5)];
    steps.extend((0..6).map(|_| Step::Append(15_000)));
    steps.extend([
        Step::TruncateToSegment(0),
        Step::Append(3000),
        Step::Append(3000),
        Step::Truncate(4),
        Step::Truncate(1),
        Step::Append(50),
        Step::Reopen,
        Step::Truncate(1),
        Step::Reopen,
        Step::Append(20_000),
        Step::Append(30_000),
        Step::Append(30_000),
        Step::TruncateToSegment(1),
        Step::Append(9),
        Step::Truncate(1),
        Step::Append(10),
        Step::TruncateAll,
        Step::Append(11),
        Step::Append(12),
        Step::TrimKeeping(1),
        Step::TruncateAll,
        Step::Append(13),
    ]);
    workload("truncations", options, steps)
}

pub fn resets() -> Workload {
    let mut steps = vec![Step::Set(1, 100), Step::Append(100), Step::ResetAhead(1000)];
    steps.extend((0..5).map(|_| Step::Append(20_000)));
    steps.extend([
        Step::Pause,
        Step::ResetTo(5),
        Step::Append(1),
        Step::Reopen,
        Step::Append(2),
        Step::ResetTo(5),
        Step::Reopen,
        Step::ResetTo(1),
        Step::Append(3),
        Step::TrimKeeping(0),
        Step::ResetAhead(0),
        Step::Append(4),
        Step::Append(5),
        Step::Truncate(1),
        Step::Set(2, 10),
        Step::Append(6),
    ]);
    workload("resets", small(), steps)
}

pub fn values() -> Workload {
    let mut steps = vec![Step::Set(1, 0), Step::Set(1, 10), Step::Append(10)];
    steps.extend([
        Step::SetSeveral(vec![(2, 4096), (3, 4000), (4, 4096)]),
        Step::Append(20),
        Step::Delete(3),
        Step::TrimKeeping(1),
        Step::Set(2, 1),
        Step::Reopen,
        Step::Set(5, 3000),
        Step::Append(30),
        Step::SetSeveral(vec![(1, 5), (2, 6), (6, 2000)]),
        Step::Truncate(1),
        Step::Delete(1),
        Step::Reopen,
        Step::Delete(6),
    ]);
    workload("values", small(), steps)
}

pub fn reopenings() -> Workload {
    let mut steps = vec![Step::Reopen, Step::Append(10), Step::Reopen];
    for round in 0..6 {
        steps.extend([Step::Append(100 * round), Step::Append(40), Step::Reopen]);
        if round == 3 {
            steps.extend([Step::Append(40_000), Step::Reopen, Step::Append(30_000)]);
        }
    }
    // Opened, and the first append does not fit any more.
    steps.extend([Step::Append(20_000), Step::Reopen, Step::Append(25_000), Step::Append(3)]);
    workload("reopenings", small(), steps)
}

pub fn sealed_at_close() -> Workload {
    let options = Options { segment_bytes: 4 << 20, ring_bytes: 1 << 20, ..Options::default() };
    let steps = vec![
        Step::Append(100),
        Step::Batch(vec![300_000, 300_000, 300_000, 300_000]),
        Step::Reopen,
        Step::Append(10),
        Step::Pause,
        Step::Reopen,
        Step::Batch(vec![300_000, 300_000, 300_000, 200_000]),
        Step::Append(11),
        Step::Reopen,
        Step::Truncate(3),
        Step::Append(12),
    ];
    workload("sealed at close", options, steps)
}

pub fn levels(level: Level) -> Workload {
    let options = Options { level, ..small() };
    let mut steps = Vec::new();
    for round in 0..6 {
        steps.extend([Step::Append(3000), Step::Batch(vec![4000, 10, 5000]), Step::Append(1)]);
        match round {
            1 => steps.push(Step::Sync),
            2 => steps.push(Step::AppendAt(Level::Disk, 50)),
            3 => steps.push(Step::Truncate(2)),
            4 => steps.extend([Step::TrimKeeping(4), Step::Pause]),
            _ => steps.push(Step::Append(12_000)),
        }
        steps.push(Step::AppendAt(Level::Os, 60));
    }
    steps.extend([Step::Reopen, Step::Append(5), Step::Pause, Step::Append(6)]);
    workload(&format!("level {level:?}"), options, steps)
}

/// The disk is full now and then, at every place of a segment.
pub fn full_disks() -> Workload {
    let mut steps = vec![Step::AppendToFull(100_000), Step::Append(1)];
    for round in 0..8 {
        steps.extend([Step::Append(9000 + round * 777), Step::AppendToFull(21_000 + round * 100)]);
        steps.extend([Step::AppendToFull(100_000), Step::Append(3000)]);
        match round {
            2 => steps.extend([Step::Truncate(2), Step::AppendToFull(90_000)]),
            4 => steps.extend([Step::TruncateFull(1), Step::Reopen, Step::AppendToFull(70_000)]),
            6 => steps.extend([Step::Truncate(1), Step::AppendToFull(90_000), Step::Reopen]),
            _ => steps.push(Step::TrimKeeping(6)),
        }
    }
    workload("full disks", small(), steps)
}

pub fn submissions() -> Workload {
    let options = Options { max_batch_bytes: 4096, ..small() };
    let mut steps = Vec::new();
    for level in [Level::Disk, Level::Os, Level::Buffered, Level::Disk] {
        steps.push(Step::Submit(level, vec![2000; 9]));
        steps.push(Step::Submit(level, vec![10, 12_000, 40_000, 10, 20_000, 5, 70_000, 1]));
    }
    workload("submissions", options, steps)
}

pub fn padded() -> Workload {
    let options = Options { pad_to_block: true, ..small() };
    let mut steps: Vec<_> =
        (0..14).map(|at| Step::Append([10, 4000, 8100, 9000][at % 4])).collect();
    steps.extend([Step::Reopen, Step::Batch(vec![4040, 1]), Step::Truncate(1), Step::Append(2)]);
    workload("padded", options, steps)
}

pub fn direct(pad_to_block: bool) -> Workload {
    let options = Options { io: Io::Direct, pad_to_block, ..small() };
    let mut steps: Vec<_> = (0..12).map(|at| Step::Append([10, 4000, 0, 15_000][at % 4])).collect();
    steps.extend([
        Step::Pause,
        Step::Reopen,
        Step::Batch(vec![4040, 1]),
        Step::Append(70_000),
        Step::Append(9),
        Step::Truncate(2),
        Step::Append(2),
        Step::TrimKeeping(2),
        Step::Pause,
        Step::Append(20_000),
    ]);
    workload(&format!("direct, padded {pad_to_block}"), options, steps)
}

/// Large commits until new segments are written past the page cache, then large and small ones that
/// go both ways into the same segment.
pub fn stream() -> Workload {
    let options = Options {
        segment_bytes: 1 << 20,
        ring_bytes: 8 << 20,
        max_batch_bytes: 4 << 20,
        ..small()
    };
    let mut steps: Vec<_> = (0..3).map(|at| Step::Append(1_200_000 + at)).collect();
    steps.extend([100, 80_000, 5, 70_000, 9, 65_536].map(Step::Append));
    steps.extend([Step::Pause, Step::Reopen, Step::Append(10)]);
    workload("stream", options, steps)
}

/// A script nobody thought of.
pub fn random(seed: u64) -> Workload {
    let mut rng = Rng::new(seed);
    let level = [Level::Disk, Level::Disk, Level::Os, Level::Buffered][rng.below(4)];
    let options = Options {
        segment_bytes: [64, 64, 128, 256][rng.below(4)] * 1024,
        ring_bytes: [64, 64, 256][rng.below(3)] * 1024,
        max_batch_bytes: [4096, 1 << 20][rng.below(2)],
        sync_bytes: rng.chance(20).then_some(10_000),
        pad_to_block: rng.chance(20),
        io: if rng.chance(20) { Io::Direct } else { Io::Auto },
        level,
        first_lsn: Lsn::new(1 + rng.next() % 50).unwrap(),
        ..Options::default()
    };
    let count = 10 + rng.below(40);
    let steps = (0..count).map(|_| random_step(&mut rng)).collect();
    workload(&format!("random {seed}"), options, steps)
}

fn random_step(rng: &mut Rng) -> Step {
    let len = |rng: &mut Rng| match rng.below(10) {
        0 => 0,
        1..5 => rng.below(300),
        5..8 => rng.below(12_000),
        8 => rng.below(40_000),
        _ => rng.below(100_000),
    };
    match rng.below(29) {
        0..9 => Step::Append(len(rng)),
        9..12 => Step::Batch((0..1 + rng.below(6)).map(|_| len(rng)).collect()),
        12 => Step::AppendAt([Level::Os, Level::Buffered, Level::Disk][rng.below(3)], len(rng)),
        13 => Step::TrimKeeping(rng.below(10) as u64),
        14 => Step::TrimToSegment,
        15 => Step::Truncate(1 + rng.below(8) as u64),
        16 => Step::TruncateToSegment(rng.below(3)),
        17 => {
            if rng.chance(30) {
                Step::TruncateAll
            } else {
                Step::Truncate(1)
            }
        }
        18 => match rng.below(6) {
            0 => Step::ResetAhead(rng.below(100) as u64),
            1 => Step::ResetTo(1 + rng.below(100) as u64),
            _ => Step::Append(len(rng)),
        },
        19 => Step::Set(rng.below(4) as u8, rng.below(4097)),
        20 => {
            let count = 1 + rng.below(4);
            Step::SetSeveral((0..count).map(|_| (rng.below(4) as u8, rng.below(2000))).collect())
        }
        21 => Step::Delete(rng.below(4) as u8),
        22 => Step::Sync,
        23 | 24 => Step::Reopen,
        25 => Step::AppendToFull(len(rng)),
        26 => Step::TruncateFull(1 + rng.below(4) as u64),
        27 => {
            let level = [Level::Os, Level::Buffered, Level::Disk][rng.below(3)];
            Step::Submit(level, (0..1 + rng.below(12)).map(|_| len(rng)).collect())
        }
        _ => Step::Pause,
    }
}
