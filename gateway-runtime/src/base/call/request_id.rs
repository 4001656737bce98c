//! Request ids: the value of `X-Request-Id` if it is valid, otherwise a new id that sorts by time.

use std::{
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

use http::HeaderValue;

/// Returns a unique id: 32 hexadecimal digits, of which the first twelve are the time in
/// milliseconds.
pub(crate) fn sortable_id() -> [u8; 32] {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let id = (since.map_or(0, |since| since.as_millis()) << 80) | (fastrand::u128(..) >> 48);
    let mut digits = [0; 32];
    for (position, digit) in digits.iter_mut().rev().enumerate() {
        *digit = b"0123456789abcdef"[(id >> (4 * position)) as usize & 15];
    }
    digits
}

/// The id of a call, in `X-Request-Id`, the log and the errors: the caller's own if it is valid,
/// otherwise a new one.
///
/// A service that calls another one by HTTP passes the id on:
///
/// ```
/// use gateway_runtime::RequestId;
/// use http::{HeaderMap, HeaderValue};
///
/// /// Adds the id to a request, so that both logs have the same.
/// fn pass_on(id: &RequestId, headers: &mut HeaderMap) {
///     headers.insert("x-request-id", id.header());
/// }
///
/// let mut headers = HeaderMap::new();
/// pass_on(&RequestId::generate(), &mut headers); // in a method: `call.id()`
///
/// // The other side accepts a valid id.
/// assert!(RequestId::from_header(&headers["x-request-id"]).is_some());
/// assert!(RequestId::from_header(&HeaderValue::from_static("not an id")).is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// Maximum length of a caller's id, in bytes.
    pub const MAX_LEN: usize = 128;

    /// Generates an id: 32 hexadecimal digits, of which the first twelve are the time in
    /// milliseconds, so that ids sort by age.
    #[must_use]
    pub fn generate() -> Self {
        Self(HeaderValue::from_bytes(&sortable_id()).unwrap_or(HeaderValue::from_static("0")))
    }

    /// Returns the caller's id, if it is at most 128 characters out of letters, digits and
    /// `-_.:/+=`.
    #[must_use]
    pub fn from_header(value: &HeaderValue) -> Option<Self> {
        let bytes = value.as_bytes();
        let is_valid = |b: &u8| b.is_ascii_alphanumeric() || b"-_.:/+=".contains(b);
        (!bytes.is_empty() && bytes.len() <= Self::MAX_LEN && bytes.iter().all(is_valid))
            .then(|| Self(value.clone()))
    }

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// Returns the id as the value of a header field.
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
