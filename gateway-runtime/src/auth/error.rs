//! The errors of authentication: of credentials, and of the keys that check them.

use std::fmt;

use crate::{
    base::error::{Code, Error},
    provider::ProviderError,
};

/// Creates the error for invalid credentials. The client reads `reason`, so it never contains any
/// part of them.
pub(super) fn unauthenticated(reason: &'static str) -> Error {
    Error::new(Code::UNAUTHENTICATED, reason).with_challenge("Bearer error=\"invalid_token\"")
}

/// The reason for which a token is rejected. No text contains any part of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenError {
    /// The token is longer than the limit.
    TooLong,
    /// The token is not a JWS in compact form.
    Malformed,
    /// The header lists critical extensions (RFC 7515 §4.1.11).
    CriticalExtension,
    /// The header's `typ` is not that of an access token.
    OtherType,
    /// The header's `alg` is not supported.
    UnknownAlgorithm,
    /// No key verifies the signature.
    UnknownKey,
    /// The payload is not base64url.
    PayloadEncoding,
    /// The payload is not a JSON object, or repeats a member.
    Payload,
    /// `iss` is not a trusted issuer.
    Issuer,
    /// `aud` does not name this gateway.
    Audience,
    /// `exp` is missing.
    MissingExpiry,
    /// `exp` is not a NumericDate.
    Expiry,
    /// `exp` is in the past.
    Expired,
    /// `nbf` is not a NumericDate.
    NotBefore,
    /// `nbf` is in the future.
    NotYetValid,
    /// No claim names the account.
    MissingAccount,
    /// The account or the user is not a valid name.
    Name,
    /// The scopes are neither a string nor a list of strings.
    Scopes,
}

impl TokenError {
    /// Returns the reason as the client reads it.
    fn detail(self) -> &'static str {
        match self {
            Self::TooLong => "the token is too long",
            Self::Malformed => {
                "the token is not three parts of base64url, the first of them a JSON header"
            }
            Self::CriticalExtension => {
                "the token requires extensions (`crit`) that are not supported"
            }
            Self::OtherType => "the token's type (`typ`) is neither JWT nor at+jwt",
            Self::UnknownAlgorithm => {
                "the token's algorithm (`alg`) is not one of HS256, RS256, ES256 and EdDSA"
            }
            Self::UnknownKey => "the token's signature does not match any key of this gateway",
            Self::PayloadEncoding => "the token's claims are not base64url",
            Self::Payload => "the token's claims are not a JSON object, or have a duplicate",
            Self::Issuer => "the token's issuer (`iss`) is not trusted by this gateway",
            Self::Audience => "the token is not for this gateway (`aud`)",
            Self::MissingExpiry => "token has no `exp` claim",
            Self::Expiry => "the token's `exp` claim is not a time in seconds since 1970",
            Self::Expired => "the token has expired",
            Self::NotBefore => "the token's `nbf` claim is not a time in seconds since 1970",
            Self::NotYetValid => "the token is not valid yet",
            Self::MissingAccount => "the token has no claim for the account",
            Self::Name => {
                "the token's account or user is not a string of 1 to 255 bytes without control \
                 characters"
            }
            Self::Scopes => "the token's scopes are neither a string nor a list of strings",
        }
    }
}

/// Creates the client's error: `unauthenticated` with the reason. (`TokenError` does not implement
/// `std::error::Error`: every such error becomes `internal`.)
impl From<TokenError> for Error {
    fn from(error: TokenError) -> Self {
        unauthenticated(error.detail())
    }
}

/// The reason for which a JWKS could not be refreshed.
#[derive(Debug)]
pub(super) enum JwksError {
    /// The URL did not reply with a document.
    Fetch(ProviderError),
    /// The document is not a JSON Web Key Set.
    Parse(serde_json::Error),
    /// No key of the set is supported.
    NoUsableKey,
}

impl fmt::Display for JwksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetch(error) => error.fmt(f),
            Self::Parse(_) => f.write_str("the document is not a JSON Web Key Set"),
            Self::NoUsableKey => f.write_str("no key of the set is for RS256, ES256 or EdDSA"),
        }
    }
}

impl std::error::Error for JwksError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Parse(error) => Some(error),
            Self::Fetch(_) | Self::NoUsableKey => None,
        }
    }
}
