//! The state of the file system in memory: what is visible, what is durable, and what lies between.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::content::{Content, mix};

/// One operation that changed something: what the journal holds and what [`Model::apply`] does.
#[derive(Clone)]
pub(super) enum Op {
    Write {
        path: Arc<Path>,
        inode: u64,
        offset: u64,
        bytes: Arc<[u8]>,
    },
    SetLen {
        path: Arc<Path>,
        inode: u64,
        len: u64,
    },
    Sync {
        path: Arc<Path>,
        inode: u64,
    },
    /// A failed sync: what was written before and not synced will never reach the medium, and yet
    /// is visible and taken for clean from here on.
    LoseUnsynced {
        path: Arc<Path>,
        inode: u64,
    },
    Name(NameChange),
    SyncDir {
        path: PathBuf,
    },
    /// The medium itself changes: visible and durable bytes alike.
    Flip {
        path: Arc<Path>,
        inode: u64,
        offset: u64,
        mask: u8,
    },
    Overwrite {
        path: Arc<Path>,
        inode: u64,
        offset: u64,
        bytes: Arc<[u8]>,
    },
    Replace {
        path: Arc<Path>,
        inode: u64,
        bytes: Arc<[u8]>,
    },
}

/// A change to a directory.
#[derive(Clone)]
pub(super) enum NameChange {
    Create { path: PathBuf, inode: u64 },
    Remove { path: PathBuf, inode: u64 },
    Rename { from: PathBuf, to: PathBuf, inode: u64 },
    MakeDir { path: PathBuf },
    RemoveDir { path: PathBuf },
}

/// What a name stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Entry {
    Dir,
    File(u64),
}

/// A change to a file's bytes that no sync has covered yet.
#[derive(Clone)]
pub(super) enum Change {
    Write { offset: u64, bytes: Arc<[u8]> },
    SetLen(u64),
}

/// A file, whatever its names.
#[derive(Clone, Default)]
pub(super) struct Inode {
    /// What a reader sees.
    pub(super) visible: Content,
    /// What the last sync left on the medium.
    pub(super) durable: Content,
    /// What happened to `visible` since, in order.
    pub(super) pending: Vec<Change>,
    /// Whether a failed sync lost bytes: `durable` plus `pending` is then not `visible` any more.
    is_diverged: bool,
}

/// The tree: every directory and file by its whole path. The root is not in it.
pub(super) type Names = BTreeMap<PathBuf, Entry>;

/// The whole state. Clones share everything until it changes.
#[derive(Clone, Default)]
pub(super) struct Model {
    pub(super) inodes: BTreeMap<u64, Arc<Inode>>,
    pub(super) names: Arc<Names>,
    pub(super) durable_names: Arc<Names>,
    /// Changes to names no directory sync has covered yet, in order.
    pub(super) pending_names: Vec<NameChange>,
}

impl Model {
    /// Performs an operation that was checked before.
    pub(super) fn apply(&mut self, op: &Op) {
        match op {
            Op::Write { inode, offset, bytes, .. } => {
                let change = Change::Write { offset: *offset, bytes: bytes.clone() };
                self.inode_mut(*inode).change(change);
            }
            Op::SetLen { inode, len, .. } => self.inode_mut(*inode).change(Change::SetLen(*len)),
            Op::Sync { inode, .. } => self.inode_mut(*inode).sync(),
            Op::LoseUnsynced { inode, .. } => self.inode_mut(*inode).lose_unsynced(),
            Op::Name(change) => {
                if let NameChange::Create { inode, .. } = change {
                    self.inodes.insert(*inode, Arc::default());
                }
                change.apply(Arc::make_mut(&mut self.names));
                self.pending_names.push(change.clone());
            }
            Op::SyncDir { path } => self.sync_dir(path),
            Op::Flip { inode, offset, mask, .. } => {
                let inode = self.inode_mut(*inode);
                flip(&mut inode.visible, *offset, *mask);
                flip(&mut inode.durable, *offset, *mask);
            }
            Op::Overwrite { inode, offset, bytes, .. } => {
                let inode = self.inode_mut(*inode);
                inode.visible.write(bytes, *offset);
                inode.durable.write(bytes, *offset);
            }
            Op::Replace { inode, bytes, .. } => {
                let mut content = Content::default();
                content.write(bytes, 0);
                *self.inode_mut(*inode) = Inode::durable(content);
            }
        }
    }

