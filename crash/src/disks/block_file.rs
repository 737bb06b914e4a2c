//! A disk as a file that the kernel can put a loop device over.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use fuser::{
    BackgroundSession, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation,
    INodeNo, KernelConfig, LockOwner, OpenFlags, ReplyAttr, ReplyData, ReplyEmpty, ReplyEntry,
    ReplyOpen, ReplyWrite, Request, WriteFlags,
};

use super::recording::Disk;

/// A mounted directory with two files: `disk`, which is the disk, and `marks`, into which a
/// workload writes what it is about to do and has done.
///
/// The process that serves them must never touch what is mounted on the disk: a thread that waits
/// for its own process cannot be killed. Children do.
pub struct BlockFile {
    directory: PathBuf,
    session: Option<BackgroundSession>,
}

impl BlockFile {
    /// Serves the disk in this directory.
    ///
    /// # Errors
    ///
    /// If the kernel refuses the mount.
    pub fn serve(disk: &Disk, directory: &Path) -> io::Result<BlockFile> {
        let mut config = fuser::Config::default();
        config.mount_options.push(fuser::MountOption::FSName("wal-crash".to_owned()));
        let session = fuser::spawn_mount(Files(disk.clone()), directory, &config)?;
        Ok(BlockFile { directory: directory.to_path_buf(), session: Some(session) })
    }

    /// The file that is the disk.
    pub fn disk(&self) -> PathBuf {
        self.directory.join("disk")
    }

    /// The file that takes marks.
    pub fn marks(&self) -> PathBuf {
        self.directory.join("marks")
    }
}

impl Drop for BlockFile {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            // Failing, it is still gone with the process and its mounts.
            let _ = session.umount_and_join();
        }
    }
}

struct Files(Disk);

impl Files {
    fn attributes(&self, node: INodeNo) -> Option<FileAttr> {
        let (kind, size) = match u64::from(node) {
            1 => (FileType::Directory, 0),
            DISK => (FileType::RegularFile, self.0.bytes()),
            MARKS => (FileType::RegularFile, 0),
            _ => return None,
        };
        Some(FileAttr {
            ino: node,
            size,
            blocks: size / 512,
            atime: UNIX_EPOCH,
            mtime: UNIX_EPOCH,
            ctime: UNIX_EPOCH,
            crtime: UNIX_EPOCH,
            kind,
            perm: 0o700,
            nlink: 1,
            uid: 0,
            gid: 0,
            rdev: 0,
            blksize: 4096,
            flags: 0,
        })
    }
}

impl Filesystem for Files {
    fn init(&mut self, _: &Request, config: &mut KernelConfig) -> io::Result<()> {
        // Fewer requests for the zeros of a journal; a smaller limit of the kernel does as well.
        let _ = config.set_max_write(1 << 20);
        Ok(())
    }

    fn lookup(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let node = match name.to_str() {
            Some("disk") => DISK,
            Some("marks") => MARKS,
            _ => return reply.error(Errno::ENOENT),
        };
        match self.attributes(INodeNo(node)) {
            // Never cached: the size changes with the disk that is inserted.
            Some(attributes) => reply.entry(&Duration::ZERO, &attributes, Generation(0)),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn getattr(&self, _: &Request, node: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.attributes(node) {
            Some(attributes) => reply.attr(&Duration::ZERO, &attributes),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        reply.opened(FileHandle(0), FopenFlags::FOPEN_DIRECT_IO);
    }

    fn read(
        &self,
        _: &Request,
        node: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let end = if u64::from(node) == DISK { self.0.bytes() } else { 0 };
        let mut bytes = vec![0; u64::from(size).min(end.saturating_sub(offset)) as usize];
        self.0.read(offset, &mut bytes);
        reply.data(&bytes);
    }

    fn write(
        &self,
        _: &Request,
        node: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        if u64::from(node) == MARKS {
            self.0.mark(String::from_utf8_lossy(data).into_owned());
        } else if self.0.write(offset, data).is_err() {
            return reply.error(Errno::EIO);
        }
        reply.written(data.len() as u32);
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, _: &Request, node: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        match u64::from(node) == DISK && self.0.flush().is_err() {
            true => reply.error(Errno::EIO),
            false => reply.ok(),
        }
    }

    fn fallocate(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        _: u64,
        _: u64,
        _: i32,
        reply: ReplyEmpty,
    ) {
        // Without it the loop device does not offer discarding, and nothing else is recorded.
        reply.error(Errno::EOPNOTSUPP);
    }
}

const DISK: u64 = 2;

const MARKS: u64 = 3;
