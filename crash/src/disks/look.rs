//! A second look at the disk of a violation.

use std::fs;
use std::io;
use std::path::Path;

use super::{BLOCK_BYTES, Blocks, Checker, FileSystem, HOME, Image, LOG, file_system};

/// Mounts a copy of the disk, opens the log on it, and prints what that says.
///
/// # Errors
///
/// If the disk cannot be read or mounted.
pub fn run(kind: FileSystem, seed: u64, mut log: Checker, image: &Path) -> io::Result<()> {
    file_system::leave_the_mounts_of_others()?;
    let mount_point = Path::new("/mnt");
    let mut blocks = Blocks::default();
    let bytes = fs::read(image)?;
    for (number, block) in (0..).zip(bytes.chunks(BLOCK_BYTES)) {
        if block.iter().any(|byte| *byte != 0) {
            blocks.write(number * BLOCK_BYTES as u64, block);
        }
    }
    let mut copy = Image::new(kind.bytes())?;
    copy.rebase(&blocks)?;
    let mounted = kind.mount(copy.device(), mount_point)?;
    let directory = mount_point.join(HOME).join(LOG);
    if let Ok(files) = fs::read_dir(&directory) {
        for file in files {
            let file = file?;
            println!("{} {} bytes", file.path().display(), file.metadata()?.len());
        }
    }
    println!("{:?}", log.check(seed, &directory)?);
    mounted.unmount()
}
