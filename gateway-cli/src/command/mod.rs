//! The parser of the arguments. The command comes first; options follow: the command's own, and
//! those of the configuration, which the gateway parses.
//!
//! Each command has a file with its help, its parser and its type:
//!
//! - `serve`: the gateway itself, also without a command.
//! - `db`: the migrations of the database.
//! - `credentials`: settings in an encrypted file.
//! - `help`: the text of `--help`, made of theirs.
//! - `options`: the options, from which a command takes its own.

mod credentials;
mod db;
mod help;
mod options;
mod serve;

#[cfg(test)]
mod tests;

use std::ffi::OsString;

use self::options::Options;
pub(crate) use self::{
    credentials::CredentialsCommand,
    db::DbCommand,
    help::{help, program_name},
};

/// A command with its options of the configuration.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Serve(Vec<OsString>),
    Db(DbCommand, Vec<OsString>),
    Credentials(CredentialsCommand, Vec<OsString>),
}

impl Command {
    /// Parses the arguments.
    ///
    /// # Errors
    ///
    /// Fails for an unknown command, with the usage, and for an invalid option.
    pub(crate) fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut words = Vec::new();
        let mut arguments = arguments.into_iter().peekable();
        while let Some(word) =
            arguments.next_if(|argument| !argument.to_string_lossy().starts_with('-'))
        {
            words.push(word.into_string().map_err(|word| {
                format!("the argument `{}` is not UTF-8", word.to_string_lossy())
            })?);
        }
        let options = Options::new(arguments);
        if options.has("--help") || options.has("-h") {
            return Ok(Self::Help);
        }
        if options.has("--version") || options.has("-V") {
            return Ok(Self::Serve(vec!["--version".into()]));
        }
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let command = match words.as_slice() {
            [] => Some(Self::Serve(options.into_rest())),
            ["help"] => Some(Self::Help),
            ["serve", rest @ ..] => serve::read(rest, options),
            ["db", rest @ ..] => db::read(rest, options)?,
            ["credentials", rest @ ..] => credentials::read(rest, options)?,
            _ => None,
        };
        command.ok_or_else(|| unknown(&words))
    }
}

fn unknown(words: &[&str]) -> String {
    format!("unknown command `{}`\n\n{}", words.join(" "), help(&program_name()))
}
