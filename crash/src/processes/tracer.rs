//! Runs a program under ptrace: counts where its threads enter and leave the kernel, kills it
//! there, or lets a system call fail.

#![allow(unsafe_code)]

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use super::calls::{self, FileCall};
use super::fault::{Fault, Often, Undo};
use super::filter::Filter;
use super::ledger::Ledger;
use super::registers::Registers;
use super::watch::Watch;

/// What is done to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Nothing: stops and file calls are counted.
    Count,
    /// The process is killed at this stop; the first one is 1.
    Kill(u64),
    /// The process is killed so many microseconds after it began, wherever it is.
    KillAfter(u64),
    /// A fault befalls the file call at this position; the first one is 1.
    Fail(u64, Fault, Often),
}

/// How a run went.
#[derive(Debug, Default)]
pub struct Run {
    /// Entries into system calls and exits from them, of all threads.
    pub stops: u64,
    /// The file calls, as long as nothing was done.
    pub calls: Vec<FileCall>,
    /// Where the plan was carried out, in words; `None` if that place was never reached.
    pub place: Option<String>,
    /// The file call that was made to fail.
    pub failed: Option<FileCall>,
    /// How it was made to fail.
    pub fault: Option<Fault>,
    /// How far the ledger was at that moment.
    pub sequence: u64,
    /// How the process ended.
    pub end: End,
}

/// How a process ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// It did not.
    #[default]
    Unknown,
    /// With this code.
    Exited(i32),
    /// By this signal.
    Signalled(i32),
    /// It hung and was killed; what its threads were doing.
    Hung(String),
}

/// Runs a program as planned, until it is gone with all its threads.
///
/// # Errors
/// If it cannot be started or traced.
pub fn run(
    command: &mut Command,
    errors: File,
    ledger: &Ledger,
    plan: Plan,
    watch: &Watch,
) -> io::Result<Run> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors);
    let filter = matches!(plan, Plan::Fail(..)).then(Filter::of_file_calls);
    // SAFETY: between fork and exec only system calls are made.
    unsafe {
        command.pre_exec(move || {
            let null = std::ptr::null_mut::<libc::c_void>();
            if libc::ptrace(libc::PTRACE_TRACEME, 0, null, null) != 0 {
                return Err(io::Error::last_os_error());
            }
            filter.as_ref().map_or(Ok(()), Filter::put_on)
        });
    }
    // The child is reaped by the tracer below.
    let leader = command.spawn()?.id() as i32;
    let guard = watch.begin(leader);
    let (run, threads) = (Run::default(), HashMap::new());
    let tracer = Tracer { leader, ledger, plan, run, begun: false, threads };
    let mut run = tracer.follow()?;
    if let Some(doing) = guard.end() {
        run.end = End::Hung(doing);
    }
    Ok(run)
}

/// A word of a stopped thread's memory.
pub fn peek(tid: i32, address: u64) -> Option<u64> {
    let mut word = 0_u64;
    let local = libc::iovec { iov_base: (&raw mut word).cast(), iov_len: 8 };
    let remote = libc::iovec { iov_base: address as *mut libc::c_void, iov_len: 8 };
    // SAFETY: the local vector is `word`, which lives through the call; the kernel checks the
    // other one.
    let read = unsafe { libc::process_vm_readv(tid, &raw const local, 1, &raw const remote, 1, 0) };
    (read == 8).then_some(word)
}

struct Tracer<'a> {
    leader: i32,
    ledger: &'a Ledger,
    plan: Plan,
    run: Run,
    /// Whether the driver has said that it begins.
    begun: bool,
    threads: HashMap<i32, Thread>,
}

#[derive(Default)]
struct Thread {
    inside: bool,
    undo: Option<Undo>,
}

/// How a stopped thread goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Go {
    /// To its next entry or exit.
    ToCall,
    /// Until something else happens.
    Freely,
}

