//! The credentials in the header fields of a request, not judged yet.

use http::{HeaderMap, HeaderName, header::AUTHORIZATION};

use crate::{auth::unauthenticated, base::error::Error};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// What a request brings.
#[derive(Default)]
pub(super) struct RequestCredentials<'r> {
    /// After `Bearer`.
    pub(super) token: Option<&'r str>,
    /// In `X-Api-Key`.
    pub(super) key: Option<&'r str>,
}

impl<'r> RequestCredentials<'r> {
    /// Those of a request.
    ///
    /// # Errors
    ///
    /// When a field is there twice (which of the two would a proxy have judged?), or is malformed.
    pub(super) fn read(headers: &'r HeaderMap) -> Result<Self, Error> {
        let token = single_value(headers, &AUTHORIZATION, "`Authorization` is there twice")?;
        let key = single_value(headers, &API_KEY, "`X-Api-Key` is there twice")?;
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
    value
        .to_str()
        .map(Some)
        .map_err(|_| unauthenticated("the credentials have characters that none can have"))
}

/// The token after the scheme (RFC 6750 §2.1), whose name is the same in any case (RFC 9110 §11.1).
fn bearer(value: &str) -> Result<&str, Error> {
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(unauthenticated("the one scheme that `Authorization` may have here is Bearer"));
    }
    Some(token.trim_start_matches(' '))
        .filter(|token| !token.is_empty())
        .ok_or_else(|| unauthenticated("`Bearer` has no token"))
}
