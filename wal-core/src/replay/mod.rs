//! Replay: every record in order to a callback, by one thread or by several.

mod in_order;
mod parallel;
mod range;
mod sequential;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod verified;

pub use parallel::ReplayOptions;
pub(crate) use parallel::replay_parallel;
pub(crate) use sequential::replay;
