//! One measurement, in a process of its own.

mod answer;
mod appends;
mod idle;
mod opening;
mod reads;
mod room;
mod stream;
mod tasks;

pub use answer::answer;
pub use stream::{BATCH_BYTES, Flow};
