//! What all machines have in common: a kernel, the program they run, and a picture of one that has
//! booted.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::archive::Archive;
use super::disk::Disk;
use super::guest::{BEFORE, BEHIND, ROOT};
use super::kernel::Kernel;
use super::machine::{Accelerator, Machines};
use super::watch::{Moment, Watch};
use crate::disks::{BLOCK_BYTES, Blocks};

/// Makes the archive of this program and of the modules of the kernel in `kernel`, boots it, and
/// takes a picture; all of that in `home`.
///
/// # Errors
///
/// If no machine boots.
pub fn take(kernel: &Path, home: &Path) -> io::Result<Machines> {
    let kernel = Kernel::in_directory(kernel)?;
    let archive = home.join("archive");
    fs::write(&archive, archive_of(&kernel)?)?;
    let picture = home.join("picture");
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for accelerator in accelerators() {
        let machines = Machines {
            kernel: kernel.image.clone(),
            archive: archive.clone(),
            picture: picture.clone(),
            accelerator,
        };
        let watch = Watch::new(Disk::new(BLOCK_BYTES as u64, Blocks::default()), Moment::Never);
        match machines.take_picture(&watch, home, boots_within(accelerator)) {
            Ok(()) => return Ok(machines),
            Err(error) => last = error,
        }
        println!("machines: the kernel did not boot under {}", accelerator.name());
    }
    Err(last)
}

fn archive_of(kernel: &Kernel) -> io::Result<Vec<u8>> {
    let mut archive = Archive::default();
    archive.device(Path::new("/dev/console"), (5, 1));
    archive.directory(Path::new(ROOT));
    archive.program(Path::new("/init"), &std::env::current_exe()?)?;
    let before = kernel.modules(MODULES)?;
    let driver = kernel.modules(&["virtio_blk"])?;
    let names: Vec<_> = before.iter().map(|module| module.name.clone()).collect();
    let behind = driver.into_iter().filter(|module| !names.contains(&module.name));
    for (place, modules) in [(BEFORE, before), (BEHIND, behind.collect())] {
        archive.directory(Path::new(place));
        for (number, module) in modules.iter().enumerate() {
            let path = PathBuf::from(place).join(format!("{number:02}-{}.ko", module.name));
            archive.file(&path, &module.content);
        }
    }
    Ok(archive.finish())
}

/// What to try, in this order.
fn accelerators() -> Vec<Accelerator> {
    match std::env::var("WAL_CRASH_ACCELERATOR").as_deref() {
        Ok("kvm") => vec![Accelerator::Kvm],
        Ok("tcg") => vec![Accelerator::Tcg],
        // Under other modules a processor is virtual itself, and boots no kernel as it comes.
        _ if ["kvm_intel", "kvm_amd"].iter().any(|module| is_loaded(module)) => {
            vec![Accelerator::Kvm, Accelerator::Tcg]
        }
        _ => vec![Accelerator::Tcg],
    }
}

fn is_loaded(module: &str) -> bool {
    Path::new("/dev/kvm").exists() && Path::new("/sys/module").join(module).exists()
}

fn boots_within(accelerator: Accelerator) -> Duration {
    match accelerator {
        Accelerator::Kvm => Duration::from_secs(20),
        Accelerator::Tcg => Duration::from_secs(120),
    }
}

/// The bus of the disk, the file systems, and the checksums they look for by other names.
const MODULES: &[&str] = &[
    "virtio_pci",
    "crc32c_generic",
    "xxhash_generic",
    "blake2b_generic",
    "sha256_generic",
    "ext4",
    "xfs",
    "btrfs",
];
