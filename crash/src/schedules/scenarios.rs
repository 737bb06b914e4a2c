//! The cases there are.

use std::time::Duration;

use wal_core::{AtCapacity, Level};

use super::scenario::{Scenario, Script, Step};
use super::stage::Fault;
use crate::Rng;

/// All kinds of cases.
pub const SCENARIOS: &[Scenario] = &[
    Scenario { name: "group", about: "appenders that share commits", script: group },
    Scenario { name: "levels", about: "appenders at all levels beside a sync", script: levels },
    Scenario { name: "batches", about: "batches, submitted and waited for", script: batches },
    Scenario {
        name: "tickets",
        about: "threads and tasks that wait, briefly too",
        script: tickets,
    },
    Scenario { name: "rotation", about: "large records: ring and segments fill", script: rotation },
    Scenario { name: "trim", about: "trims and recycled segments beside appends", script: trim },
    Scenario { name: "truncate", about: "truncations and resets beside appends", script: truncate },
    Scenario { name: "close", about: "closing beside appends and those who wait", script: close },
    Scenario { name: "leave", about: "handles that go with appends in flight", script: leave },
    Scenario {
        name: "failed-sync",
        about: "a sync that fails and loses bytes",
        script: failed_sync,
    },
    Scenario { name: "failed-write", about: "a write that stops half-way", script: failed_write },
    Scenario { name: "full", about: "a full disk, and claims taken back", script: full },
    Scenario { name: "readers", about: "cursors and followers beside appends", script: readers },
    Scenario { name: "values", about: "values set beside appends", script: values },
    Scenario { name: "capacity", about: "appends that wait for a trim", script: capacity },
    Scenario { name: "timers", about: "syncs and flushes that time sets off", script: timers },
];

fn group(rng: &mut Rng) -> Script {
    let mut script = Script::new(Level::Disk);
    for _ in 0..2 + rng.below(3) {
        script.threads.push((0..1 + rng.below(3)).map(|_| single(rng, Level::Disk)).collect());
    }
    script
}

fn levels(rng: &mut Rng) -> Script {
    let mut script = Script::new(any_level(rng));
    for _ in 0..2 + rng.below(2) {
        let appends = 1 + rng.below(3);
        let mut steps: Vec<Step> = (0..appends)
            .map(|_| {
                let level = any_level(rng);
                single(rng, level)
            })
            .collect();
        if rng.chance(30) {
            steps.push(Step::Sync);
        }
        steps.push(Step::Look);
        script.threads.push(steps);
    }
    script.threads.push(vec![Step::Sync, Step::Look]);
    script
}

fn batches(rng: &mut Rng) -> Script {
    let mut script = Script::new(Level::Disk);
    for _ in 0..2 + rng.below(2) {
        let mut steps = Vec::new();
        for _ in 0..1 + rng.below(3) {
            let (level, count, bytes) = (any_level(rng), 1 + rng.below(4) as u32, size(rng));
            steps.push(match rng.chance(50) {
                true => Step::Submit(level, count, bytes),
                false => Step::Append(level, count, bytes),
            });
        }
        steps.push(Step::Wait { backwards: rng.chance(50) });
        script.threads.push(steps);
    }
    script
}

fn tickets(rng: &mut Rng) -> Script {
    let mut script = Script::new(any_level(rng));
    for _ in 0..2 + rng.below(2) {
        let mut steps = Vec::new();
        for _ in 0..1 + rng.below(2) {
            for _ in 0..1 + rng.below(2) {
                steps.push(Step::Submit(any_waited_level(rng), 1, size(rng)));
            }
            steps.push(any_wait(rng));
        }
        script.threads.push(steps);
    }
    if rng.chance(50) {
        let briefly = rng.chance(50);
        script.threads.push(vec![Step::WaitDurable { ahead: 1, briefly }, Step::Look]);
    }
    if rng.chance(30) {
        script.threads.push(vec![Step::Subscribe, single(rng, Level::Disk)]);
    }
    script
}

