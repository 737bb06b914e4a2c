//! Long histories of a log with every fault there is, from a seed.

mod act;
mod campaign;
mod history;
mod loss;
mod media;
mod player;
mod probe;
mod shrink;
mod step;

pub use campaign::{Campaign, replay};
pub use history::History;
pub use player::{Failure, Played, play};
pub use step::Step;
