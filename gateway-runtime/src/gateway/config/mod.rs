//! The configuration: `gateway.toml`, then the credentials, the environment and the flags. It is
//! validated as a whole, and all problems are reported at once (SEMANTICS §12).
//!
//! `sources` reads the sources. `tree` merges them; in it `exclusive` keys replace each other, and
//! `origins` holds the source of each key. `credentials` opens the encrypted source and `flags`
//! parses the command line. `settings` is the tree with types, and `keys` lists the names of its
//! keys. `watched_file` reads the file again while the gateway runs, and `program` is the text of
//! `--help`.

mod credentials;
mod exclusive;
mod flags;
mod keys;
mod origins;
mod program;
mod read;
mod renamed;
mod settings;
mod sources;
mod tree;
mod watched_file;

pub use crate::gateway::config::credentials::Credentials;
pub(crate) use crate::gateway::config::{
    flags::{Action, Flags},
    origins::Origins,
    program::{help, program_name},
    settings::Settings,
    sources::Sources,
    tree::Tree,
    watched_file::ConfigFile,
};
