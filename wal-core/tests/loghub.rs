//! Real log files through the library, where they are at hand: many threads at once, each thread's
//! records in its order, with the smallest segments and with the default ones.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::thread;

use wal_core::{Log, Options, Position, check};

#[test]
fn eight_threads_keep_the_order_of_their_lines() {
    let files = sample_files();
    if files.is_empty() {
        // The files are for research only and not part of the project; a test has no other way to
        // say that it had nothing to do.
        return;
    }
    let contents: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
    for segment_bytes in [64 << 10, 64 << 20] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let options = Options { segment_bytes, ..Options::default() };
        let (log, _) = Log::open(&path, options.clone()).unwrap();
        thread::scope(|scope| {
            for worker in 0..THREADS {
                let (log, contents) = (&log, &contents);
                scope.spawn(move || append(log, worker, contents));
            }
        });
        log.close().unwrap();
        let (log, _) = Log::open(&path, options).unwrap();
        let mut seen = vec![Vec::new(); THREADS];
        for record in log.cursor(Position::First).unwrap() {
            let record = record.unwrap();
            let (worker, line) = record.split_first().unwrap();
            seen[usize::from(*worker)].push(line.to_vec());
        }
        for (worker, seen) in seen.iter().enumerate() {
            let sent: Vec<&[u8]> = lines(worker, &contents).collect();
            assert!(seen.iter().map(Vec::as_slice).eq(sent), "thread {worker}");
        }
        log.close().unwrap();
        let report = check::verify(&path, |_, _| {}).unwrap();
        assert!(report.findings.is_empty(), "{:?}", report.findings);
    }
}

const THREADS: usize = 8;

/// Appends a thread's lines, several in flight, marked with its number.
fn append(log: &Log, worker: usize, contents: &[Vec<u8>]) {
    let mut last = None;
    for line in lines(worker, contents) {
        let record = [&[worker as u8], line].concat();
        last = Some(log.submit(&record).unwrap());
    }
    if let Some(ticket) = last {
        ticket.wait().unwrap();
    }
}

/// The lines of the files a thread takes: every eighth, from its own number on.
fn lines(worker: usize, contents: &[Vec<u8>]) -> impl Iterator<Item = &[u8]> {
    let mine = contents.iter().skip(worker).step_by(THREADS);
    mine.flat_map(|bytes| bytes.split(|&byte| byte == b'\n'))
}

fn sample_files() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/loghub");
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    files.sort();
    files
}
