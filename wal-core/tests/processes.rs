//! Several processes and one log: the lock, forks, readers beside the writer, sudden deaths.
//!
//! The other process is this test binary again, told by an environment variable what to play.

#![allow(
    missing_docs,
    unsafe_code,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::mem_forget,
    clippy::zombie_processes
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use wal_core::{ErrorKind, Level, Log, Lsn, Options, Position, RecoveryCase};

const ROLE: &str = "WAL_TEST_ROLE";
const LOG: &str = "WAL_TEST_LOG";

fn small() -> Options {
    Options { segment_bytes: 64 << 10, ring_bytes: 64 << 10, ..Options::default() }
}

fn payload(lsn: u64) -> Vec<u8> {
    let mut bytes = lsn.to_le_bytes().to_vec();
    bytes.resize(8 + (lsn as usize * 131) % 3000, lsn as u8);
    bytes
}

/// Another process, killed when the test ends.
struct Other {
    child: Child,
    said: BufReader<ChildStdout>,
    told: ChildStdin,
}

impl Other {
    fn start(role: &str, path: &Path) -> Other {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "role", "--nocapture", "--include-ignored"])
            .env(ROLE, role)
            .env(LOG, path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let told = child.stdin.take().unwrap();
        Other { child, said, told }
    }

    /// The rest of the next line that the role has said.
    fn hear(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.said.read_line(&mut line).unwrap(), 0, "the other process ended");
            if let Some((_, said)) = line.trim_end().split_once("say: ") {
                return said.to_owned();
            }
        }
    }

    fn tell(&mut self, line: &str) {
        writeln!(self.told, "{line}").unwrap();
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn say(line: &str) {
    println!("say: {line}");
    std::io::stdout().flush().unwrap();
}

fn listen() -> String {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

/// What the other process does; nothing when no role is given.
#[test]
fn role() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let path = std::path::PathBuf::from(std::env::var_os(LOG).unwrap());
    match role.as_str() {
        "hold" => {
            let (log, _) = Log::open(&path, small()).unwrap();
            log.append(b"held").unwrap();
            say("held");
            listen();
            log.close().unwrap();
            say("closed");
            listen();
        }
        "open" => {
            say(&match Log::open(&path, small()) {
                Ok(_) => "opened".to_owned(),
                Err(error) => error.kind().to_string(),
            });
        }
        "append" => {
            let (log, _) = Log::open(&path, small()).unwrap();
            say("ready");
            thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        loop {
                            // Two threads may get each other's; each still writes a known payload.
                            let next = log.next_lsn();
                            match log.append_at(next, &payload(next.get())) {
                                Ok(lsn) => say(&lsn.to_string()),
                                Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict),
                            }
                        }
                    });
                }
            });
        }
        "follow" => {
            let (log, _) = Log::open_read_only(&path, small()).unwrap();
            let mut follower = log.follow(Position::First).unwrap();
            say("ready");
            for number in 1.. {
                let record = follower.next().unwrap();
                assert_eq!(record.lsn().get(), number);
                assert!(*record == *payload(number), "record {number}");
                if number % 100 == 0 {
                    say(&number.to_string());
                }
            }
        }
        "fork and die" => {
            let (log, _) = Log::open(&path, small()).unwrap();
            log.append(b"x").unwrap();
            // SAFETY: the child only sleeps and ends.
            match unsafe { libc::fork() } {
                0 => {
                    thread::sleep(Duration::from_secs(20));
                    // SAFETY: ends the child without running anything of the parent's.
                    unsafe { libc::_exit(0) };
                }
                child => {
                    say(&child.to_string());
                    listen();
                    // Exits with the log open, as a process that is killed does.
                    std::process::exit(0);
                }
            }
        }
        "fork and exec" => {
            let (log, _) = Log::open(&path, small()).unwrap();
            log.append(b"x").unwrap();
            // Outlives this process, whose exit must let the lock go all the same.
            #[allow(clippy::zombie_processes)]
            let sleeping = Command::new("sleep")
                .arg("20")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            say(&sleeping.id().to_string());
            listen();
        }
        other => panic!("no role `{other}`"),
    }
    std::process::exit(0);
}

