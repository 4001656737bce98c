//! Credentials: encrypted settings in `credentials/{profile}.toml.age` (age-encryption.org/v1).
//! They are decrypted in memory, lie over the file and under the environment, and are never written
//! in clear by the gateway.
//!
//! A key file (lines `AGE-SECRET-KEY-1…`, as `age-keygen` writes them) or a passphrase opens them.

use std::{
    ffi::OsString,
    fmt,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    base::{secret::Secret, start_error::StartError},
    gateway::config::{flags::Flags, sources::Sources, tree::Tree},
    json::section::parse_section,
};

/// `[credentials]`: the place of encrypted settings, and the key that opens them.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CredentialsSettings {
    /// The profile that is opened when the gateway starts: `{folder}/{profile}.toml.age`; none when
    /// left out.
    pub profile: Option<String>,
    /// The folder of the profiles: `credentials` in the working directory when left out.
    pub folder: PathBuf,
    /// The file with the key; excludes `passphrase`.
    pub key_file: Option<PathBuf>,
    /// The passphrase, which belongs in the environment: `GATEWAY__CREDENTIALS__PASSPHRASE`;
    /// excludes `key_file`.
    pub passphrase: Option<Secret>,
}

impl Default for CredentialsSettings {
    fn default() -> Self {
        Self { profile: None, folder: "credentials".into(), key_file: None, passphrase: None }
    }
}

/// The encrypted settings, as a command line reads and writes them.
#[derive(Clone)]
pub struct Credentials(CredentialsSettings);

impl Credentials {
    /// Reads `[credentials]` from the program's defaults, `gateway.toml`, the environment and these
    /// arguments.
    ///
    /// # Errors
    ///
    /// Returns an error if one of the sources cannot be read, or `[credentials]` is invalid.
    pub fn from_arguments_over(
        defaults: &str,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, StartError> {
        Self::of(&Sources::read(defaults, &Flags::parse(arguments)?)?.without_credentials())
    }

    pub(super) fn of(tree: &Tree) -> Result<Self, StartError> {
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
                "[credentials]: the name of a profile has letters, digits, `-` and `_`",
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
            cipher::new_key().map_err(|error| file_error(path, "cannot be made", &error))?;
        let text = format!("# public key: {public}\n{}\n", secret.expose());
        let mut options = OpenOptions::new();
        let written = options.write(true).create_new(true).mode(0o600).open(path);
        written
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .map_err(|error| file_error(path, "cannot be made", &error))?;
        Ok(public)
    }

    /// Decrypts the settings of the configured profile; `None` if no profile is configured.
    pub(super) fn configured(&self) -> Result<Option<Tree>, StartError> {
        let Some(profile) = &self.0.profile else { return Ok(None) };
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
                "[credentials]: nothing is there to open them with: set `key_file`, or \
                 GATEWAY__CREDENTIALS__PASSPHRASE in the \
                 environment",
            )),
            (Some(_), Some(_)) => Err(StartError::new(
                "[credentials] has both `key_file` and a passphrase: drop one of them",
            )),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The key that opens credentials.
#[cfg_attr(
    not(feature = "credentials"),
    expect(dead_code, reason = "there is nothing to open them with")
)]
enum CredentialsKey {
    File(Secret),
    Passphrase(Secret),
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

/// The encryption itself.
#[cfg(feature = "credentials")]
mod cipher {
    use age::{
        Decryptor, Encryptor, Identity, Recipient, scrypt,
        secrecy::{ExposeSecret, SecretString},
        x25519,
    };
    use std::io::{Read, Write};

    use super::{CredentialsKey, Secret};

    /// The maximum of rounds of a passphrase, as a power of two. A passphrase that takes 2²² rounds
    /// was sealed on a machine 16 times as fast as most are now; one that takes more is not tried.
    const MAX_WORK_FACTOR: u8 = 22;

