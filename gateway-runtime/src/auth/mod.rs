//! Authentication: a JSON Web Token or an API key becomes a [`Caller`](crate::Caller), or an error.
//!
//! `authenticator` decides which credentials count, and `credentials` reads them from the header
//! fields. `jwt` parses a token and finds its key,
//! `verification_key` and `jwks` hold the keys, and `claims` checks what is signed. `api_key` holds
//! the keys of clients. `sealed_box` encrypts texts that only the same proofs open. No result for
//! one call is stored for another (SEMANTICS §4).

mod api_key;
mod authenticator;
mod claims;
mod credentials;
mod error;
mod jwks;
mod jwt;
mod key_error;
pub(crate) mod sealed_box;
mod settings;
#[cfg(test)]
mod tests;
mod verification_key;

pub(crate) use crate::auth::authenticator::Identity;
pub use crate::auth::{
    api_key::{ApiKey, ApiKeys, NewApiKey},
    authenticator::{AcceptedCredentials, Authenticator},
    settings::{ApiKeySettings, AuthSettings, JwtKeySettings, JwtSettings},
};
