//! Power cuts of a virtual machine: a kernel that is not the one of this machine runs a log on a
//! disk, is killed at any moment, and the next machine opens what the disk has kept.
//!
//! Nothing of the guest survives but its disk, which this process serves over the protocol of
//! network block devices ([`server`]). Like a real one it has a volatile cache ([`disk`]): of what
//! was written since the last flush, a cut keeps all, nothing, or any part. The guest's first
//! process ([`guest`]) is the program that runs the rung. It says through a port of the machine,
//! byte by byte, what it begins and what is acknowledged ([`told`]), and the chain of the cuts of
//! a disk is held against that ([`history`]).

mod archive;
mod campaign;
mod chain;
mod command;
mod disk;
mod guest;
mod history;
mod home;
mod kernel;
mod machine;
mod order;
mod picture;
mod port;
mod server;
mod told;
mod watch;

pub use command::main;