#[test]
fn a_second_writer_in_this_process_is_locked_out() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let (log, _) = Log::open(&path, small()).unwrap();
    for _ in 0..3 {
        assert_eq!(Log::open(&path, small()).err().unwrap().kind(), ErrorKind::Locked);
        assert_eq!(Log::destroy(&path).unwrap_err().kind(), ErrorKind::Locked);
    }
    assert_eq!(log.append(b"x").unwrap(), Lsn::FIRST);
    let clone = log.clone();
    drop(log);
    assert_eq!(Log::open(&path, small()).err().unwrap().kind(), ErrorKind::Locked);
    drop(clone);
    let (log, report) = Log::open(&path, small()).unwrap();
    assert_eq!(report.case, RecoveryCase::Clean);
    // What is left of a closed log holds no lock.
    let cursor = log.cursor(Position::First).unwrap();
    let ticket = log.submit(b"y").unwrap();
    let record = log.read(Lsn::FIRST).unwrap();
    log.close().unwrap();
    assert!(Log::open(&path, small()).is_ok());
    drop((cursor, ticket, record, log));
}

#[test]
fn a_writer_in_another_process_is_met_and_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let mut other = Other::start("hold", &path);
    assert_eq!(other.hear(), "held");
    let started = Instant::now();
    assert_eq!(Log::open(&path, small()).err().unwrap().kind(), ErrorKind::Locked);
    assert!(started.elapsed() < Duration::from_secs(2));
    let patient = Options { lock_wait: Duration::from_millis(300), ..small() };
    let started = Instant::now();
    assert_eq!(Log::open(&path, patient).err().unwrap().kind(), ErrorKind::Locked);
    assert!(started.elapsed() >= Duration::from_millis(300));
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let patient = Options { lock_wait: Duration::from_secs(20), ..small() };
            Log::open(&path, patient).unwrap().1.case
        });
        thread::sleep(Duration::from_millis(100));
        other.tell("close");
        assert_eq!(other.hear(), "closed");
        assert_eq!(waiting.join().unwrap(), RecoveryCase::Clean);
    });
    let (_log, _) = Log::open(&path, small()).unwrap();
    assert_eq!(Other::start("open", &path).hear(), ErrorKind::Locked.name());
}

#[test]
fn a_killed_writer_leaves_no_lock() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    for round in 1..=3 {
        let mut other = Other::start("hold", &path);
        assert_eq!(other.hear(), "held");
        other.kill();
        let (log, report) = Log::open(&path, small()).unwrap();
        assert_ne!(report.case, RecoveryCase::Clean);
        assert_eq!(log.last_lsn(), Lsn::new(round));
    }
}

#[test]
fn every_acknowledged_record_survives_a_kill_at_any_moment() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let mut acknowledged = 0u64;
    for round in 0..20u64 {
        let mut other = Other::start("append", &path);
        assert_eq!(other.hear(), "ready");
        let deadline = Instant::now() + Duration::from_millis(5 + round * 13 % 60);
        let mut count = 0;
        while Instant::now() < deadline || count == 0 {
            acknowledged = acknowledged.max(other.hear().parse().unwrap());
            count += 1;
        }
        other.child.kill().unwrap();
        // What it said before it died counts as well.
        let mut rest = String::new();
        let _ = other.said.read_to_string(&mut rest);
        let whole = rest.rsplit_once('\n').map_or("", |(whole, _)| whole);
        for said in whole.lines().filter_map(|line| line.split_once("say: ")) {
            acknowledged = acknowledged.max(said.1.parse().unwrap());
        }
        other.child.wait().unwrap();
        let (log, _) = Log::open(&path, small()).unwrap();
        let last = log.last_lsn().map_or(0, Lsn::get);
        assert!(last >= acknowledged, "round {round}: {last} of {acknowledged}");
        let mut next = 1;
        for record in log.cursor(Position::First).unwrap() {
            let record = record.unwrap();
            assert_eq!(record.lsn().get(), next);
            assert!(*record == *payload(next), "record {next}");
            next += 1;
        }
        assert_eq!(next, last + 1);
        acknowledged = last;
        if round % 2 == 0 {
            log.close().unwrap();
        }
    }
    assert!(acknowledged > 100);
}

