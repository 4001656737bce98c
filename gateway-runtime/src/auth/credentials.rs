//! The credentials in the header fields of a request, not yet checked.

use http::{HeaderMap, HeaderName, header::AUTHORIZATION};

use crate::{auth::error::unauthenticated, base::error::Error};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The credentials of a request.
#[derive(Default)]
pub(super) struct RequestCredentials<'r> {
    /// The token after `Bearer` in `Authorization`.
    pub(super) token: Option<&'r str>,
    /// The API key in `X-Api-Key`.
    pub(super) key: Option<&'r str>,
}

impl<'r> RequestCredentials<'r> {
    /// Reads the credentials from the header fields.
    ///
    /// # Errors
    ///
    /// `unauthenticated` if a field is malformed, or repeated: a proxy may have checked either
    /// value.
    pub(super) fn read(headers: &'r HeaderMap) -> Result<Self, Error> {
        let token = single_value(headers, &AUTHORIZATION, "duplicate header `Authorization`")?;
        let key = single_value(headers, &API_KEY, "duplicate header `X-Api-Key`")?;
        Ok(Self { token: token.map(bearer).transpose()?, key })
    }
}

fn single_value<'r>(
    headers: &'r HeaderMap,
    name: &HeaderName,
    twice: &'static str,
) -> Result<Option<&'r str>, Error> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(unauthenticated(twice));
    }
    value.to_str().map(Some).map_err(|_| unauthenticated("the credentials have invalid characters"))
}

/// Returns the token after the scheme (RFC 6750 §2.1); the scheme's name is case-insensitive (RFC
/// 9110 §11.1).
fn bearer(value: &str) -> Result<&str, Error> {
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(unauthenticated("unsupported scheme in `Authorization`; use Bearer"));
    }
    Some(token.trim_start_matches(' '))
        .filter(|token| !token.is_empty())
        .ok_or_else(|| unauthenticated("`Bearer` has no token"))
}
