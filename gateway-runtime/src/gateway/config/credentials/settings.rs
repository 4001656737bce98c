//! `[credentials]`: the place of encrypted settings, and the key that opens them.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::secret::Secret;

/// `[credentials]`: the place of encrypted settings, and the key that opens them.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CredentialsSettings {
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
