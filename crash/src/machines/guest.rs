//! The first process of a machine: mounts the disk, opens the log on it, says what it found, and
//! uses it until power is lost.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use super::order::Order;
use super::port::Port;
use super::watch::IDLE;
use crate::Failed;
use crate::disks::{BLOCK_BYTES, HOME, LOG, Marks, Verdict, Workload, script};

/// Does what a machine does, and never returns: a machine without a first process stops.
pub fn main() -> ! {
    match start() {
        Ok(port) => use_disk(port),
        // Standard error is the console, which the rung keeps.
        Err(error) => eprintln!("machine: {error}"),
    }
    loop {
        std::thread::sleep(Duration::from_secs(1000));
    }
}

/// Everything that has nothing to do with the disk, up to the moment a picture is taken.
fn start() -> io::Result<Port> {
    for (what, on) in [("devtmpfs", "/dev"), ("proc", "/proc"), ("sysfs", "/sys")] {
        mount(what, on)?;
    }
    load_modules(Path::new(BEFORE))?;
    let port = Port::open()?;
    port.say("ready");
    while !port.is_resumed() {
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(port)
}

fn use_disk(port: Port) {
    let done = catch_unwind(AssertUnwindSafe(|| order().and_then(|order| obey(port, &order))));
    match done {
        Ok(Ok(())) => port.say(IDLE),
        Ok(Err(Failed(words))) => port.say(&format!("error {}", words.replace('\n', " "))),
        Err(_) => port.say("error it panicked"),
    }
}

/// Loads the disk's driver and reads what is to be done.
fn order() -> Result<Order, Failed> {
    load_modules(Path::new(BEHIND)).map_err(failed)?;
    let disk = (0..DISK_ATTEMPTS).find_map(|_| {
        File::open(DISK).map_err(|_| std::thread::sleep(Duration::from_millis(5))).ok()
    });
    let disk = disk.ok_or_else(|| failed("there is no disk"))?;
    let sectors = fs::read_to_string("/sys/block/vda/size").map_err(failed)?;
    let sectors: u64 = sectors.trim().parse().map_err(failed)?;
    let mut block = [0; BLOCK_BYTES];
    disk.read_exact_at(&mut block, sectors * 512 - BLOCK_BYTES as u64).map_err(failed)?;
    let order = Order::of_block(&block).ok_or_else(|| failed("there is no order"))?;
    renew(&order).map_err(failed)?;
    Ok(order)
}

/// Gives the machine a time and random numbers of its own: those of its picture are everybody's.
fn renew(order: &Order) -> io::Result<()> {
    let time = libc::timespec { tv_sec: order.clock as libc::time_t, tv_nsec: 0 };
    // SAFETY: the pointer is to a time that outlives the call.
    if unsafe { libc::clock_settime(libc::CLOCK_REALTIME, &raw const time) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let mut random = File::options().write(true).open("/dev/urandom")?;
    random.write_all(&order.entropy.to_le_bytes())?;
    // SAFETY: this request has no argument.
    match unsafe { libc::ioctl(random.as_raw_fd(), RNDRESEEDCRNG) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Returns early if there is nothing to go on with.
fn obey(port: Port, order: &Order) -> Result<(), Failed> {
    let root = Path::new(ROOT);
    let _mounted = match order.file_system.mount(Path::new(DISK), root) {
        Ok(mounted) => mounted,
        Err(error) => {
            port.say(&format!("unmounted {error}"));
            return Ok(());
        }
    };
    port.say("mounted");
    if !root.join(HOME).exists() {
        order.file_system.make_home(root).map_err(failed)?;
    }
    let path = root.join(HOME).join(LOG);
    let options = script::options(order.seed);
    let marks = Marks::to(Box::new(port));
    let mut workload = Workload::new(marks, path, options, order.number);
    let opened = catch_unwind(AssertUnwindSafe(|| {
        workload.open().map_err(|Failed(words)| words).and_then(|()| workload.found())
    }));
    let opening = match opened {
        Ok(Ok(found)) => Verdict::Found(found),
        Ok(Err(words)) => Verdict::DidNotOpen(words),
        Err(_) => Verdict::DidNotOpen("it panicked".to_owned()),
    };
    port.say(&opening.to_line());
    if !matches!(opening, Verdict::Found(_)) {
        return Ok(());
    }
    for step in (0..ROUNDS).flat_map(|round| script::everything(order.seed.wrapping_add(round))) {
        workload.step(&step).map_err(|Failed(words)| Failed(format!("{step:?}: {words}")))?;
    }
    port.say(IDLE);
    // Neither closed nor unmounted: power is lost.
    loop {
        std::thread::sleep(Duration::from_secs(1000));
    }
}

/// Loads every module of a directory, in the order of the names.
fn load_modules(directory: &Path) -> io::Result<()> {
    let mut files: Vec<_> = fs::read_dir(directory)?
        .map(|file| file.map(|file| file.path()))
        .collect::<Result<_, _>>()?;
    files.sort();
    for path in files {
        let file = File::open(&path)?;
        let none = c"".as_ptr();
        // SAFETY: the parameters are a string that ends with a zero.
        let result = unsafe { libc::syscall(libc::SYS_finit_module, file.as_raw_fd(), none, 0) };
        let error = io::Error::last_os_error();
        if result != 0 && error.raw_os_error() != Some(libc::EEXIST) {
            // The console says it; what needs the module will say more.
            eprintln!("machine: {}: {error}", path.display());
        }
    }
    Ok(())
}

fn mount(what: &str, on: &str) -> io::Result<()> {
    fs::create_dir_all(on)?;
    let text = |text: &str| std::ffi::CString::new(text).map_err(io::Error::other);
    let (what, on) = (text(what)?, text(on)?);
    // SAFETY: all strings end with a zero and outlive the call.
    let result =
        unsafe { libc::mount(what.as_ptr(), on.as_ptr(), what.as_ptr(), 0, std::ptr::null()) };
    let error = io::Error::last_os_error();
    // A kernel may have mounted the devices itself.
    if result == 0 || error.raw_os_error() == Some(libc::EBUSY) { Ok(()) } else { Err(error) }
}

fn failed(error: impl std::fmt::Display) -> Failed {
    Failed(format!("{error:#}"))
}

/// Where the archive has the modules that are loaded before the picture is taken, and those that
/// are loaded when there is a disk.
pub const BEFORE: &str = "/modules/before";
pub const BEHIND: &str = "/modules/behind";

/// Where the file system is mounted.
pub const ROOT: &str = "/disk";

const DISK: &str = "/dev/vda";
const DISK_ATTEMPTS: usize = 400;
const ROUNDS: u64 = 6;
const RNDRESEEDCRNG: libc::Ioctl = 0x5207;
