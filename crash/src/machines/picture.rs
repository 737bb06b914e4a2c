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
use crate::disks::{BLOCK_BYTES, Blocks, FileSystem};

/// Makes the archive of this program and of the modules of the kernel in `kernel` that disks with
/// these file systems need, boots it, and takes a picture; all of that in `home`.
///
/// # Errors
///
/// If no machine boots.
pub fn take(kernel: &Path, home: &Path, on: &[FileSystem]) -> io::Result<Machines> {
    let kernel = Kernel::in_directory(kernel)?;
    if Path::new("/dev/kvm").exists() && !accelerators().contains(&Accelerator::Kvm) {
        println!("machines: no KVM: what is behind /dev/kvm is neither kvm_intel nor kvm_amd");
    }
    let archive = home.join("archive");
    fs::write(&archive, archive_of(&kernel, on)?)?;
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
        println!("machines: no boot under {}: {last}", accelerator.name());
    }
    Err(last)
}

fn archive_of(kernel: &Kernel, on: &[FileSystem]) -> io::Result<Vec<u8>> {
    let mut archive = Archive::default();
    archive.device(Path::new("/dev/console"), (5, 1));
    archive.directory(Path::new(ROOT));
    archive.program(Path::new("/init"), &std::env::current_exe()?)?;
    let needed = on.iter().flat_map(|file_system| modules_of(*file_system));
    let needed: Vec<_> = ["virtio_pci"].iter().chain(needed).copied().collect();
    let before = kernel.modules(&needed)?;
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

/// A file system, and the checksums it looks for by other names.
fn modules_of(file_system: FileSystem) -> &'static [&'static str] {
    match file_system {
        FileSystem::Ext4 => &["crc32c_generic", "ext4"],
        FileSystem::Xfs => &["crc32c_generic", "xfs"],
        FileSystem::Btrfs | FileSystem::BtrfsInPlace => {
            &["crc32c_generic", "xxhash_generic", "blake2b_generic", "sha256_generic", "btrfs"]
        }
    }
}
