//! What a power loss can leave of a file system.
//!
//! The medium holds whatever was synced. Everything else was on its way, in no order: each sector
//! of 512 bytes holds its synced bytes or those any later write left in it, or is torn between two
//! of these; each length and each name is one the file or directory had since its sync. Two things
//! no file system does are left out: bytes that were cut off do not come back once the cut has
//! arrived, and a renamed file does not lose both its names.
//!
//! Every decision is one call of the chooser with the number of choices: 0 is always "nothing of it
//! arrived", the last choice always "all of it arrived".

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::content::Content;
use super::model::{Entry, Inode, Model, NameChange, Names, is_root};
use super::sectors::{Plan, SECTOR_BYTES, Sector};

/// Takes one of the choices there are, numbered from 0; a larger answer counts as the last one.
pub(super) type Chooser<'c> = &'c mut dyn FnMut(&Part<'_>) -> usize;

/// A part of a file system that a power loss may leave in one of several ways: a name, the length
/// of a file, or a sector of it. In words when displayed.
pub struct Part<'p> {
    /// How many ways there are: the first is that nothing of it has arrived, the last that all has.
    pub choices: usize,
    pub(super) what: What<'p>,
}

pub(super) enum What<'p> {
    Name(&'p NameChange),
    Length(&'p Path, &'p [(u64, usize)]),
    Sector(&'p Path, u64),
    Tear,
}

/// How finely writes arrive.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Grain {
    /// Any sector may be torn at any byte, and a sector that would be the same either way is a
    /// choice all the same.
    Torn,
    /// Whole sectors; only what makes a difference is a choice.
    Whole,
}

/// What is the same for all crashes at one moment: what each file may hold, by its inode and the
/// length that has arrived.
pub(super) struct Plans {
    grain: Grain,
    plans: BTreeMap<(u64, usize), Plan>,
}

impl Plans {
    pub(super) fn new(grain: Grain) -> Plans {
        Plans { grain, plans: BTreeMap::new() }
    }
}

/// One of the states power loss can leave of `model`; all of it is durable.
pub(super) fn crash(model: &Model, plans: &mut Plans, chooser: Chooser<'_>) -> Model {
    let names = surviving_names(model, chooser);
    let mut inodes = BTreeMap::new();
    for (path, entry) in names.iter() {
        let Entry::File(number) = *entry else { continue };
        let Some(inode) = model.inodes.get(&number) else { continue };
        // Two names of one file: an interrupted renaming.
        inodes.entry(number).or_insert_with(|| match inode.is_durable() {
            true => Arc::clone(inode),
            false if inode.pending.is_empty() => Arc::new(Inode::durable(inode.durable.clone())),
            false => {
                let content = surviving_content(number, path, inode, plans, chooser);
                Arc::new(Inode::durable(content))
            }
        });
    }
    Model { inodes, names: names.clone(), durable_names: names, pending_names: Vec::new() }
}

fn surviving_names(model: &Model, chooser: Chooser<'_>) -> Arc<Names> {
    if model.pending_names.is_empty() {
        return Arc::clone(&model.durable_names);
    }
    let mut names = (*model.durable_names).clone();
    for change in &model.pending_names {
        let part = Part { choices: 2, what: What::Name(change) };
        if change.is_possible(&names) && choose(chooser, &part) == 1 {
            change.apply(&mut names);
        }
    }
    // A directory synced itself is still lost when its own name is. Parents sort before children.
    let all: Vec<_> = names.keys().cloned().collect();
    for path in all {
        let parent = path.parent().unwrap_or(&path);
        if !is_root(parent) && names.get(parent) != Some(&Entry::Dir) {
            names.remove(&path);
        }
    }
    Arc::new(names)
}

fn surviving_content(
    number: u64,
    path: &Path,
    inode: &Inode,
    plans: &mut Plans,
    chooser: Chooser<'_>,
) -> Content {
    let lens = inode.lens();
    let part = Part { choices: lens.len(), what: What::Length(path, &lens) };
    let choice = if lens.len() == 1 { 0 } else { choose(chooser, &part) };
    let (len, arrived) = lens[choice];
    let grain = plans.grain;
    let plan = plans.plans.entry((number, choice)).or_insert_with(|| match grain {
        Grain::Whole => Plan::new(inode, len, arrived).distinct(),
        Grain::Torn => Plan::new(inode, len, arrived),
    });
    let mut content = plan.base.clone();
    for sector in &plan.sectors {
        let what = What::Sector(path, sector.number);
        match grain {
            Grain::Torn => survive_torn(sector, what, &mut content, chooser),
            Grain::Whole => match choose(chooser, &Part { choices: sector.held.len(), what }) {
                0 => {}
                choice => content.write(&sector.held[choice], sector.start()),
            },
        }
    }
    content.set_len(plan.len);
    content
}

/// Brings one sector to what it held after some of the writes that touched it.
fn survive_torn(sector: &Sector, what: What<'_>, content: &mut Content, chooser: Chooser<'_>) {
    // None of the writes, torn between two states, or the first n of them.
    let writes = sector.held.len() - 1;
    let bytes = match choose(chooser, &Part { choices: writes + 2, what }) {
        0 => return,
        1 => {
            let whole = choose(chooser, &Part { choices: writes, what: What::Tear });
            let mut bytes = sector.held[whole];
            let cut = 1 + choose(chooser, &Part { choices: bytes.len() - 1, what: What::Tear });
            bytes[..cut].copy_from_slice(&sector.held[whole + 1][..cut]);
            bytes
        }
        choice => sector.held[choice - 1],
    };
    content.write(&bytes, sector.start());
}

fn choose(chooser: Chooser<'_>, part: &Part<'_>) -> usize {
    chooser(part).min(part.choices - 1)
}

impl fmt::Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Name(change) => write!(f, "{change}"),
            What::Length(path, lens) => {
                let lens: Vec<_> = lens.iter().map(|(len, _)| len.to_string()).collect();
                write!(f, "{} length {}", path.display(), lens.join(" or "))
            }
            What::Sector(path, number) => {
                let (start, end) = (number * SECTOR_BYTES, (number + 1) * SECTOR_BYTES);
                write!(f, "{} bytes {start}..{end}", path.display())
            }
            What::Tear => write!(f, "torn"),
        }
    }
}
