//! The configuration: `gateway.toml`, then the environment, then flags; judged as a whole, every problem at once.
//!
//! `sources` makes one tree of the three, `flags` reads the command line, `settings` is the tree with types.

mod flags;
mod settings;
mod sources;

pub use settings::Settings;
pub(crate) use {
    flags::{Action, Flags, HELP},
    sources::Tree,
};
