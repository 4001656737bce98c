//! The command line of an author's program.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use crate::{base::start_error::StartError, gateway::config::program::OPTIONS};

/// The action that the command line selects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Action {
    /// Serve until a signal stops the program.
    #[default]
    Serve,
    /// Print the services, methods and providers.
    List,
    /// Print the options.
    Help,
    /// Print the version.
    Version,
}

/// The parsed command line.
#[derive(Debug, Default)]
pub(crate) struct Flags {
    /// The selected action.
    pub(crate) action: Action,
    /// The path of `--config`.
    pub(crate) config: Option<PathBuf>,
    /// The keys and values of `--listen` and `--set`.
    pub(crate) set: Vec<(String, String)>,
}

impl Flags {
    /// Returns the path of the configuration file.
    pub(crate) fn file(&self) -> &Path {
        self.config.as_deref().unwrap_or(Path::new("gateway.toml"))
    }

    /// Parses the arguments, without the program's name.
    ///
    /// # Errors
    ///
    /// Names the argument that is invalid, and lists the options.
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
                let (key, value) = pair.split_once('=').ok_or(
                    "invalid value for `--set`\nhelp: write KEY=VALUE, such as `log.level=debug`",
                )?;
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
