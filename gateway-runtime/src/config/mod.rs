//! The configuration: `gateway.toml`, then the credentials, the environment, and flags; judged as a whole, every problem at
//! once.
//!
//! `sources` makes one tree of them, `credentials` opens the encrypted one, `flags` reads the command line, `settings` is the
//! tree with types, `file` looks at the file again while the gateway runs.

mod credentials;
mod file;
mod flags;
mod settings;
mod sources;

pub use credentials::{Credentials, CredentialsSettings};
pub use settings::{OwnSection, Settings};
pub(crate) use {
    file::ConfigFile,
    flags::{Action, Flags, HELP},
    sources::{Sources, Tree},
};
