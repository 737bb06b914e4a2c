//! One file per subcommand: its arguments and what it does.

pub mod append;
pub mod bench;
pub mod cat;
pub mod copy;
pub mod dispatch;
pub mod export;
pub mod follow;
pub mod get;
pub mod import;
pub mod info;
pub mod repair;
pub mod set;
pub mod trim;
pub mod truncate;
pub mod verify;

pub use dispatch::run;
