//! Crash states: what may be left after each operation, and what must be so after each of them.

use wal_core::Options;
use wal_core::vfs::MemVfs;

use super::model::{Found, Model, Payload};
use super::rng::Rng;
use super::script::{Trace, payload};

/// How much of what is possible is looked at.
#[derive(Clone, Copy)]
pub struct Effort {
    /// Random crash states of each operation, besides "nothing" and "all of it arrived".
    pub random_states: usize,
    /// Crash inside the recovery of every `double_every`th state, at each of its operations.
    pub double_every: usize,
}

/// One way to lose power, or the death of the process.
#[derive(Clone, Copy, Debug)]
enum Loss {
    Nothing,
    All,
    /// Each part for itself: percent that arrive, percent that are torn.
    Random {
        seed: u64,
        arrive: u64,
        tear: u64,
    },
    Killed,
}

/// Every operation of a run, with several crash states each. Returns how many states there were.
pub fn exhaust(trace: &Trace, effort: Effort, seed: u64) -> usize {
    let mut rng = Rng::new(seed);
    let mut states = 0;
    for op in 0..=trace.vfs.op_count() {
        let mut losses = vec![Loss::Nothing, Loss::All, Loss::Killed];
        losses.extend((0..effort.random_states).map(|_| Loss::random(&mut rng)));
        for loss in losses {
            states += 1;
            let doubled = states % effort.double_every == 0;
            states += one_state(trace, op, loss, doubled, &mut rng);
        }
    }
    states
}

/// Random states of a run. Returns how many there were.
pub fn explore(trace: &Trace, count: usize, rng: &mut Rng) -> usize {
    let mut states = 0;
    while states < count {
        let op = rng.below(trace.vfs.op_count() + 1);
        let loss = match rng.below(8) {
            0 => Loss::Killed,
            1 => Loss::Nothing,
            2 => Loss::All,
            _ => Loss::random(rng),
        };
        let doubled = rng.chance(15);
        states += 1 + one_state(trace, op, loss, doubled, rng);
    }
    states
}

/// One crash, the recovery from it, and what is to hold after it. Returns how many further states
/// it went through.
fn one_state(trace: &Trace, op: usize, loss: Loss, doubled: bool, rng: &mut Rng) -> usize {
    let context = || {
        let ops = trace.vfs.ops();
        let last = ops[op.saturating_sub(4)..op].join("; ");
        format!("workload `{}`, operation {op} ({last}), {loss:?}", trace.name)
    };
    let crashed = loss.of(&trace.vfs, op);
    let candidates = trace.candidates(op);
    let killed = matches!(loss, Loss::Killed);
    let (log, report, found) = match Found::open(&crashed, &trace.options) {
        Ok(opened) => opened,
        Err(error) => panic!("{}: opening says {error:?}", context()),
    };
    accept(&candidates, &found, killed, &context);
    let expected = (found.first, found.first + found.records.len() as u64);
    let reported = (report.first_lsn, report.last_lsn);
    let is_empty = expected.0 == expected.1;
    assert_eq!(reported.0.map(|lsn| lsn.get()), (!is_empty).then_some(expected.0), "{}", context());
    assert_eq!(reported.1.map(|lsn| lsn.get() + 1), (!is_empty).then_some(expected.1));
    let mut more = 0;
    if doubled {
        for inner in 0..=crashed.op_count() {
            let loss = Loss::random(rng);
            let twice = loss.of(&crashed, inner);
            let context = || format!("{}, then in recovery {inner}, {loss:?}", context());
            match Found::open(&twice, &trace.options) {
                // Bytes of a process that died were in the page cache alone, and may be gone.
                Ok((_, _, again)) if killed => accept(&candidates, &again, false, &context),
                Ok((_, _, again)) => same(&again, &found, &context),
                Err(error) => panic!("{}: opening says {error:?}", context()),
            }
            more += 1;
        }
    }
    let found = append_and_lose_power(&crashed, log, found, &trace.options, rng, &context);
    close_and_reopen(&found.0, found.1, &trace.options, &context);
    more + 2
}

