//! Credentials: encrypted settings in `credentials/{profile}.toml.age` (age-encryption.org/v1).
//! They are decrypted in memory, lie over the file and under the environment, and are never written
//! in clear by the gateway.
//!
//! A key file (lines `AGE-SECRET-KEY-1…`, as `age-keygen` writes them) or a passphrase opens them.

#[cfg(feature = "credentials")]
mod cipher;
#[cfg(not(feature = "credentials"))]
#[path = "cipher_absent.rs"]
mod cipher;
mod key;
mod settings;

use std::{
    fmt,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

pub(crate) use crate::gateway::config::credentials::settings::CredentialsSettings;
use crate::{
    base::{secret::Secret, start_error::StartError},
    gateway::config::{credentials::key::CredentialsKey, tree::Tree},
    json::section::parse_section,
};

/// The encrypted settings, as a command line reads and writes them.
#[derive(Clone)]
pub struct Credentials(CredentialsSettings);

impl Credentials {
    pub(in crate::gateway::config) fn of(tree: &Tree) -> Result<Self, StartError> {
        let read = parse_section("credentials", tree.section("credentials")).map(Self);
        read.map_err(|problems| {
            StartError::from_nonempty(problems).map(|problem| tree.origins().attributed(problem))
        })
    }

    /// Returns whether a key file or a passphrase is configured.
    #[must_use]
    pub fn has_key(&self) -> bool {
        self.0.key_file.is_some() || self.0.passphrase.is_some()
    }

    /// Replaces the passphrase.
    #[must_use]
    pub fn with_passphrase(self, passphrase: Secret) -> Self {
        Self(CredentialsSettings { passphrase: Some(passphrase), ..self.0 })
    }

    /// Returns the path of a profile.
    ///
    /// # Errors
    ///
    /// Returns an error if the profile's name could lead to another folder.
    pub fn path(&self, profile: &str) -> Result<PathBuf, StartError> {
        let is_sane = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
        if profile.is_empty() || !profile.bytes().all(is_sane) {
            return Err(StartError::new(
                "[credentials]: invalid name of a profile\nhelp: use letters, digits, `-` and `_`",
            ));
        }
        Ok(self.0.folder.join(format!("{profile}.toml.age")))
    }

    /// Decrypts the settings of a profile.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read, or if it was encrypted with another key.
    pub fn open(&self, profile: &str) -> Result<Secret, StartError> {
        let path = self.path(profile)?;
        let sealed =
            fs::read(&path).map_err(|error| file_error(&path, "cannot be read", &error))?;
        let text = cipher::open(&sealed, &self.key()?)
            .map_err(|error| file_error(&path, "cannot be opened", &error))?;
        Ok(text)
    }

    /// Encrypts settings and replaces those of the profile, atomically.
    ///
    /// # Errors
    ///
    /// Returns an error if the settings are no TOML (the message names the line and does not quote
    /// it), or if the file cannot be written.
    pub fn seal(&self, profile: &str, text: &Secret) -> Result<PathBuf, StartError> {
        let path = self.path(profile)?;
        Tree::from_toml(text.expose(), &format!("credentials of {profile}"))?;
        let sealed = cipher::seal(text, &self.key()?)
            .map_err(|error| file_error(&path, "cannot be encrypted", &error))?;
        replace(&path, &sealed).map_err(|error| file_error(&path, "cannot be written", &error))?;
        Ok(path)
    }

    /// Creates a key file at `path`, where no file may exist, and returns its public key.
    ///
    /// # Errors
    ///
    /// Returns an error if the file exists or cannot be written.
    pub fn new_key(path: &Path) -> Result<String, StartError> {
        let (secret, public) =
            cipher::new_key().map_err(|error| file_error(path, "cannot be created", &error))?;
        let text = format!("# public key: {public}\n{}\n", secret.expose());
        let mut options = OpenOptions::new();
        let written = options.write(true).create_new(true).mode(0o600).open(path);
        written
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .map_err(|error| file_error(path, "cannot be created", &error))?;
        Ok(public)
    }

    /// Decrypts the settings of the configured profile; `None` if no profile is configured.
    pub(in crate::gateway::config) fn configured(&self) -> Result<Option<Tree>, StartError> {
        let Some(profile) = &self.0.profile else { return Ok(None) };
        cipher::is_built().map_err(|why| {
            StartError::new(format!("`credentials.profile` in the configuration: {why}"))
        })?;
        let text = self.open(profile)?;
        Tree::from_toml(text.expose(), &self.path(profile)?.display().to_string()).map(Some)
    }

    fn key(&self) -> Result<CredentialsKey, StartError> {
        match (&self.0.key_file, &self.0.passphrase) {
            (Some(path), None) => match fs::read_to_string(path) {
                Ok(text) => Ok(CredentialsKey::File(Secret::new(text))),
                Err(error) => Err(file_error(path, "cannot be read", &error)),
            },
            (None, Some(passphrase)) => Ok(CredentialsKey::Passphrase(passphrase.clone())),
            (None, None) => Err(StartError::new(
                "[credentials]: no key is configured\n\
                 help: set `key_file`, or `GATEWAY__CREDENTIALS__PASSPHRASE` in the environment",
            )),
            (Some(_), Some(_)) => Err(StartError::new(
                "[credentials]: both `key_file` and a passphrase are set\nhelp: remove one of them",
            )),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn file_error(path: &Path, what: &str, why: &dyn fmt::Display) -> StartError {
    StartError::new(format!("`{}` {what}: {why}", path.display()))
}

/// Replaces a file with another of the same folder, once that one is on disk.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let beside = path.with_extension(format!("age.{}.new", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    let written = file
        .write_all(content)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // A file that could not replace the other is of no use.
        let _ = fs::remove_file(&beside);
    }
    written?;
    File::open(folder)?.sync_all()
}
