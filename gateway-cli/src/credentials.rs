//! `gateway credentials`: settings in an encrypted file (SEMANTICS §12).

use std::{
    ffi::OsString,
    io::{self, IsTerminal, Read, Write},
    path::Path,
};

use gateway_runtime::{Credentials, Secret};
use zeroize::Zeroizing;

use crate::{command::CredentialsCommand, editor, print, render_problem};

pub(crate) fn execute(
    defaults: &str,
    command: CredentialsCommand,
    options: Vec<OsString>,
) -> Result<(), String> {
    let credentials =
        || Credentials::from_arguments_over(defaults, options).map_err(render_problem);
    match command {
        CredentialsCommand::NewKey(path) => {
            let public = Credentials::new_key(&path).map_err(render_problem)?;
            print(&format!(
                "{}: created; keep the file secret, its public key is {public}",
                path.display()
            ))
        }
        CredentialsCommand::Encrypt { profile, file } => {
            let text = input(file.as_deref())?;
            seal(&with_key(credentials()?, true)?, &profile, &text)
        }
        CredentialsCommand::Decrypt(profile) => {
            let text = with_key(credentials()?, false)?.open(&profile).map_err(render_problem)?;
            let written = io::stdout().lock().write_all(text.expose().as_bytes());
            written.map_err(|error| format!("cannot write to standard output: {error}"))
        }
        CredentialsCommand::Edit(profile) => edit(credentials()?, &profile),
    }
}

fn seal(credentials: &Credentials, profile: &str, text: &Secret) -> Result<(), String> {
    let path = credentials.seal(profile, text).map_err(render_problem)?;
    print(&format!("{}: written", path.display()))
}

/// Edits the profile's file, or creates one.
fn edit(credentials: Credentials, profile: &str) -> Result<(), String> {
    let is_there = credentials.path(profile).map_err(render_problem)?.exists();
    let credentials = with_key(credentials, !is_there)?;
    let before =
        if is_there { credentials.open(profile).map_err(render_problem)? } else { Secret::new("") };
    let file = editor::PrivateFile::with(&before)?;
    loop {
        let after = file.edit()?;
        if after.expose() == before.expose() {
            return print("nothing was changed");
        }
        let Err(error) = seal(&credentials, profile, &after) else { return Ok(()) };
        if !io::stdin().is_terminal() {
            return Err(error);
        }
        // On failure the edited text would be lost, so the editor can be opened again.
        print(&format!("{error}\nPress Enter to edit again, or Ctrl-D to discard the changes."))?;
        let mut line = String::new();
        if io::stdin().read_line(&mut line).map_err(|error| error.to_string())? == 0 {
            return Err("nothing was changed".to_owned());
        }
    }
}

/// Adds a passphrase from the terminal if no key is configured; a new passphrase must be entered
/// twice.
fn with_key(credentials: Credentials, is_new: bool) -> Result<Credentials, String> {
    if credentials.has_key() || !io::stdin().is_terminal() {
        return Ok(credentials);
    }
    let passphrase = ask("Passphrase: ")?;
    if is_new && ask("Repeat the passphrase: ")?.expose() != passphrase.expose() {
        return Err("the passphrases differ".to_owned());
    }
    if passphrase.expose().is_empty() {
        return Err(
            "the passphrase is empty\nhelp: enter one, or set `credentials.key_file`".to_owned()
        );
    }
    Ok(credentials.with_passphrase(passphrase))
}

fn ask(question: &str) -> Result<Secret, String> {
    rpassword::prompt_password(question)
        .map(Secret::new)
        .map_err(|error| format!("cannot read a passphrase: {error}"))
}

/// Reads all of a file, or of standard input.
fn input(file: Option<&Path>) -> Result<Secret, String> {
    let mut bytes = Zeroizing::new(Vec::new());
    match file {
        Some(path) => {
            let read = std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes));
            read.map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
        }
        None => {
            let read = io::stdin().lock().read_to_end(&mut bytes);
            read.map_err(|error| format!("cannot read standard input: {error}"))?;
        }
    }
    std::str::from_utf8(&bytes)
        .map(Secret::new)
        .map_err(|_| "the settings are not UTF-8".to_owned())
}
