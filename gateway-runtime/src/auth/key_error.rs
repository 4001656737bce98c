//! The reasons for which a text is not a key that verifies tokens.

use std::{error::Error, fmt, io, path::PathBuf};

/// The reason for which a text is not a key that verifies tokens. No text contains any part of the
/// key.
#[derive(Debug)]
pub(super) enum KeyError {
    /// The secret is shorter than the hash of HS256.
    ShortSecret,
    /// The JSON Web Key has a private part.
    PrivateKey,
    /// The JSON Web Key is not for signatures.
    OtherUse,
    /// The `alg` of the JSON Web Key does not fit its type.
    OtherAlgorithm,
    /// The type of the key is not supported.
    OtherType,
    /// A member of the JSON Web Key is missing or not base64url.
    Member,
    /// The P-256 point is compressed, or has another length.
    EcPoint,
    /// The Ed25519 key has another length.
    Ed25519Length,
    /// The text is not a JSON Web Key.
    NotJwk,
    /// The text is neither a JSON Web Key nor a PEM of a public key.
    NotPem,
    /// The RSA key is too short or too long.
    RsaSize,
    /// The PEM does not contain a public key.
    NotPublicKey,
    /// The configuration has both `key` and `file`, or neither.
    KeyOrFile,
    /// The file of the key cannot be read.
    Unreadable {
        /// The configured path.
        file: PathBuf,
        /// The error of the file system.
        source: io::Error,
    },
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ShortSecret => {
                "an HS256 key must have at least 32 bytes\n\
                 help: generate one with `openssl rand -hex 32`"
            }
            Self::PrivateKey => "the key is a private key\nhelp: configure its public part alone",
            Self::OtherUse => "the key is not for verifying signatures (`use`, `key_ops`)",
            Self::OtherAlgorithm => {
                "the key is for another algorithm (`alg`) than RS256, ES256 or EdDSA"
            }
            Self::OtherType => "the key is neither an RSA, nor a P-256, nor an Ed25519 key",
            Self::Member => "a member of the key is missing or not base64url",
            Self::EcPoint => {
                "invalid EC public key: `x` and `y` are not an uncompressed P-256 point"
            }
            Self::Ed25519Length => "invalid Ed25519 key: it must have 32 bytes",
            Self::NotJwk => "the key is not a JSON Web Key (RFC 7517)",
            Self::NotPem => {
                "the key is neither a JSON Web Key nor PEM with `-----BEGIN PUBLIC KEY-----`"
            }
            Self::RsaSize => "an RSA key must have 2048 to 8192 bits",
            Self::NotPublicKey => "the PEM is not a public key",
            Self::KeyOrFile => "exactly one of `key` and `file` must be set",
            Self::Unreadable { file, .. } => {
                return write!(f, "the file `{}` cannot be read", file.display());
            }
        })
    }
}

impl Error for KeyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unreadable { source, .. } => Some(source),
            _ => None,
        }
    }
}
