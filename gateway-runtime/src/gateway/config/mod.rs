//! The configuration: `gateway.toml`, then the credentials, the environment, and flags; judged as a whole, every problem at
//! once.
//!
//! `sources` reads them, `tree` makes one tree of them, in which `exclusive` keys replace each other and `origins` says where each came from.
//! `credentials` opens the encrypted source, `flags` reads the command line, `settings` is the tree with types, whose names
//! `keys` lists. `file` reads the file again while the gateway runs, and `program` is what `--help` prints.

mod credentials;
mod exclusive;
mod flags;
mod keys;
mod origins;
mod program;
mod settings;
mod sources;
mod tree;
mod watched_file;

pub use crate::gateway::config::{
    credentials::{Credentials, CredentialsSettings},
    settings::{RawSection, Settings},
};
pub(crate) use crate::gateway::config::{
    flags::{Action, Flags},
    origins::Origins,
    program::{help, program_name},
    sources::Sources,
    tree::Tree,
    watched_file::ConfigFile,
};