#[test]
fn a_reader_in_another_process_follows_the_writer() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let (log, _) = Log::open(&path, Options { level: Level::Os, ..small() }).unwrap();
    log.append(&payload(1)).unwrap();
    let mut reader = Other::start("follow", &path);
    assert_eq!(reader.hear(), "ready");
    let mut next = 2;
    for hundred in 1..=10 {
        while next <= hundred * 100 {
            assert_eq!(log.append(&payload(next)).unwrap().get(), next);
            next += 1;
        }
        assert_eq!(reader.hear(), (hundred * 100).to_string(), "it sees what is written");
    }
    assert!(log.stats().unwrap().counters.rotations > 5);
    // It goes on beside the next writer.
    log.close().unwrap();
    let (log, _) = Log::open(&path, small()).unwrap();
    while next <= 1100 {
        log.append(&payload(next)).unwrap();
        next += 1;
    }
    assert_eq!(reader.hear(), "1100");
}

/// Runs `child` in a forked process and returns its exit code.
fn forked(child: impl FnOnce() -> i32) -> i32 {
    // SAFETY: the child runs only the closure and ends without unwinding into the test harness.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0);
    if pid == 0 {
        let code = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child)).unwrap_or(99);
        // SAFETY: ends the process.
        unsafe { libc::_exit(code) };
    }
    let started = Instant::now();
    loop {
        let mut status = 0;
        // SAFETY: a child of this process, and a place for its status.
        let found = unsafe { libc::waitpid(pid, &mut status, libc::WNOHANG) };
        assert!(found >= 0);
        if found == pid {
            return if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { 100 };
        }
        if started.elapsed() > Duration::from_secs(30) {
            // SAFETY: a child of this process.
            unsafe { libc::kill(pid, libc::SIGKILL) };
            panic!("the child hangs");
        }
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn every_call_on_an_inherited_log_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (log, _) = Log::open(directory.path().join("log"), small()).unwrap();
    log.append(b"x").unwrap();
    let mut cursor = log.cursor(Position::First).unwrap();
    let mut at_end = log.cursor(Position::End).unwrap();
    let mut follower = log.follow(Position::End).unwrap();
    let notifier = log.notifier().unwrap();
    let subscription = log.on_durable(|_| {}).unwrap();
    let ticket = log.submit(b"y").unwrap();
    ticket.wait().unwrap();
    let code = forked(|| {
        let first = Lsn::FIRST;
        let refused = |result: wal_core::Result<()>| {
            result.err().is_some_and(|error| error.kind() == ErrorKind::Forked)
        };
        let calls = [
            refused(log.append(b"x").map(drop)),
            refused(log.append_batch(&["x"]).map(drop)),
            refused(log.append_vectored(&[]).map(drop)),
            refused(log.append_at(first, b"x").map(drop)),
            refused(log.submit(b"x").map(drop)),
            refused(log.submit_batch(&["x"]).map(drop)),
            refused(log.sync().map(drop)),
            refused(log.wait_durable(first, None).map(drop)),
            refused(log.read(first).map(drop)),
            refused(log.time_of(first).map(drop)),
            refused(log.cursor(first).map(drop)),
            refused(log.follow(first).map(drop)),
            refused(at_end.next().map(drop)),
            refused(cursor.seek(Position::End)),
            refused(follower.next().map(drop)),
            refused(follower.next_timeout(Duration::from_millis(1)).map(drop)),
            refused(log.replay(first, |_| Ok(std::ops::ControlFlow::Continue(()))).map(drop)),
            refused(log.trim(first).map(drop)),
            refused(log.truncate(first)),
            refused(log.reset_to(first)),
            refused(log.values().get(b"k").map(drop)),
            refused(log.values().set(b"k", b"v")),
            refused(log.values().list().map(drop)),
            refused(log.stats().map(drop)),
            refused(log.notifier().map(drop)),
            refused(log.on_durable(|_| {}).map(drop)),
            refused(notifier.acknowledge().map(drop)),
            refused(ticket.wait().map(drop)),
            refused(log.close()),
        ];
        let _ = (log.next_lsn(), log.first_lsn(), log.last_lsn(), log.durable_lsn(), log.uuid());
        calls.iter().position(|&is_refused| !is_refused).map_or(0, |at| at as i32 + 1)
    });
    assert_eq!(code, 0, "call number {code} was not refused");
    assert_eq!(log.append(b"z").unwrap().get(), 3);
    drop((subscription, ticket));
}

