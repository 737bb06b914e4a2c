//! The computer around the files in memory: who has them open and locked, how much room and what
//! time there is. It checks what the system would refuse; [`Model`] does what is left.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::content::Content;
use super::journal::Journal;
use super::model::{Entry, Inode, Model, NameChange, Op, children};
use crate::vfs::{Access, Lock};

pub(super) struct Machine {
    pub(super) model: Model,
    pub(super) journal: Journal,
    /// The inode of every open file, and the lock it holds.
    open_files: BTreeMap<u64, (u64, Option<Lock>)>,
    next_number: u64,
    pub(super) capacity_bytes: Option<u64>,
    pub(super) now: SystemTime,
    pub(super) fails_next_sync: bool,
    /// Whether it has lost power: every call fails.
    pub(super) is_off: bool,
}

/// An open file: its own number and its inode's.
#[derive(Clone, Copy)]
pub(super) struct OpenFile {
    pub(super) number: u64,
    pub(super) inode: u64,
}

impl Machine {
    /// A machine just started, with these files.
    pub(super) fn new(model: Model, now: SystemTime) -> Machine {
        let next_number = model.inodes.keys().next_back().map_or(1, |last| last + 1);
        Machine {
            model,
            journal: Journal::default(),
            open_files: BTreeMap::new(),
            next_number,
            capacity_bytes: None,
            now,
            fails_next_sync: false,
            is_off: false,
        }
    }

    pub(super) fn tick(&mut self) -> SystemTime {
        self.now += Duration::from_micros(1);
        self.now
    }

    pub(super) fn create_dir_all(&mut self, path: &Path) -> io::Result<()> {
        let path = &normal(path)?;
        let mut ancestors: Vec<&Path> = path.ancestors().collect();
        ancestors.reverse();
        for dir in ancestors {
            match self.model.entry(dir) {
                Some(Entry::File(_)) => return Err(errno(libc::ENOTDIR)),
                Some(Entry::Dir) => {}
                None => self.change_name(NameChange::MakeDir { path: dir.to_owned() }),
            }
            // An existing one may be the work of a process that died before its sync.
            let is_pending = self.model.pending_names.iter().any(
                |change| matches!(change, NameChange::MakeDir { path } if path.as_path() == dir),
            );
            if let (true, Some(parent)) = (is_pending, dir.parent()) {
                self.perform(Op::SyncDir { path: parent.to_owned() });
            }
        }
        Ok(())
    }

    pub(super) fn list(&self, path: &Path) -> io::Result<Vec<std::ffi::OsString>> {
        let path = self.dir(path)?;
        let names = children(&self.model.names, &path);
        Ok(names.filter_map(|path| path.file_name().map(ToOwned::to_owned)).collect())
    }

    pub(super) fn open(&mut self, path: &Path, access: Access) -> io::Result<OpenFile> {
        let path = normal(path)?;
        let inode = match (self.model.entry(&path), access) {
            (Some(_), Access::Create) => return Err(errno(libc::EEXIST)),
            (Some(Entry::Dir), _) => return Err(io::ErrorKind::InvalidInput.into()),
            (Some(Entry::File(inode)), _) => inode,
            (None, Access::Create) => {
                self.dir(path.parent().unwrap_or(&path))?;
                let inode = self.number();
                self.change_name(NameChange::Create { path, inode });
                inode
            }
            (None, _) => return Err(errno(libc::ENOENT)),
        };
        let number = self.number();
        self.open_files.insert(number, (inode, None));
        Ok(OpenFile { number, inode })
    }

