//! `gateway serve`: the arguments and the help.

use std::ffi::OsString;

use crate::command::{Command, Options};

pub(super) const HELP: &str = "  \
  serve [FILE]                      serve until SIGTERM or SIGINT, with the configuration in FILE
                                    or ./gateway.toml; the default command
";

/// Parses the words after `serve`; `None` if they are unknown.
pub(super) fn read(words: &[&str], options: Options) -> Option<Command> {
    let file = match words {
        [] => None,
        [file] => Some(*file),
        _ => return None,
    };
    let config = file.map(|file| ["--config".into(), OsString::from(file)]);
    Some(Command::Serve(config.into_iter().flatten().chain(options.into_rest()).collect()))
}
