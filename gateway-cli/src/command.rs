//! The parser of the arguments. The command comes first; options follow: the command's own, and
//! those of the configuration, which the gateway parses.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

/// Returns the text of `--help` for a program of this name.
pub(crate) fn help(program: &str) -> String {
    let db = "  db status                         print which migrations the database has
  db migrate [--owner NAME --to N]  apply those that it lacks; or bring one owner's (gateway) to a \
  version, forward or back
";
    let credentials =
        "  credentials encrypt PROFILE       encrypt settings (TOML) from standard input, or from \
         --file FILE
  credentials decrypt PROFILE       print them
  credentials edit PROFILE          edit them with $VISUAL or $EDITOR
  credentials new-key FILE          make a key file; without one a passphrase is asked for
";
    let credentials = if cfg!(feature = "credentials") { credentials } else { "" };
    format!(
        "\
Usage: {program} [COMMAND] [OPTIONS]

Commands:
  serve [FILE]                      serve until SIGTERM or SIGINT, as FILE says, or \
  ./gateway.toml; also without a command
{db}{credentials}
Options of all of them:
  --config FILE      read this file instead of ./gateway.toml
  --set KEY=VALUE    set one key of the configuration, such as store.path=gateway.db; may be \
  repeated
  --listen ADDRESS   listen here instead of http.listen
  --list             print what is registered: services, methods, providers; then stop
  -V, --version      print the program's version; then stop
  -h, --help         print this; then stop

The configuration: the file, then credentials, then GATEWAY__SECTION__KEY from the environment, \
then these options."
    )
}

/// Returns the name under which the program was started.
pub(crate) fn program_name() -> String {
    let argument = std::env::args_os().next().unwrap_or_default();
    let name = Path::new(&argument).file_name().map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| "gateway".to_owned())
}

/// A command with its options of the configuration.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Serve(Vec<OsString>),
    Db(DbCommand, Vec<OsString>),
    Credentials(CredentialsCommand, Vec<OsString>),
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum DbCommand {
    Status,
    Migrate,
    /// A migration of one owner to a version, forward or back.
    MigrateTo(String, i64),
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CredentialsCommand {
    /// The encryption of a profile's settings from a file, or from standard input without one.
    Encrypt(String, Option<PathBuf>),
    Decrypt(String),
    Edit(String),
    NewKey(PathBuf),
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
            words.push(
                word.into_string()
                    .map_err(|word| format!("`{}` is not understood", word.to_string_lossy()))?,
            );
        }
        let mut options = Options(arguments.collect());
        if options.0.iter().any(|option| option == "--help" || option == "-h") {
            return Ok(Self::Help);
        }
        if options.0.iter().any(|option| option == "--version" || option == "-V") {
            return Ok(Self::Serve(vec!["--version".into()]));
        }
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let command = match words.as_slice() {
            [] | ["serve"] => Self::Serve(options.0),
            ["serve", file] => Self::Serve(
                [OsString::from("--config"), file.into()].into_iter().chain(options.0).collect(),
            ),
            ["help"] => Self::Help,
            ["db", "status"] => Self::Db(DbCommand::Status, options.0),
            ["db", "migrate"] => Self::Db(migrate(&mut options)?, options.0),
            ["credentials", "encrypt", profile] => {
                let file = options.take("--file")?.map(PathBuf::from);
                Self::Credentials(
                    CredentialsCommand::Encrypt((*profile).to_owned(), file),
                    options.0,
                )
            }
            ["credentials", "decrypt", profile] => {
                Self::Credentials(CredentialsCommand::Decrypt((*profile).to_owned()), options.0)
            }
            ["credentials", "edit", profile] => {
                Self::Credentials(CredentialsCommand::Edit((*profile).to_owned()), options.0)
            }
            ["credentials", "new-key", file] => {
                Self::Credentials(CredentialsCommand::NewKey(file.into()), options.0)
            }
            other => {
                return Err(format!(
                    "`{}` is not understood; there is:\n\n{}",
                    other.join(" "),
                    help(&program_name())
                ));
            }
        };
        Ok(command)
    }
}

