//! The stand-in of the encryption in a program that was built without it.

use crate::{base::secret::Secret, gateway::config::credentials::key::CredentialsKey};

const ABSENT: &str = "this program was built without encrypted credentials\n\
                      help: add the feature `credentials` to gateway-runtime in Cargo.toml";

/// Fails always.
pub(super) fn is_built() -> Result<(), &'static str> {
    Err(ABSENT)
}

pub(super) fn open(_: &[u8], _: &CredentialsKey) -> Result<Secret, String> {
    Err(ABSENT.to_owned())
}

pub(super) fn seal(_: &Secret, _: &CredentialsKey) -> Result<Vec<u8>, String> {
    Err(ABSENT.to_owned())
}

pub(super) fn new_key() -> Result<(Secret, String), String> {
    Err(ABSENT.to_owned())
}