impl Tracer<'_> {
    fn follow(mut self) -> io::Result<Run> {
        loop {
            let mut status = 0;
            // SAFETY: the status is written to a local. Only children of this thread are waited
            // for, so that tracers of other threads have theirs to themselves.
            let tid =
                unsafe { libc::waitpid(-1, &raw mut status, libc::__WALL | libc::__WNOTHREAD) };
            if tid < 0 {
                match io::Error::last_os_error() {
                    error if error.raw_os_error() == Some(libc::ECHILD) => return Ok(self.run),
                    error if error.kind() == io::ErrorKind::Interrupted => continue,
                    error => return Err(error),
                }
            }
            if libc::WIFEXITED(status) || libc::WIFSIGNALED(status) {
                self.threads.remove(&tid);
                if tid == self.leader {
                    self.run.end = match libc::WIFEXITED(status) {
                        true => End::Exited(libc::WEXITSTATUS(status)),
                        false => End::Signalled(libc::WTERMSIG(status)),
                    };
                }
                continue;
            }
            let signal = libc::WSTOPSIG(status);
            if signal == libc::SIGTRAP | 0x80 {
                let go = self.at_call(tid);
                resume(tid, go, 0);
            } else if status >> 16 == libc::PTRACE_EVENT_SECCOMP {
                resume(tid, self.at_file_call(tid), 0);
            } else if status >> 16 != 0 || signal == libc::SIGTRAP {
                self.at_start(tid, status)?;
                resume(tid, self.go(), 0);
            } else if signal == libc::SIGSTOP {
                // The driver says that it begins, or a thread that it is there.
                if tid == self.leader && !self.begun {
                    self.begin();
                }
                resume(tid, self.go(), 0);
            } else {
                resume(tid, self.go(), signal);
            }
        }
    }

    /// How threads go on where nothing else is to be done.
    fn go(&self) -> Go {
        match self.plan {
            Plan::Count | Plan::Kill(_) if self.begun => Go::ToCall,
            _ => Go::Freely,
        }
    }

    /// The program was loaded: from here on its threads are traced as they come.
    fn at_start(&self, tid: i32, status: i32) -> io::Result<()> {
        if tid != self.leader || status >> 16 != 0 {
            return Ok(());
        }
        let options = libc::PTRACE_O_TRACESYSGOOD
            | libc::PTRACE_O_TRACECLONE
            | libc::PTRACE_O_TRACEFORK
            | libc::PTRACE_O_TRACEVFORK
            | libc::PTRACE_O_TRACESECCOMP
            | libc::PTRACE_O_EXITKILL;
        let null = std::ptr::null_mut::<libc::c_void>();
        // SAFETY: sets options of a stopped child, no memory is involved.
        match unsafe { libc::ptrace(libc::PTRACE_SETOPTIONS, tid, null, options as usize) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// The driver begins.
    fn begin(&mut self) {
        self.begun = true;
        let Plan::KillAfter(micros) = self.plan else { return };
        // A descriptor, because the number may be another process's when the time has come.
        // SAFETY: makes a descriptor, no memory is involved; the result is owned from here on.
        let process = unsafe {
            let made = libc::syscall(libc::SYS_pidfd_open, self.leader, 0) as i32;
            if made < 0 {
                return;
            }
            OwnedFd::from_raw_fd(made)
        };
        self.run.place = Some(format!("{micros} us after the beginning"));
        // Whoever waits below cannot also count the time.
        std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_micros(micros));
            let (call, null) = (libc::SYS_pidfd_send_signal, std::ptr::null::<libc::siginfo_t>());
            // SAFETY: sends a signal to the process of an open descriptor.
            unsafe { libc::syscall(call, process.as_raw_fd(), libc::SIGKILL, null, 0) };
        });
    }

    /// A thread enters a system call, or leaves one.
    fn at_call(&mut self, tid: i32) -> Go {
        let thread = self.threads.entry(tid).or_default();
        if let Some(undo) = thread.undo.take() {
            undo.end(tid);
            return self.go();
        }
        self.run.stops += 1;
        thread.inside = !thread.inside;
        let entering = thread.inside;
        match self.plan {
            Plan::Kill(stop) if stop == self.run.stops => {
                self.run.place = Some(describe(tid, self.leader, Some(entering)));
                self.run.sequence = self.ledger.sequence();
                kill(self.leader);
            }
            Plan::Count if entering => {
                if let Some((call, _)) = self.call_of(tid) {
                    self.run.calls.push(call);
                }
            }
            _ => {}
        }
        self.go()
    }

    /// A thread enters a file call that may be made to fail.
    fn at_file_call(&mut self, tid: i32) -> Go {
        match self.fail(tid) {
            // To the end of the call.
            Some(()) => Go::ToCall,
            None => Go::Freely,
        }
    }

    fn fail(&mut self, tid: i32) -> Option<()> {
        let Plan::Fail(position, fault, often) = self.plan else { return None };
        if !self.begun || (self.run.failed.is_some() && often == Often::Once) {
            return None;
        }
        let (call, registers) = self.call_of(tid)?;
        match self.run.failed {
            Some(failed) if failed.number != call.number => return None,
            _ => self.run.calls.push(call),
        }
        let count = self.run.calls.len() as u64;
        if self.run.failed.is_none() && count != position {
            return None;
        }
        if fault.is_interruption() && count % 4 == (position + 3) % 4 {
            return None;
        }
        let place = describe(tid, self.leader, None);
        let sequence = self.ledger.sequence();
        let undo = fault.begin(tid, &call, registers)?;
        self.threads.entry(tid).or_default().undo = Some(undo);
        if self.run.failed.is_none() {
            self.run.failed = Some(call);
            self.run.fault = Some(fault);
            self.run.sequence = sequence;
            self.run.place = Some(format!("file call {position}, {place}"));
        }
        Some(())
    }

    fn call_of(&self, tid: i32) -> Option<(FileCall, Registers)> {
        let registers = Registers::of(tid).ok()?;
        let call = calls::file_call(registers.call(), registers.arguments())?;
        Some((call, registers))
    }
}

/// Kills a process with all its threads.
pub fn kill(pid: i32) {
    // SAFETY: sends a signal, no memory is involved.
    unsafe { libc::kill(pid, libc::SIGKILL) };
}

fn resume(tid: i32, go: Go, signal: i32) {
    let request = if go == Go::ToCall { libc::PTRACE_SYSCALL } else { libc::PTRACE_CONT };
    let null = std::ptr::null_mut::<libc::c_void>();
    // SAFETY: continues a stopped thread, no memory is involved. One that was killed meanwhile
    // reports its end.
    unsafe { libc::ptrace(request, tid, null, signal as usize) };
}

/// Where a thread stands, in words.
fn describe(tid: i32, pid: i32, entering: Option<bool>) -> String {
    let Ok(registers) = Registers::of(tid) else { return "a thread that is gone".into() };
    let arguments = registers.arguments();
    let name = calls::name(registers.call());
    let path_first = ["openat", "unlinkat", "mkdirat", "renameat", "newfstatat", "statx"];
    let file = match calls::file_call(registers.call(), arguments) {
        Some(_) if !path_first.contains(&&*name) => calls::file_of(pid, arguments[0]),
        _ => None,
    };
    let file = file.map(|file| format!(" of {}", file.display())).unwrap_or_default();
    let way = match entering {
        Some(true) => "the entry of ",
        Some(false) => "the exit of ",
        None => "",
    };
    let [_, _, len, offset] = arguments;
    format!("{way}{name}{file} (third argument {len}, fourth {offset})")
}