    /// A number that another state has with a probability of one in 2^64: of names, lengths and
    /// bytes, what is visible and what is durable.
    pub(super) fn digest(&self) -> u64 {
        let mut sum = mix(self.pending_names.len() as u64);
        for (names, is_visible) in [(&self.names, true), (&self.durable_names, false)] {
            for (path, entry) in names.iter() {
                let mut hasher = DefaultHasher::new();
                path.as_os_str().hash(&mut hasher);
                let name = hasher.finish() ^ u64::from(is_visible);
                let content = match entry {
                    Entry::Dir => 0,
                    Entry::File(number) => {
                        let Some(inode) = self.inodes.get(number) else { continue };
                        let durable = mix(inode.durable.digest() ^ inode.pending.len() as u64);
                        inode.visible.digest().wrapping_add(durable)
                    }
                };
                sum = sum.wrapping_add(mix(name ^ mix(content)));
            }
        }
        sum
    }

    pub(super) fn entry(&self, path: &Path) -> Option<Entry> {
        if is_root(path) { Some(Entry::Dir) } else { self.names.get(path).copied() }
    }

    fn inode_mut(&mut self, inode: u64) -> &mut Inode {
        Arc::make_mut(self.inodes.entry(inode).or_default())
    }

    fn sync_dir(&mut self, dir: &Path) {
        let durable = Arc::make_mut(&mut self.durable_names);
        self.pending_names.retain(|change| {
            let is_covered = change.dir() == Some(dir);
            if is_covered {
                change.apply(durable);
            }
            !is_covered
        });
    }
}

impl Inode {
    /// A file whose bytes are all on the medium.
    pub(super) fn durable(content: Content) -> Inode {
        Inode {
            visible: content.clone(),
            durable: content,
            pending: Vec::new(),
            is_diverged: false,
        }
    }

    /// Whether power loss would leave exactly what is visible.
    pub(super) fn is_durable(&self) -> bool {
        self.pending.is_empty() && !self.is_diverged
    }

    /// The lengths the file had since its sync, each with how many changes it has seen by then.
    pub(super) fn lens(&self) -> Vec<(u64, usize)> {
        let mut lens = vec![(self.durable.len(), 0)];
        let mut len = self.durable.len();
        for (at, change) in self.pending.iter().enumerate() {
            let after = change.len_after(len);
            if after != len || matches!(change, Change::SetLen(_)) {
                lens.push((after, at + 1));
            }
            len = after;
        }
        lens
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.visible);
        self.pending.push(change);
    }

    fn sync(&mut self) {
        if self.is_diverged {
            self.pending.iter().for_each(|change| change.apply(&mut self.durable));
        } else {
            self.durable = self.visible.clone();
        }
        self.pending.clear();
    }

    /// Forgets the bytes but not the lengths: those belong to the inode, which stays dirty.
    fn lose_unsynced(&mut self) {
        let mut len = self.durable.len();
        let mut lengths = Vec::new();
        for change in self.pending.drain(..) {
            let after = change.len_after(len);
            if after != len {
                lengths.push(Change::SetLen(after));
                len = after;
            }
            self.is_diverged |= matches!(change, Change::Write { .. });
        }
        self.pending = lengths;
    }
}

impl Change {
    pub(super) fn apply(&self, content: &mut Content) {
        match self {
            Change::Write { offset, bytes } => content.write(bytes, *offset),
            Change::SetLen(len) => content.set_len(*len),
        }
    }

    /// The file's length after this change to one of `len` bytes.
    pub(super) fn len_after(&self, len: u64) -> u64 {
        match self {
            Change::Write { offset, bytes } => len.max(offset + bytes.len() as u64),
            Change::SetLen(len) => *len,
        }
    }
}