fn rotation(rng: &mut Rng) -> Script {
    let mut script = Script::new(any_level(rng));
    script.prefill = vec![20_000; rng.below(3)];
    if rng.chance(30) {
        // Room to grow in the background.
        script.options.segment_bytes = 256 * 1024;
    }
    for _ in 0..2 + rng.below(2) {
        let appends = 1 + rng.below(2);
        let mut steps: Vec<Step> = (0..appends)
            .map(|_| match rng.chance(20) {
                // Too large for the ring, and then for a segment as well.
                true => Step::Append(any_level(rng), 1 + rng.below(2) as u32, 36_000),
                false => Step::Append(any_level(rng), 1, 18_000 + rng.below(4000)),
            })
            .collect();
        if rng.chance(30) {
            steps.push(Step::Sync);
        }
        script.threads.push(steps);
    }
    script
}

fn trim(rng: &mut Rng) -> Script {
    let mut script = Script::new(Level::Disk);
    script.prefill = vec![20_000; 3 + rng.below(3)];
    script.threads.push(vec![Step::Trim { left: rng.below(3) as u64 }, Step::Look]);
    for _ in 0..1 + rng.below(2) {
        let append = Step::Append(any_level(rng), 1, 19_000);
        let mut steps = vec![append.clone(), append];
        if rng.chance(30) {
            steps.push(Step::Trim { left: rng.below(2) as u64 });
        }
        script.threads.push(steps);
    }
    if rng.chance(40) {
        script.threads.push(vec![Step::Scan]);
    }
    script
}

fn truncate(rng: &mut Rng) -> Script {
    let mut script = Script::new(any_level(rng));
    script.prefill = vec![40; 2 + rng.below(3)];
    let mut steps = vec![match rng.chance(70) {
        true => Step::Truncate { back: rng.below(4) as u64 },
        false => Step::Reset { ahead: rng.below(10) as u64 },
    }];
    if rng.chance(40) {
        steps.push(single(rng, Level::Disk));
    }
    if rng.chance(30) {
        steps.push(Step::Truncate { back: 1 });
    }
    script.threads.push(steps);
    for _ in 0..1 + rng.below(2) {
        let mut steps = Vec::new();
        for _ in 0..1 + rng.below(2) {
            let level = any_level(rng);
            steps.push(match rng.chance(50) {
                true => Step::Submit(level, 1 + rng.below(3) as u32, size(rng)),
                false => single(rng, level),
            });
        }
        steps.push(any_wait(rng));
        script.threads.push(steps);
    }
    if rng.chance(30) {
        script.threads.push(vec![Step::Scan]);
    }
    script
}

fn close(rng: &mut Rng) -> Script {
    let mut script = Script::new(any_level(rng));
    for _ in 0..1 + rng.below(2) {
        let mut steps = vec![Step::Submit(any_level(rng), 1 + rng.below(2) as u32, size(rng))];
        if rng.chance(50) {
            steps.push(Step::Submit(any_level(rng), 1, size(rng)));
        }
        steps.push(any_wait(rng));
        if rng.chance(50) {
            steps.push(Step::Append(any_level(rng), 1, size(rng)));
        }
        script.threads.push(steps);
    }
    if rng.chance(50) {
        script.threads.push(vec![match rng.below(4) {
            0 => Step::WaitDurable { ahead: 2, briefly: false },
            1 => Step::Sync,
            2 => Step::Set,
            _ => Step::Follow(3),
        }]);
    }
    let mut steps = Vec::new();
    if rng.chance(50) {
        steps.push(Step::Submit(any_level(rng), 1, size(rng)));
    }
    steps.push(Step::Close);
    script.threads.push(steps);
    script
}

fn leave(rng: &mut Rng) -> Script {
    let mut script = Script::new(any_level(rng));
    script.closes = false;
    for _ in 0..2 + rng.below(2) {
        let mut steps = Vec::new();
        for _ in 0..1 + rng.below(3) {
            steps.push(Step::Submit(any_level(rng), 1, size(rng)));
        }
        steps.push(match rng.chance(50) {
            true => Step::Forget { polled: rng.chance(50) },
            false => Step::Leave,
        });
        // Tickets outlive the handle they came from.
        steps.push(Step::Leave);
        steps.push(any_wait(rng));
        script.threads.push(steps);
    }
    script
}

fn failed_sync(rng: &mut Rng) -> Script {
    let mut script = match rng.below(4) {
        0 => rotation(rng),
        1 => truncate(rng),
        _ => tickets(rng),
    };
    script.fault = Some(Fault::Sync { nth: 1 + rng.below(5) });
    if rng.chance(30) {
        script.threads.truncate(3);
        script.threads.push(vec![Step::Set, single(rng, Level::Disk)]);
    }
    script
}

