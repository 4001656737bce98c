//! What calls are called.

use std::{
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

use http::HeaderValue;

/// A name that nothing else has: 32 hexadecimal digits, the first twelve the time in milliseconds.
pub(crate) fn sortable_id() -> [u8; 32] {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let name = (since.map_or(0, |since| since.as_millis()) << 80) | (fastrand::u128(..) >> 48);
    let mut digits = [0; 32];
    for (place, digit) in digits.iter_mut().rev().enumerate() {
        *digit = b"0123456789abcdef"[(name >> (4 * place)) as usize & 15];
    }
    digits
}

/// The name of one call, in `X-Request-Id`, the log and the errors: the caller's own if it is sane, else ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The longest that a caller may choose, in bytes.
    pub const MAX_LEN: usize = 128;

    /// A new one: 32 hexadecimal digits, the first twelve the time in milliseconds, so that they sort by age.
    #[must_use]
    pub fn generate() -> Self {
        Self(HeaderValue::from_bytes(&sortable_id()).unwrap_or(HeaderValue::from_static("0")))
    }

    /// The caller's, if it is at most 128 characters out of letters, digits and `-_.:/+=`.
    #[must_use]
    pub fn from_header(value: &HeaderValue) -> Option<Self> {
        let bytes = value.as_bytes();
        let sane = |b: &u8| b.is_ascii_alphanumeric() || b"-_.:/+=".contains(b);
        (!bytes.is_empty() && bytes.len() <= Self::MAX_LEN && bytes.iter().all(sane))
            .then(|| Self(value.clone()))
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// As a header's value.
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