impl NameChange {
    /// The directory whose sync makes this durable: for a renaming, the new name's.
    fn dir(&self) -> Option<&Path> {
        match self {
            NameChange::Create { path, .. }
            | NameChange::Remove { path, .. }
            | NameChange::MakeDir { path }
            | NameChange::RemoveDir { path }
            | NameChange::Rename { to: path, .. } => path.parent(),
        }
    }

    pub(super) fn apply(&self, names: &mut Names) {
        match self {
            NameChange::Create { path, inode } => {
                names.insert(path.clone(), Entry::File(*inode));
            }
            NameChange::MakeDir { path } => {
                names.insert(path.clone(), Entry::Dir);
            }
            NameChange::Remove { path, .. } | NameChange::RemoveDir { path } => {
                names.remove(path);
            }
            NameChange::Rename { from, to, inode } => {
                if names.get(from) == Some(&Entry::File(*inode)) {
                    names.remove(from);
                }
                names.insert(to.clone(), Entry::File(*inode));
            }
        }
    }

    /// Whether this change could have reached the medium when only some of those before it did.
    pub(super) fn is_possible(&self, names: &Names) -> bool {
        let has_dir = |path: &Path| {
            let parent = path.parent().unwrap_or(path);
            is_root(parent) || names.get(parent) == Some(&Entry::Dir)
        };
        match self {
            NameChange::Create { path, .. } | NameChange::MakeDir { path } => {
                !names.contains_key(path) && has_dir(path)
            }
            NameChange::Remove { path, inode } => names.get(path) == Some(&Entry::File(*inode)),
            NameChange::Rename { from, to, inode } => {
                // The file has its old name, or none because its creation did not arrive.
                let file = Entry::File(*inode);
                has_dir(to)
                    && (names.get(from) == Some(&file) || !names.values().any(|e| *e == file))
            }
            NameChange::RemoveDir { path } => {
                names.get(path) == Some(&Entry::Dir) && children(names, path).next().is_none()
            }
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Op::Write { path, offset, bytes, .. } => {
                write!(f, "write {} offset {offset} bytes {}", path.display(), bytes.len())
            }
            Op::SetLen { path, len, .. } => write!(f, "set_len {} {len}", path.display()),
            Op::Sync { path, .. } => write!(f, "sync {}", path.display()),
            Op::LoseUnsynced { path, .. } => write!(f, "lose_unsynced {}", path.display()),
            Op::SyncDir { path } => write!(f, "sync_dir {}", path.display()),
            Op::Flip { path, offset, .. } => write!(f, "flip {} offset {offset}", path.display()),
            Op::Overwrite { path, offset, bytes, .. } => {
                write!(f, "overwrite {} offset {offset} bytes {}", path.display(), bytes.len())
            }
            Op::Replace { path, .. } => write!(f, "replace {}", path.display()),
            Op::Name(change) => change.fmt(f),
        }
    }
}

impl fmt::Display for NameChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NameChange::Create { path, .. } => write!(f, "create {}", path.display()),
            NameChange::Remove { path, .. } => write!(f, "remove {}", path.display()),
            NameChange::MakeDir { path } => write!(f, "create_dir {}", path.display()),
            NameChange::RemoveDir { path } => write!(f, "remove_dir {}", path.display()),
            NameChange::Rename { from, to, .. } => {
                write!(f, "rename {} to {}", from.display(), to.display())
            }
        }
    }
}

/// What lies directly in a directory.
pub(super) fn children<'n>(names: &'n Names, dir: &'n Path) -> impl Iterator<Item = &'n PathBuf> {
    names.keys().filter(move |path| path.parent() == Some(dir))
}

pub(super) fn is_root(path: &Path) -> bool {
    path.parent().is_none()
}

fn flip(content: &mut Content, offset: u64, mask: u8) {
    let mut byte = [0];
    if content.read(&mut byte, offset) == 1 {
        content.write(&[byte[0] ^ mask], offset);
    }
}
