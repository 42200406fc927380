//! Crashes: a disk that forgets what was not synced, processes to kill, and memories of what they acknowledged.
//!
//! A kill alone never tests a sync: the operating system outlives the process and writes what was never synced. So the
//! process under test runs over [`DropSync`], and what is checked after the kill is the disk that a power cut would have left.

pub mod client;
mod dropsync;
mod image;
mod process;
mod random;
pub mod workload;

pub use dropsync::DropSync;
pub use image::{copy_tree, torn};
pub use process::Victim;
pub use random::{Random, seed};

/// A number from the environment, for longer runs than usual.
///
/// Panics if the variable holds no number.
pub fn number_from_env(name: &str, default: u64) -> u64 {
    let Ok(text) = std::env::var(name) else { return default };
    text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number"))
}
