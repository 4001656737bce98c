//! Percent-decoding (RFC 3986 §2.1), strict.

use std::borrow::Cow;

/// Decodes percent-encoding (RFC 3986 §2.1); `None` if it is broken or encodes no UTF-8.
pub(super) fn percent_decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut encoded = text.bytes();
    while let Some(byte) = encoded.next() {
        bytes.push(match byte {
            b'%' => 16 * hex_digit(encoded.next()?)? + hex_digit(encoded.next()?)?,
            other => other,
        });
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

fn hex_digit(byte: u8) -> Option<u8> {
    (byte as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
