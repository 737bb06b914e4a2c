//! One disk, and the machines that use it one after the other until their power is cut.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::disk::{Disk, Kept, Loss};
use super::history::{History, Shown};
use super::machine::{Machines, console};
use super::order::Order;
use super::told::Told;
use super::watch::{End, Moment, Watch};
use crate::Rng;
use crate::disks::{BLOCK_BYTES, Blocks, FileSystem};

/// What becomes of one disk.
#[derive(Debug)]
pub struct Chain<'a> {
    /// The machines that use it.
    pub machines: &'a Machines,
    /// Where their consoles are kept.
    pub home: &'a Path,
    /// Where disks are kept that a log broke its promise on.
    pub keep: &'a Path,
    /// The file system on it.
    pub file_system: FileSystem,
    /// What everything follows from that does not depend on time.
    pub seed: u64,
    /// So many cuts.
    pub cuts: u64,
    /// No machine is started afterwards but the one that looks at what the last has left.
    pub until: Instant,
}

/// What came of a chain.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Cuts after which another machine was started.
    pub cuts: u64,
    /// Logs that were opened after a cut, and judged.
    pub states: u64,
    /// Disks on which no file system was found.
    pub unmounted: u64,
    /// Blocks that were in the disk's cache at the cuts, and those that were lost of them.
    pub blocks: (u64, u64),
    /// How a promise was broken.
    pub violation: Option<String>,
}

/// How one machine ended.
struct Ended {
    moment: Moment,
    end: End,
    kept: Kept,
    lines: usize,
}

impl Chain<'_> {
    /// Goes through it.
    ///
    /// # Errors
    ///
    /// If a machine cannot be run at all.
    pub fn run(&self, base: &Blocks) -> io::Result<Outcome> {
        let mut outcome = Outcome::default();
        let mut history = History::new().map_err(io::Error::other)?;
        let mut rng = Rng::new(self.seed);
        let bytes = self.file_system.bytes();
        let mut disk = Disk::new(bytes + BLOCK_BYTES as u64, base.clone());
        let mut last_cut = "the disk was new".to_owned();
        for number in 0.. {
            let is_last = number == self.cuts || Instant::now() >= self.until;
            let before = disk.durable().clone();
            let order = self.order(number, &mut rng);
            disk.put(bytes, &order.to_block());
            let (moment, loss) = choose(&mut rng);
            let moment = if is_last { Moment::Line(LINES_OF_AN_OPENING) } else { moment };
            let watch = Watch::new(std::mem::take(&mut disk), moment);
            let end = self.machines.run_until_the_cut(&watch, self.home)?;
            let lines = watch.take_lines();
            disk = watch.take_disk();
            let kept = disk.cut(loss, &mut rng);
            let ended = Ended { moment, end, kept, lines: lines.len() };
            let operations = history.last_operations().to_owned();
            let shown = Told::of(&lines).and_then(|told| history.go_on(&told));
            let shown = shown.and_then(|shown| ended.as_it_should().map(|()| shown));
            match shown {
                Ok(Shown::Opened) => outcome.states += u64::from(number > 0),
                Ok(Shown::Nothing) => {}
                Ok(Shown::Unmounted) => {
                    outcome.unmounted += 1;
                    return Ok(outcome);
                }
                Err(words) => {
                    let image = self.save(&before, number)?;
                    let story = self.tell(&order, number, &last_cut, &operations, &words, &image);
                    outcome.violation = Some(story);
                    return Ok(outcome);
                }
            }
            if is_last {
                break;
            }
            outcome.cuts += 1;
            outcome.blocks.0 += kept.pending as u64;
            outcome.blocks.1 += (kept.pending - kept.arrived) as u64;
            last_cut = ended.words();
        }
        Ok(outcome)
    }

    fn order(&self, number: u64, rng: &mut Rng) -> Order {
        let clock = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        Order {
            file_system: self.file_system,
            seed: rng.next(),
            number: number << 20,
            clock,
            entropy: rng.next(),
        }
    }

    fn tell(
        &self,
        order: &Order,
        number: u64,
        last_cut: &str,
        operations: &str,
        words: &str,
        image: &Path,
    ) -> String {
        let name = self.file_system.name();
        format!(
            "  {name}, seed {}, machine {number} of its disk.\n  \
             Before it was started: {last_cut}.\n  \
             The last operations before that:\n{operations}  \
             That breaks the promise: {words}\n  \
             The disk as this machine got it: {}\n  \
             To look at it: crash-disks look --file-system {name} --seed {} {}\n  \
             What the machine and qemu said:{}",
            self.seed,
            image.display(),
            order.seed,
            image.display(),
            console(self.home),
        )
    }

    fn save(&self, blocks: &Blocks, number: u64) -> io::Result<PathBuf> {
        fs::create_dir_all(self.keep)?;
        let name = format!("machine-{}-{}-{number}.img", self.file_system.name(), self.seed);
        let path = self.keep.join(name);
        let file = File::create(&path)?;
        file.set_len(self.file_system.bytes())?;
        let end = self.file_system.bytes() / BLOCK_BYTES as u64;
        for (number, block) in blocks.iter().filter(|(number, _)| *number < end) {
            file.write_all_at(&block[..], number * BLOCK_BYTES as u64)?;
        }
        Ok(path)
    }
}

