//! The values within a JSON text as they were written, byte for byte.
//!
//! An id is returned as the client wrote it, and an input is validated as its own text, with
//! numbers that no `f64` can represent. Therefore `serde_json` checks a message once, and this
//! module only splits it, without allocating or validating.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde::de::IgnoredAny;

/// A value within a valid JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RawJson<'t>(&'t str);

impl<'t> RawJson<'t> {
    /// Checks a JSON text.
    ///
    /// # Errors
    ///
    /// The first error of syntax. Nesting, the range of numbers and lone surrogates are not
    /// checked.
    pub(super) fn check(text: &'t str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<IgnoredAny>(text)?;
        Ok(Self(text.trim_ascii()))
    }

    /// Returns the text of the value, without white space around it.
    pub(super) fn as_str(self) -> &'t str {
        self.0
    }

    pub(super) fn is_object(self) -> bool {
        self.0.starts_with('{')
    }

    pub(super) fn is_array(self) -> bool {
        self.0.starts_with('[')
    }

    pub(super) fn is_null(self) -> bool {
        self.0 == "null"
    }

    pub(super) fn is_number(self) -> bool {
        self.0.starts_with(|first: char| first == '-' || first.is_ascii_digit())
    }

    pub(super) fn is_string(self) -> bool {
        self.0.starts_with('"')
    }

    /// Decodes a string; `None` for any other value.
    pub(super) fn to_text(self) -> Option<Cow<'t, str>> {
        let inner = self.0.strip_prefix('"')?.strip_suffix('"')?;
        if inner.contains('\\') {
            serde_json::from_str(self.0).ok().map(Cow::Owned)
        } else {
            Some(Cow::Borrowed(inner))
        }
    }

    /// Returns the items of an array; none for any other value.
    pub(super) fn items(self) -> Items<'t> {
        Items(Rest(self.0.strip_prefix('[').unwrap_or_default()))
    }

    /// Returns the members of an object, including repeated names; none for any other value.
    pub(super) fn members(self) -> RawMembers<'t> {
        RawMembers(Rest(self.0.strip_prefix('{').unwrap_or_default()))
    }
}

/// The items of an array.
pub(super) struct Items<'t>(Rest<'t>);

impl<'t> Iterator for Items<'t> {
    type Item = RawJson<'t>;

    fn next(&mut self) -> Option<RawJson<'t>> {
        self.0.value()
    }
}

/// The members of an object: each name, as it was written, and its value.
pub(super) struct RawMembers<'t>(Rest<'t>);

impl<'t> Iterator for RawMembers<'t> {
    type Item = (RawJson<'t>, RawJson<'t>);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.value().zip(self.0.value())
    }
}

/// The unread rest of an array or object.
struct Rest<'t>(&'t str);

impl<'t> Rest<'t> {
    /// Reads the next value, and the comma or colon before it.
    fn value(&mut self) -> Option<RawJson<'t>> {
        let rest = self.0.trim_ascii_start();
        let rest = rest.strip_prefix([',', ':']).unwrap_or(rest).trim_ascii_start();
        if rest.is_empty() || rest.starts_with([']', '}']) {
            return None;
        }
        let (value, rest) = rest.split_at_checked(length(rest.as_bytes()))?;
        self.0 = rest;
        Some(RawJson(value))
    }
}

/// Returns the length of the value with which `text` begins.
fn length(text: &[u8]) -> usize {
    let length = match text.first() {
        Some(b'"') => string(text),
        Some(b'{' | b'[') => nested(text),
        _ => text.iter().position(|byte| b",]} \t\n\r".contains(byte)).unwrap_or(text.len()),
    };
    length.min(text.len())
}

/// Returns the length of the string with which `text` begins.
fn string(text: &[u8]) -> usize {
    let mut position = 1;
    while let Some(byte) = text.get(position) {
        match byte {
            b'"' => return position + 1,
            b'\\' => position += 2,
            _ => position += 1,
        }
    }
    text.len()
}

/// Returns the length of the array or object with which `text` begins.
fn nested(text: &[u8]) -> usize {
    let (mut position, mut depth) = (0, 0_usize);
    while let Some(byte) = text.get(position) {
        position += match byte {
            b'"' => string(text.get(position..).unwrap_or_default()),
            _ => 1,
        };
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 1 => return position,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    text.len()
}