    pub(super) fn close(&mut self, file: OpenFile) {
        self.open_files.remove(&file.number);
    }

    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        let path = normal(path)?;
        let inode = self.file(&path)?;
        self.change_name(NameChange::Remove { path, inode });
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let (from, to) = (normal(from)?, normal(to)?);
        let inode = self.file(&from)?;
        self.dir(to.parent().unwrap_or(&to))?;
        match self.model.entry(&to) {
            Some(Entry::Dir) => Err(errno(libc::EISDIR)),
            Some(Entry::File(old)) if old == inode => Ok(()),
            _ => {
                self.change_name(NameChange::Rename { from, to, inode });
                Ok(())
            }
        }
    }

    pub(super) fn remove_dir(&mut self, path: &Path) -> io::Result<()> {
        let path = self.dir(path)?;
        if path.parent().is_none() {
            return Err(errno(libc::EBUSY));
        }
        if children(&self.model.names, &path).next().is_some() {
            return Err(errno(libc::ENOTEMPTY));
        }
        self.change_name(NameChange::RemoveDir { path });
        Ok(())
    }

    pub(super) fn sync_dir(&mut self, path: &Path) -> io::Result<()> {
        let path = self.dir(path)?;
        self.perform(Op::SyncDir { path });
        self.drop_unreachable();
        Ok(())
    }

    /// Writes as much as there is room for.
    pub(super) fn write(
        &mut self,
        inode: u64,
        path: &Arc<Path>,
        mut bytes: Vec<u8>,
        offset: u64,
        alignment: usize,
    ) -> io::Result<usize> {
        let asked = bytes.len() as u64;
        if offset.checked_add(asked).is_none_or(|end| end > FILE_BYTES_MAX) {
            return Err(errno(libc::EFBIG));
        }
        if let Some(room_bytes) = self.room_bytes() {
            let fits = self.content(inode).fits(offset, asked, room_bytes) as usize;
            bytes.truncate(fits - fits % alignment);
            if bytes.is_empty() {
                return Err(errno(libc::ENOSPC));
            }
        }
        let written = bytes.len();
        self.perform(Op::Write { path: path.clone(), inode, offset, bytes: bytes.into() });
        Ok(written)
    }

    pub(super) fn set_len(&mut self, inode: u64, path: &Arc<Path>, len: u64) -> io::Result<()> {
        if len > FILE_BYTES_MAX {
            return Err(errno(libc::EFBIG));
        }
        let growth = len.saturating_sub(self.content(inode).len());
        if self.room_bytes().is_some_and(|room_bytes| growth > room_bytes) {
            return Err(errno(libc::ENOSPC));
        }
        self.perform(Op::SetLen { path: path.clone(), inode, len });
        Ok(())
    }

    pub(super) fn sync(&mut self, inode: u64, path: &Arc<Path>) -> io::Result<()> {
        let path = path.clone();
        if std::mem::take(&mut self.fails_next_sync) {
            self.perform(Op::LoseUnsynced { path, inode });
            return Err(errno(libc::EIO));
        }
        self.perform(Op::Sync { path, inode });
        Ok(())
    }

    pub(super) fn try_lock(&mut self, file: OpenFile, lock: Lock) -> bool {
        let conflicts = self.open_files.iter().any(|(&number, &(inode, held))| {
            let is_other = number != file.number && inode == file.inode;
            let is_exclusive = lock == Lock::Exclusive || held == Some(Lock::Exclusive);
            is_other && held.is_some() && is_exclusive
        });
        if !conflicts {
            self.open_files.insert(file.number, (file.inode, Some(lock)));
        }
        !conflicts
    }

    pub(super) fn content(&self, inode: u64) -> &Content {
        static NOTHING: std::sync::LazyLock<Content> = std::sync::LazyLock::new(Content::default);
        self.model.inodes.get(&inode).map_or(&NOTHING, |inode: &Arc<Inode>| &inode.visible)
    }

    /// The file at a path.
    pub(super) fn file(&self, path: &Path) -> io::Result<u64> {
        match self.model.entry(&normal(path)?) {
            Some(Entry::File(inode)) => Ok(inode),
            Some(Entry::Dir) => Err(errno(libc::EISDIR)),
            None => Err(errno(libc::ENOENT)),
        }
    }

    pub(super) fn perform(&mut self, op: Op) {
        self.journal.perform(op, &mut self.model);
    }

    fn change_name(&mut self, change: NameChange) {
        self.perform(Op::Name(change));
    }

    /// The directory at a path, by its normal path.
    fn dir(&self, path: &Path) -> io::Result<PathBuf> {
        let path = normal(path)?;
        match self.model.entry(&path) {
            Some(Entry::Dir) => Ok(path),
            Some(Entry::File(_)) => Err(errno(libc::ENOTDIR)),
            None => Err(errno(libc::ENOENT)),
        }
    }

    fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    /// What is left of the capacity. A removed file takes room as long as it is open.
    fn room_bytes(&self) -> Option<u64> {
        let capacity_bytes = self.capacity_bytes?;
        let mut inodes: BTreeSet<u64> = self.open_files.values().map(|&(inode, _)| inode).collect();
        inodes.extend(self.model.names.values().filter_map(|entry| entry.inode()));
        let used: u64 = inodes.iter().map(|&inode| self.content(inode).allocated_bytes()).sum();
        Some(capacity_bytes.saturating_sub(used))
    }

    /// Forgets the files that no name, no crash and no open file can lead to any more.
    fn drop_unreachable(&mut self) {
        let Machine { model, open_files, .. } = self;
        let mut reachable: BTreeSet<u64> = open_files.values().map(|&(inode, _)| inode).collect();
        reachable.extend(model.names.values().filter_map(|entry| entry.inode()));
        reachable.extend(model.durable_names.values().filter_map(|entry| entry.inode()));
        for change in &model.pending_names {
            if let NameChange::Create { inode, .. }
            | NameChange::Remove { inode, .. }
            | NameChange::Rename { inode, .. } = change
            {
                reachable.insert(*inode);
            }
        }
        model.inodes.retain(|inode, _| reachable.contains(inode));
    }
}

impl Entry {
    fn inode(self) -> Option<u64> {
        match self {
            Entry::File(inode) => Some(inode),
            Entry::Dir => None,
        }
    }
}

/// A path as the model's key. There are no links, so `..` is what it says.
pub(super) fn normal(path: &Path) -> io::Result<PathBuf> {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if normal.file_name().is_some() => {
                normal.pop();
            }
            Component::ParentDir => return Err(io::ErrorKind::InvalidInput.into()),
            component => normal.push(component),
        }
    }
    Ok(normal)
}

pub(super) fn errno(code: i32) -> io::Error {
    io::Error::from_raw_os_error(code)
}

/// Generous for a test, and far from overflow.
const FILE_BYTES_MAX: u64 = 1 << 40;