fn migrate(options: &mut Options) -> Result<DbCommand, String> {
    let owner = options.take("--owner")?;
    let Some(to) = options.take("--to")? else {
        return match owner {
            None => Ok(DbCommand::Migrate),
            Some(_) => {
                Err("--owner says whose migrations `--to` is about, and wants it beside it"
                    .to_owned())
            }
        };
    };
    let version = to.parse().ok().filter(|version| *version >= 0);
    let version = version.ok_or_else(|| {
        format!(
            "invalid value `{to}` for `--to`\nhelp: use the version of a \
                                migration, or 0"
        )
    })?;
    Ok(DbCommand::MigrateTo(owner.unwrap_or_else(|| "gateway".to_owned()), version))
}

/// The options, from which a command takes its own.
struct Options(Vec<OsString>);

impl Options {
    /// Takes the value of an option out (`--to 1`, `--to=1`).
    fn take(&mut self, name: &str) -> Result<Option<String>, String> {
        let is_it = |option: &OsString| {
            option
                .to_str()
                .and_then(|text| text.strip_prefix(name))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        };
        let Some(at) = self.0.iter().position(is_it) else { return Ok(None) };
        let option = self.0.remove(at);
        let value = match option.to_string_lossy().split_once('=') {
            Some((_, value)) => value.to_owned(),
            None if at < self.0.len() => self.0.remove(at).to_string_lossy().into_owned(),
            None => return Err(format!("{name} wants a value")),
        };
        if self.0.iter().any(is_it) {
            Err(format!("{name} is given twice"))
        } else {
            Ok(Some(value))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Command, String> {
        Command::read(line.split_whitespace().map(OsString::from))
    }

    fn options(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn words_come_first_and_options_are_passed_on() {
        assert_eq!(read("").unwrap(), Command::Serve(vec![]));
        assert_eq!(
            read("--listen 127.0.0.1:1 --list").unwrap(),
            Command::Serve(options("--listen 127.0.0.1:1 --list"))
        );
        assert_eq!(read("serve --config a").unwrap(), Command::Serve(options("--config a")));
        assert_eq!(
            read("serve a.toml --list").unwrap(),
            Command::Serve(options("--config a.toml --list"))
        );
        assert_eq!(
            read("db status --set a=b").unwrap(),
            Command::Db(DbCommand::Status, options("--set a=b"))
        );
        assert_eq!(read("db migrate").unwrap(), Command::Db(DbCommand::Migrate, vec![]));
        let to = |owner: &str, version| {
            Command::Db(DbCommand::MigrateTo(owner.to_owned(), version), options("--config a"))
        };
        assert_eq!(read("db migrate --to 1 --config a").unwrap(), to("gateway", 1));
        assert_eq!(read("db migrate --config a --to=0 --owner till").unwrap(), to("till", 0));
        let encrypt = CredentialsCommand::Encrypt("live".to_owned(), Some("a.toml".into()));
        assert_eq!(
            read("credentials encrypt live --file a.toml").unwrap(),
            Command::Credentials(encrypt, vec![])
        );
        assert_eq!(read("db migrate --help").unwrap(), Command::Help);
        assert_eq!(read("db status -V").unwrap(), Command::Serve(options("--version")));
    }

    #[test]
    fn unknown_arguments_are_refused_with_a_reason() {
        for (line, told) in [
            ("db", "`db` is not understood"),
            ("db drop", "`db drop` is not understood"),
            ("credentials edit", "not understood"),
            ("db migrate --to", "--to wants a value"),
            ("db migrate --to x", "and not `x`"),
            ("db migrate --to -1", "and not `-1`"),
            ("db migrate --to 1 --to 2", "given twice"),
            ("db migrate --owner a", "wants it beside it"),
        ] {
            let error = read(line).unwrap_err();
            assert!(error.contains(told), "{line}: {error}");
        }
    }
}
