//! The command line of an author's program.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use crate::{base::start_error::StartError, gateway::config::program::OPTIONS};

/// What the program is asked to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Action {
    /// Serve until told to stop.
    #[default]
    Serve,
    /// Print what is registered.
    List,
    /// Print the options.
    Help,
    /// Print the version.
    Version,
}

/// The command line, read.
#[derive(Debug, Default)]
pub(crate) struct Flags {
    /// What to do.
    pub(crate) action: Action,
    /// `--config`.
    pub(crate) config: Option<PathBuf>,
    /// `--listen` and `--set`, as keys and values.
    pub(crate) set: Vec<(String, String)>,
}

impl Flags {
    /// The file of the configuration.
    pub(crate) fn file(&self) -> &Path {
        self.config.as_deref().unwrap_or(Path::new("gateway.toml"))
    }

    /// Reads the arguments, the program's name left out.
    ///
    /// # Errors
    ///
    /// Names what is not understood, and prints what is.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, StartError> {
        read(arguments).map_err(|error| StartError::new(format!("{error}\n\n{OPTIONS}")))
    }
}

fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Flags, lexopt::Error> {
    use lexopt::{
        Arg::{Long, Short},
        ValueExt,
    };
    let mut flags = Flags::default();
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("config") => flags.config = Some(parser.value()?.into()),
            Long("listen") => flags.set.push(("http.listen".to_owned(), parser.value()?.string()?)),
            Long("set") => {
                let pair = parser.value()?.string()?;
                let (key, value) =
                    pair.split_once('=').ok_or("--set wants KEY=VALUE, such as log.level=debug")?;
                flags.set.push((key.to_owned(), value.to_owned()));
            }
            Long("list") => flags.action = Action::List,
            Long("help") | Short('h') => flags.action = Action::Help,
            Long("version") | Short('V') => flags.action = Action::Version,
            other => return Err(other.unexpected()),
        }
    }
    Ok(flags)
}
