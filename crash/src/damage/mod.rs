//! Damage to a log that nobody was writing: every bit, every sector, every file of small logs.
//!
//! A [`Shape`] is a log with a history; a [`Wound`] is what happened to its files since. Whatever
//! the wound, every way to read the log gives what was in it or says `Corrupt` with the place, all
//! of them agree, and a repair keeps what it changes and all that the damage did not reach.

mod anatomy;
mod campaign;
mod image;
mod readers;
mod salvage;
mod shape;
mod verdict;
mod wound;

pub use anatomy::{Anatomy, Part, PartKind};
pub use campaign::{Plan, run};
pub use image::Image;
pub use shape::Shape;
pub use verdict::judge;
pub use wound::{Sector, Wound};
