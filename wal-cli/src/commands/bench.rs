//! `wal bench`: rate and latency of appends where the log would live.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use clap::value_parser;
use hdrhistogram::Histogram;
use serde::Serialize;
use wal_core::{AtCapacity, Log, Options, limits};

use crate::args::Durability;
use crate::chart;
use crate::failure::{Failure, refuse_file};
use crate::output::Output;
use crate::sizes::{format_bytes, format_count, parse_bytes};
use crate::times::format_span;

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A directory on the disk to measure. A log of its own is made in it and removed afterwards.
    dir: PathBuf,
    /// Bytes per record.
    #[arg(long, value_name = "B", value_parser = parse_bytes, default_value = "256")]
    size: u64,
    /// Threads, each waiting for one append at a time.
    #[arg(long, value_name = "N", default_value_t = 1)]
    #[arg(value_parser = value_parser!(u64).range(1..=4096))]
    threads: u64,
    /// What an acknowledgement promises.
    #[arg(long, value_enum, default_value_t)]
    durability: Durability,
    /// How long to measure.
    #[arg(long, value_name = "S", default_value_t = 5)]
    #[arg(value_parser = value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// Print a JSON object instead; its keys are documented and stay.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub fn run(args: Args) -> Result<(), Failure> {
    if args.size > limits::RECORD_BYTES_MAX_DEFAULT {
        return Err(Failure::usage(format!(
            "--size is at most {}, the longest record",
            format_bytes(limits::RECORD_BYTES_MAX_DEFAULT)
        )));
    }
    refuse_file(&args.dir)?;
    let scratch = Scratch::new(&args.dir);
    let options = Options {
        level: args.durability.level(),
        // Measured bytes are worth nothing afterwards: the disk is not filled with them.
        max_bytes: Some(BENCH_BYTES_MAX),
        at_capacity: AtCapacity::TrimOldest,
        ..Options::default()
    };
    let (log, _) = Log::open(&scratch.path, options)?;
    let measured = measure(&log, &args);
    let closed = log.close();
    let result = measured?;
    closed?;
    let mut output = Output::stdout();
    if args.json {
        output.json(&result.json(&args))?;
    } else {
        for line in result.lines(&args) {
            output.line(&line)?;
        }
    }
    output.flush()
}

/// The measured log's directory, removed whatever happens.
struct Scratch {
    path: PathBuf,
    parent: Option<PathBuf>,
}

impl Scratch {
    fn new(dir: &Path) -> Scratch {
        let path = dir.join(format!("wal-bench-{}", std::process::id()));
        Scratch { path, parent: (!dir.exists()).then(|| dir.to_owned()) }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Only what the log itself made is removed; a directory with anything else in it stays.
        let _ = Log::destroy(&self.path);
        if let Some(parent) = &self.parent {
            let _ = std::fs::remove_dir(parent);
        }
    }
}

/// What was measured.
struct Measured {
    latencies: Histogram<u64>,
    took: Duration,
}

fn measure(log: &Log, args: &Args) -> Result<Measured, Failure> {
    let started = Instant::now();
    let until = started + Duration::from_secs(args.seconds);
    let size = args.size as usize;
    let outcomes: Vec<_> = thread::scope(|scope| {
        let appenders: Vec<_> = (0..args.threads)
            .map(|_| scope.spawn(move || append_until(log, size, until)))
            .collect();
        appenders.into_iter().map(|appender| appender.join()).collect()
    });
    let took = started.elapsed();
    let mut latencies = histogram()?;
    for outcome in outcomes {
        let one = outcome.map_err(|_| Failure::data("an appending thread panicked"))??;
        latencies.add(&one).map_err(|error| Failure::data(error.to_string()))?;
    }
    Ok(Measured { latencies, took })
}

fn append_until(log: &Log, size: usize, until: Instant) -> Result<Histogram<u64>, Failure> {
    let record = vec![b'r'; size];
    let mut latencies = histogram()?;
    let mut begun = Instant::now();
    while begun < until {
        log.append(&record)?;
        let ended = Instant::now();
        latencies.saturating_record(ended.duration_since(begun).as_nanos() as u64);
        begun = ended;
    }
    Ok(latencies)
}

/// A nanosecond to an hour with three significant digits.
fn histogram() -> Result<Histogram<u64>, Failure> {
    Histogram::new_with_bounds(1, 3_600_000_000_000, 3)
        .map_err(|error| Failure::data(error.to_string()))
}

#[derive(Serialize)]
struct MeasuredJson {
    size: u64,
    threads: u64,
    durability: &'static str,
    seconds: f64,
    records: u64,
    records_per_second: f64,
    megabytes_per_second: f64,
    p50_ns: u64,
    p99_ns: u64,
    p999_ns: u64,
    max_ns: u64,
}

impl Measured {
    fn json(&self, args: &Args) -> MeasuredJson {
        let seconds = self.took.as_secs_f64().max(1e-9);
        let rate = self.latencies.len() as f64 / seconds;
        MeasuredJson {
            size: args.size,
            threads: args.threads,
            durability: args.durability.name(),
            seconds,
            records: self.latencies.len(),
            records_per_second: rate,
            megabytes_per_second: rate * args.size as f64 / 1e6,
            p50_ns: self.latencies.value_at_quantile(0.5),
            p99_ns: self.latencies.value_at_quantile(0.99),
            p999_ns: self.latencies.value_at_quantile(0.999),
            max_ns: self.latencies.max(),
        }
    }

    fn lines(&self, args: &Args) -> Vec<String> {
        let json = self.json(args);
        let span = |nanos| format_span(Duration::from_nanos(nanos));
        let mut lines = vec![
            format!(
                "{} threads, {} per record, durability {}, {:.1} s",
                args.threads,
                format_bytes(args.size),
                args.durability.name(),
                json.seconds
            ),
            format!(
                "{} records: {} records/s, {:.1} MB/s",
                format_count(json.records),
                format_count(json.records_per_second as u64),
                json.megabytes_per_second
            ),
            format!(
                "latency: p50 {}, p99 {}, p99.9 {}, max {}",
                span(json.p50_ns),
                span(json.p99_ns),
                span(json.p999_ns),
                span(json.max_ns)
            ),
            String::new(),
        ];
        lines.extend(chart::draw(&self.latencies));
        lines
    }
}

/// As much as a measurement may take of the disk.
const BENCH_BYTES_MAX: u64 = 1 << 30;
