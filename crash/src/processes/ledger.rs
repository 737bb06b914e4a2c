//! What a driver was told to do and how far it came: memory that parent and driver share.
//!
//! The driver writes to a shared mapping and calls nobody, so reporting adds no place at which it
//! can be killed, and what it has reported outlives it.

#![allow(unsafe_code)]

use std::fs::OpenOptions;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::script::{Kind, Op, Script};

/// The operations of a script and what is known of each, as words of 64 bits.
///
/// Every word is written by one thread of one driver, or by the parent while no driver runs; the
/// one exception is the sequence, which all threads of a driver count up.
pub struct Ledger {
    words: *const AtomicU64,
    count: usize,
    path: PathBuf,
}

/// How one operation went.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// When it was begun, in the order of all beginnings and ends; `None` if it was not.
    pub begun: Option<u64>,
    /// What it was called with, where that was not known before.
    pub argument: u64,
    /// When it ended.
    pub done: Option<u64>,
    /// [`OK`], [`SKIPPED`], or the code of the error as in `wal.h`.
    pub status: i64,
    /// What it returned.
    pub values: [u64; 3],
    /// The error's text.
    pub text: String,
}

// SAFETY: the mapping is shared memory of atomic words, valid until the ledger is dropped.
unsafe impl Send for Ledger {}
// SAFETY: as above; every access is atomic.
unsafe impl Sync for Ledger {}

impl Ledger {
    /// A new ledger with room for this script, in a file at `path`.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn create(path: &Path, script: &Script) -> io::Result<Ledger> {
        let ops = script.main.len() + script.threads.iter().map(Vec::len).sum::<usize>();
        let count = HEADER + ops * (OP + OUTCOME);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path);
        file?.set_len((count * 8) as u64)?;
        let ledger = Ledger::open(path)?;
        let per_thread = script.threads.first().map_or(0, Vec::len);
        assert!(script.threads.iter().all(|ops| ops.len() == per_thread), "lists of one length");
        ledger.store(MAIN, script.main.len() as u64);
        ledger.store(THREADS, script.threads.len() as u64);
        ledger.store(PER_THREAD, per_thread as u64);
        let lists = script.main.iter().chain(script.threads.iter().flatten());
        for (index, op) in lists.enumerate() {
            let place = HEADER + index * OP;
            for (word, value) in [op.kind as u64, op.a, op.b, op.c].into_iter().enumerate() {
                ledger.store(place + word, value);
            }
        }
        ledger.store(MAGIC_WORD, MAGIC);
        Ok(ledger)
    }

    /// The ledger at `path`.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn open(path: &Path) -> io::Result<Ledger> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let len = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        // SAFETY: a shared mapping of a file that nobody shortens while it is mapped.
        let base = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                len,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                0,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Ledger { words: base.cast(), count: len / 8, path: path.to_owned() })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Forgets every outcome; the next driver writes records of `phase`.
    pub fn clear(&self, phase: u64) {
        for word in self.outcome(0)..self.count {
            self.store(word, 0);
        }
        self.store(SEQUENCE, 0);
        self.store(PHASE, phase);
    }

    /// The phase of the records that are written.
    pub fn phase(&self) -> u64 {
        self.load(PHASE)
    }

    /// How far the beginnings and ends have come.
    pub fn sequence(&self) -> u64 {
        self.load(SEQUENCE)
    }

    /// How many operations the main thread has.
    pub fn main_count(&self) -> usize {
        self.load(MAIN) as usize
    }

    /// The operations of each other thread.
    pub fn thread_ranges(&self) -> Vec<std::ops::Range<usize>> {
        let (main, per_thread) = (self.main_count(), self.load(PER_THREAD) as usize);
        let starts = (0..self.load(THREADS) as usize).map(|thread| main + thread * per_thread);
        starts.map(|start| start..start + per_thread).collect()
    }

    /// An operation.
    pub fn op(&self, index: usize) -> Op {
        let word = |number| self.load(HEADER + index * OP + number);
        let kind = usize::try_from(word(0)).ok().and_then(|kind| Kind::ALL.get(kind).copied());
        Op { kind: kind.unwrap_or(Kind::Nothing), a: word(1), b: word(2), c: word(3) }
    }

    /// Notes that an operation begins.
    pub fn begin(&self, index: usize, argument: u64) {
        self.store(self.outcome(index) + 1, argument);
        self.store(self.outcome(index), self.tick());
    }

    /// Notes that an operation has ended.
    pub fn end(&self, index: usize, status: i64, values: [u64; 3], text: &str) {
        let place = self.outcome(index);
        self.store(place + 3, status as u64);
        for (word, value) in values.into_iter().enumerate() {
            self.store(place + 4 + word, value);
        }
        for (word, piece) in text.as_bytes().chunks(8).take(OUTCOME - 8).enumerate() {
            let mut bytes = [0; 8];
            bytes[..piece.len()].copy_from_slice(piece);
            self.store(place + 8 + word, u64::from_le_bytes(bytes));
        }
        self.store(place + 2, self.tick());
    }

    /// What is known of an operation.
    pub fn read(&self, index: usize) -> Outcome {
        let place = self.outcome(index);
        let moment = |word| Some(self.load(word)).filter(|moment| *moment > 0);
        let done = moment(place + 2);
        let text = (place + 8..place + OUTCOME).flat_map(|word| self.load(word).to_le_bytes());
        let text: Vec<u8> = text.take_while(|byte| *byte != 0).collect();
        Outcome {
            begun: moment(place),
            argument: self.load(place + 1),
            done,
            status: self.load(place + 3) as i64,
            values: [4, 5, 6].map(|word| self.load(place + word)),
            text: String::from_utf8_lossy(&text).into_owned(),
        }
    }

    fn tick(&self) -> u64 {
        self.word(SEQUENCE).fetch_add(1, Ordering::AcqRel) + 1
    }

    fn outcome(&self, index: usize) -> usize {
        let (main, threads) = (self.load(MAIN), self.load(THREADS));
        let ops = main + threads * self.load(PER_THREAD);
        HEADER + ops as usize * OP + index * OUTCOME
    }

    fn store(&self, word: usize, value: u64) {
        self.word(word).store(value, Ordering::Release);
    }

    fn load(&self, word: usize) -> u64 {
        self.word(word).load(Ordering::Acquire)
    }

    fn word(&self, word: usize) -> &AtomicU64 {
        assert!(word < self.count, "word {word} of {}", self.count);
        // SAFETY: inside the mapping, which is as long as `count` words and lives as long as this.
        unsafe { &*self.words.add(word) }
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        // SAFETY: mapped by `open` with this length, and no reference into it outlives this.
        unsafe { libc::munmap(self.words.cast_mut().cast(), self.count * 8) };
    }
}

/// The status of an operation that did what it should.
pub const OK: i64 = 1;
/// The status of an operation that had no open log.
pub const SKIPPED: i64 = -1000;

const MAGIC: u64 = 0x7761_6c6b_696c_6c31;
const MAGIC_WORD: usize = 0;
const MAIN: usize = 1;
const THREADS: usize = 2;
const PER_THREAD: usize = 3;
const SEQUENCE: usize = 4;
const PHASE: usize = 5;
const HEADER: usize = 8;
const OP: usize = 4;
const OUTCOME: usize = 32;