    fn identities(key: &CredentialsKey) -> Result<Vec<Box<dyn Identity>>, String> {
        match key {
            CredentialsKey::Passphrase(passphrase) => {
                let mut identity = scrypt::Identity::new(SecretString::from(passphrase.expose()));
                identity.set_max_work_factor(MAX_WORK_FACTOR);
                Ok(vec![Box::new(identity)])
            }
            CredentialsKey::File(text) => {
                Ok(keys(text)?.into_iter().map(|key| Box::new(key) as Box<dyn Identity>).collect())
            }
        }
    }

    fn recipients(key: &CredentialsKey) -> Result<Vec<Box<dyn Recipient>>, String> {
        match key {
            CredentialsKey::Passphrase(passphrase) => {
                Ok(vec![Box::new(scrypt::Recipient::new(SecretString::from(passphrase.expose())))])
            }
            CredentialsKey::File(text) => Ok(keys(text)?
                .into_iter()
                .map(|key| Box::new(key.to_public()) as Box<dyn Recipient>)
                .collect()),
        }
    }

    /// Parses the keys of a key file; comments and empty lines are skipped.
    fn keys(text: &Secret) -> Result<Vec<x25519::Identity>, String> {
        let lines =
            text.expose().lines().enumerate().map(|(number, line)| (number + 1, line.trim()));
        let keys = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let key = |(number, line): (usize, &str)| {
            line.parse().map_err(|_| {
                format!("line {number} of the key file is no key such as `age-keygen` writes")
            })
        };
        let keys: Vec<_> = keys.map(key).collect::<Result<_, _>>()?;
        if keys.is_empty() { Err("the key file holds no key".to_owned()) } else { Ok(keys) }
    }

    pub(super) fn open(sealed: &[u8], key: &CredentialsKey) -> Result<Secret, String> {
        let told = |error: age::DecryptError| match error {
            age::DecryptError::NoMatchingKeys | age::DecryptError::DecryptionFailed => {
                "it was encrypted with another key or passphrase".to_owned()
            }
            other => other.to_string(),
        };
        let identities = identities(key)?;
        let decryptor = Decryptor::new_buffered(sealed).map_err(told)?;
        let mut reader = decryptor.decrypt(identities.iter().map(|it| &**it)).map_err(told)?;
        let mut text = String::new();
        let read = reader.read_to_string(&mut text);
        let text = Secret::new(text);
        read.map(|_| text).map_err(|error| error.to_string())
    }

    pub(super) fn seal(text: &Secret, key: &CredentialsKey) -> Result<Vec<u8>, String> {
        let recipients = recipients(key)?;
        let encryptor = Encryptor::with_recipients(recipients.iter().map(|it| &**it))
            .map_err(|error| error.to_string())?;
        let mut sealed = Vec::new();
        let written = encryptor.wrap_output(&mut sealed).and_then(|mut writer| {
            writer.write_all(text.expose().as_bytes())?;
            writer.finish().map(drop)
        });
        written.map(|()| sealed).map_err(|error| error.to_string())
    }

    pub(super) fn new_key() -> Result<(Secret, String), String> {
        let key = x25519::Identity::generate();
        let public = key.to_public().to_string();
        Ok((Secret::new(key.to_string().expose_secret()), public))
    }
}

/// The stand-in of the encryption in a program that was built without it.
#[cfg(not(feature = "credentials"))]
mod cipher {
    use super::{CredentialsKey, Secret};

    const ABSENT: &str = "this program was built without encrypted credentials: add `features = \
                          [\"credentials\"]` to \
                          gateway-runtime in Cargo.toml";

    pub(super) fn open(_: &[u8], _: &CredentialsKey) -> Result<Secret, String> {
        Err(ABSENT.to_owned())
    }

    pub(super) fn seal(_: &Secret, _: &CredentialsKey) -> Result<Vec<u8>, String> {
        Err(ABSENT.to_owned())
    }

    pub(super) fn new_key() -> Result<(Secret, String), String> {
        Err(ABSENT.to_owned())
    }
}