/// Appends to a recovered log, loses power, and recovers exactly what was there before.
fn append_and_lose_power(
    vfs: &MemVfs,
    log: wal_core::Log,
    mut found: Found,
    options: &Options,
    rng: &mut Rng,
    context: &dyn Fn() -> String,
) -> (MemVfs, Found) {
    for _ in 0..rng.below(3) {
        let record: Payload = payload(rng.next() | 1 << 63, rng.below(20_000));
        let level =
            wal_core::AppendOptions { level: Some(wal_core::Level::Disk), ..Default::default() };
        let lsn = log.with(level).append(&record);
        let lsn = lsn.unwrap_or_else(|error| panic!("{}: appending says {error:?}", context()));
        assert_eq!(lsn.get(), found.first + found.records.len() as u64, "{}", context());
        found.records.push(record);
    }
    let loss = Loss::random(rng);
    let crashed = loss.of(vfs, vfs.op_count());
    drop(log);
    let context = || format!("{}, then appends and {loss:?}", context());
    match Found::open(&crashed, options) {
        Ok((log, _, again)) => {
            same(&again, &found, &context);
            let record: Payload = payload(rng.next(), 100);
            log.append(&record).unwrap_or_else(|error| panic!("{}: {error:?}", context()));
            found.records.push(record);
            log.close().unwrap_or_else(|error| panic!("{}: closing {error:?}", context()));
        }
        Err(error) => panic!("{}: opening says {error:?}", context()),
    }
    (crashed, found)
}

/// A log that was closed is clean, and as it was.
fn close_and_reopen(vfs: &MemVfs, found: Found, options: &Options, context: &dyn Fn() -> String) {
    match Found::open(vfs, options) {
        Ok((_, report, again)) => {
            assert_eq!(report.case, wal_core::RecoveryCase::Clean, "{}", context());
            same(&again, &found, &|| format!("{}, then closed", context()));
        }
        Err(error) => panic!("{}, then closed: opening says {error:?}", context()),
    }
}

fn accept(candidates: &[Model], found: &Found, killed: bool, context: &dyn Fn() -> String) {
    let objections: Vec<_> =
        candidates.iter().filter_map(|model| model.objection(found, killed)).collect();
    let summary = found.summary();
    assert!(objections.len() < candidates.len(), "{}: found {summary}: {objections:?}", context());
}

fn same(found: &Found, expected: &Found, context: &dyn Fn() -> String) {
    assert!(
        found == expected,
        "{}: found {}, expected {}",
        context(),
        found.summary(),
        expected.summary()
    );
}

impl Loss {
    fn random(rng: &mut Rng) -> Loss {
        let (arrive, tear) =
            [(50, 0), (50, 20), (90, 5), (10, 5), (97, 0), (3, 0), (70, 30), (33, 33)]
                [rng.below(8)];
        Loss::Random { seed: rng.next(), arrive, tear }
    }

    fn of(self, vfs: &MemVfs, op: usize) -> MemVfs {
        match self {
            Loss::Nothing => vfs.crash_at(op, &mut |_| 0),
            Loss::All => vfs.crash_at(op, &mut |choices| choices - 1),
            Loss::Killed => vfs.kill_at(op),
            Loss::Random { seed, arrive, tear } => {
                let mut rng = Rng::new(seed);
                vfs.crash_at(op, &mut |choices| {
                    if choices > 2 && rng.chance(tear) {
                        // For a sector, 1 tears it; for a length it is just another one.
                        return if choices > 100 { rng.below(choices) } else { 1 };
                    }
                    if rng.chance(arrive) {
                        if choices > 3 && rng.chance(20) { rng.below(choices) } else { choices - 1 }
                    } else {
                        0
                    }
                })
            }
        }
    }
}
