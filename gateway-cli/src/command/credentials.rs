//! `gateway credentials`: the arguments and the help.

use std::path::PathBuf;

use crate::command::{Command, Options};

pub(super) const HELP: &str = if cfg!(feature = "credentials") {
    "  \
  credentials encrypt PROFILE       encrypt settings (TOML) from standard input, or from the file
                                    of --file FILE
  credentials decrypt PROFILE       print the settings of a profile
  credentials edit PROFILE          edit the settings of a profile with $VISUAL or $EDITOR
  credentials new-key FILE          create a key file; without one, a passphrase is the key
"
} else {
    ""
};

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CredentialsCommand {
    /// The encryption of a profile's settings from a file, or from standard input without one.
    Encrypt {
        profile: String,
        file: Option<PathBuf>,
    },
    Decrypt(String),
    Edit(String),
    NewKey(PathBuf),
}

/// Parses the words after `credentials`; `None` if they are unknown.
pub(super) fn read(words: &[&str], mut options: Options) -> Result<Option<Command>, String> {
    let command = match *words {
        ["encrypt", profile] => CredentialsCommand::Encrypt {
            profile: profile.to_owned(),
            file: options.take("--file")?.map(PathBuf::from),
        },
        ["decrypt", profile] => CredentialsCommand::Decrypt(profile.to_owned()),
        ["edit", profile] => CredentialsCommand::Edit(profile.to_owned()),
        ["new-key", file] => CredentialsCommand::NewKey(file.into()),
        _ => return Ok(None),
    };
    Ok(Some(Command::Credentials(command, options.into_rest())))
}