#[test]
fn a_child_that_drops_the_log_does_not_disturb_the_parent() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let (log, _) = Log::open(&path, Options { level: Level::Os, ..small() }).unwrap();
    log.append(b"1").unwrap();
    let mut slot = Some((log.clone(), log.notifier().unwrap(), log.submit(b"2").unwrap()));
    let mut handle = Some(log);
    let code = forked(|| {
        drop(slot.take());
        drop(handle.take());
        0
    });
    assert_eq!(code, 0);
    let log = handle.unwrap();
    assert_eq!(Log::open(&path, small()).err().unwrap().kind(), ErrorKind::Locked);
    for number in 3..300 {
        assert_eq!(log.append(&[1; 1000]).unwrap().get(), number);
    }
    log.close().unwrap();
    assert_eq!(Log::open(&path, small()).unwrap().1.case, RecoveryCase::Clean);
}

/// The child has none of its parent's threads: background work there needs its own.
#[test]
fn a_child_opens_and_uses_a_log_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let (log, _) = Log::open(directory.path().join("parent"), small()).unwrap();
    // The parent's background threads are busy while it forks.
    let tickets: Vec<_> = (0..200).map(|_| log.submit(&[1; 500]).unwrap()).collect();
    for round in 0..10 {
        let path = directory.path().join(format!("child {round}"));
        let code = forked(|| {
            let options = Options { level: Level::Buffered, ..small() };
            let (own, _) = Log::open(&path, options).unwrap();
            for _ in 0..300 {
                drop(own.submit(&[2; 1000]).unwrap());
            }
            let durable = own.wait_durable(Lsn::new(300).unwrap(), Some(Duration::from_secs(20)));
            assert!(durable.is_ok());
            own.close().unwrap();
            7
        });
        assert_eq!(code, 7);
        let (own, report) = Log::open(&path, small()).unwrap();
        assert_eq!((report.case, own.last_lsn()), (RecoveryCase::Clean, Lsn::new(300)));
        log.append(b"on").unwrap();
    }
    for ticket in tickets {
        ticket.wait().unwrap();
    }
}

#[test]
fn the_lock_does_not_stay_with_a_child_when_the_parent_dies() {
    for role in ["fork and die", "fork and exec"] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let mut other = Other::start(role, &path);
        let child: i32 = other.hear().parse().unwrap();
        other.kill();
        let opened = Log::open(&path, small());
        // SAFETY: signals the process that the other one said it had started.
        let was_alive = unsafe { libc::kill(child, libc::SIGKILL) } == 0;
        assert!(was_alive, "the child outlived its parent");
        assert_eq!(opened.unwrap().0.last_lsn(), Some(Lsn::FIRST), "{role}");
    }
}