fn failed_write(rng: &mut Rng) -> Script {
    let mut script = match rng.below(4) {
        0 => rotation(rng),
        1 => truncate(rng),
        _ => tickets(rng),
    };
    script.fault = Some(Fault::Write { nth: 1 + rng.below(6) });
    if rng.chance(30) {
        script.threads.truncate(3);
        script.threads.push(vec![Step::Follow(2)]);
    }
    script
}

fn full(rng: &mut Rng) -> Script {
    let mut script = match rng.below(3) {
        0 => batches(rng),
        1 => tickets(rng),
        _ => rotation(rng),
    };
    script.fault = Some(Fault::Full { nth: 1 + rng.below(5), times: 1 + rng.below(3) });
    for steps in &mut script.threads {
        steps.push(single(rng, Level::Disk));
    }
    script
}

fn readers(rng: &mut Rng) -> Script {
    let mut script = Script::new(any_level(rng));
    script.prefill = vec![40; rng.below(3)];
    for _ in 0..1 + rng.below(2) {
        let level = script.options.level;
        script.threads.push((0..1 + rng.below(3)).map(|_| single(rng, level)).collect());
    }
    script.threads.push(vec![Step::Follow(1 + rng.below(2) as u32), Step::Scan]);
    if rng.chance(50) {
        script.threads.push(vec![Step::Scan, Step::Scan]);
    }
    script
}

fn values(rng: &mut Rng) -> Script {
    let mut script = Script::new(any_level(rng));
    script.threads.push(vec![Step::Set; 1 + rng.below(3)]);
    for _ in 0..1 + rng.below(2) {
        let level = any_level(rng);
        script.threads.push(vec![single(rng, level), single(rng, level), Step::Look]);
    }
    if rng.chance(30) {
        script.threads.push(vec![Step::Trim { left: 1 }]);
    }
    if rng.chance(20) {
        script.threads.push(vec![Step::Close]);
    }
    script
}

fn capacity(rng: &mut Rng) -> Script {
    let mut script = Script::new(Level::Disk);
    script.options.max_bytes = Some(192 * 1024);
    script.options.at_capacity = AtCapacity::Block;
    script.prefill = vec![20_000; 3 + rng.below(3)];
    let append = Step::Append(Level::Disk, 1, 20_000);
    let appends = [1 + rng.below(2), 1 + rng.below(2)];
    script.threads.extend(appends.map(|count| vec![append.clone(); count]));
    let all = script.prefill.len() + appends.iter().sum::<usize>();
    script.threads.push(vec![Step::KeepTrimming(all)]);
    script
}

fn timers(rng: &mut Rng) -> Script {
    let level = if rng.chance(50) { Level::Os } else { Level::Buffered };
    let mut script = Script::new(level);
    match rng.below(3) {
        0 => script.options.sync_every = Some(Duration::from_millis(5)),
        1 => script.options.sync_bytes = Some(1000),
        _ => script.options.max_batch_delay = Duration::from_micros(20),
    }
    for _ in 0..2 + rng.below(2) {
        let level = any_level(rng);
        let mut steps: Vec<Step> = (0..1 + rng.below(3)).map(|_| single(rng, level)).collect();
        steps.push(Step::Look);
        script.threads.push(steps);
    }
    script.threads.push(vec![Step::WaitDurable { ahead: 1, briefly: rng.chance(50) }, Step::Look]);
    script
}

fn single(rng: &mut Rng, level: Level) -> Step {
    Step::Append(level, 1, size(rng))
}

fn size(rng: &mut Rng) -> usize {
    match rng.below(10) {
        0 => 1500 + rng.below(1500),
        1 | 2 => 480 + rng.below(40),
        _ => 8 + rng.below(60),
    }
}

fn any_level(rng: &mut Rng) -> Level {
    [Level::Disk, Level::Disk, Level::Os, Level::Buffered][rng.below(4)]
}

fn any_waited_level(rng: &mut Rng) -> Level {
    [Level::Disk, Level::Disk, Level::Os][rng.below(3)]
}

fn any_wait(rng: &mut Rng) -> Step {
    match rng.below(6) {
        0 => Step::WaitBriefly,
        1 | 2 => Step::Await,
        3 => Step::Forget { polled: rng.chance(50) },
        _ => Step::Wait { backwards: rng.chance(50) },
    }
}
