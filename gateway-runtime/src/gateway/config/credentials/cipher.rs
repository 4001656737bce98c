//! The encryption of credentials: age v1, for a key file or a passphrase.

use std::io::{Read, Write};

use age::{
    Decryptor, Encryptor, Identity, Recipient, scrypt,
    secrecy::{ExposeSecret, SecretString},
    x25519,
};

use crate::{base::secret::Secret, gateway::config::credentials::key::CredentialsKey};

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
    let lines = text.expose().lines().enumerate().map(|(number, line)| (number + 1, line.trim()));
    let keys = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let key = |(number, line): (usize, &str)| {
        line.parse().map_err(|_| format!("line {number} of the key file is not an age secret key"))
    };
    let keys: Vec<_> = keys.map(key).collect::<Result<_, _>>()?;
    if keys.is_empty() { Err("the key file has no key".to_owned()) } else { Ok(keys) }
}

/// Returns whether this program can open credentials.
#[expect(clippy::unnecessary_wraps, reason = "as without the feature `credentials`")]
pub(super) fn is_built() -> Result<(), &'static str> {
    Ok(())
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
