//! Charts of the rows, as SVG.

mod bars;
mod charts;
mod lines;
mod palette;

pub use charts::{all, file_name};
