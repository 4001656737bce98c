//! The country of a client, as the proxy in front of the gateway reports it.

use std::fmt;

/// A country, by a code of the form of ISO 3166-1 alpha-2.
///
/// Only the form is checked, not the list: user-assigned codes such as `XK` (Kosovo) stay usable.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

impl Country {
    /// Returns the country of two letters in either case; `None` for anything else, and for `XX`,
    /// which means unknown.
    #[must_use]
    pub const fn from_code(code: &str) -> Option<Self> {
        match code.as_bytes() {
            [b'x' | b'X', b'x' | b'X'] => None,
            [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                Some(Self([a.to_ascii_uppercase(), b.to_ascii_uppercase()]))
            }
            _ => None,
        }
    }

    /// Returns the code, such as `DE`.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn country_code_is_two_letters() {
        assert_eq!(Country::from_code("de").unwrap().code(), "DE");
        for code in ["", "D", "DEU", "T1", "XX", "xx", "Ä", "D "] {
            assert_eq!(Country::from_code(code), None, "{code:?}");
        }
    }
}