impl Ended {
    fn as_it_should(&self) -> Result<(), String> {
        match self.end {
            End::Cut => Ok(()),
            End::Gone => Err("the machine stopped by itself".to_owned()),
            End::Hung => Err(format!("the machine came to no end; it said {} lines", self.lines)),
        }
    }

    fn words(&self) -> String {
        let Ended { moment, kept, lines, .. } = self;
        let Kept { pending, arrived } = kept;
        format!(
            "power was cut ({moment:?}, {lines} lines said); of {pending} blocks in the disk's \
             cache {arrived} arrived"
        )
    }
}

/// When power is cut, and what the disk loses then.
fn choose(rng: &mut Rng) -> (Moment, Loss) {
    // Short lives are mostly recovery, long ones use the log.
    let range = *[20, 120, 500].get(rng.below(3)).unwrap_or(&120);
    let moment = match rng.below(10) {
        0..5 => Moment::Request(1 + rng.below(range * 2) as u64),
        5..8 => Moment::Line(1 + rng.below(range) as u64),
        _ => Moment::After(Duration::from_millis(rng.below(1200) as u64)),
    };
    let loss = match rng.below(10) {
        0..2 => Loss::Nothing,
        2..5 => Loss::Everything,
        _ => Loss::Some([10, 50, 90][rng.below(3)]),
    };
    (moment, loss)
}

/// An empty file system of this kind, made in `home`.
///
/// # Errors
///
/// If its program fails.
pub fn empty(file_system: FileSystem, home: &Path) -> io::Result<Blocks> {
    let path = home.join(format!("{}.img", file_system.name()));
    let file = File::options().read(true).write(true).create(true).truncate(true).open(&path)?;
    file.set_len(file_system.bytes())?;
    file_system.make(&path)?;
    let mut blocks = Blocks::default();
    let mut chunk = vec![0; 256 * BLOCK_BYTES];
    for at in (0..file_system.bytes()).step_by(chunk.len()) {
        let len = chunk.len().min((file_system.bytes() - at) as usize);
        file.read_exact_at(&mut chunk[..len], at)?;
        for (number, block) in chunk[..len].chunks(BLOCK_BYTES).enumerate() {
            if block.iter().any(|byte| *byte != 0) {
                blocks.write(at + (number * BLOCK_BYTES) as u64, block);
            }
        }
    }
    fs::remove_file(path)?;
    Ok(blocks)
}

/// `mounted`, `begin open`, `done` and what was found.
const LINES_OF_AN_OPENING: u64 = 4;
