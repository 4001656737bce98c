//! Characters that a log line must not contain as they are: terminals obey or hide them, and
//! viewers take some of them for the end of a line.

use std::{borrow::Cow, fmt::Write};

/// Returns whether a character is a control character beyond ASCII's first 32, ends a line in
/// JavaScript, or changes the direction of writing (Unicode's `Bidi_Control`).
fn is_deceptive(c: char) -> bool {
    matches!(
        c,
        '\u{7f}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
    )
}

/// Escapes a whole line of JSON. Such characters stand within its strings alone, and JSON escapes
/// the first 32 itself.
pub(super) fn escape_json(line: &str) -> Cow<'_, str> {
    if line.bytes().all(|byte| byte < 0x7f) || !line.contains(is_deceptive) {
        return Cow::Borrowed(line);
    }
    let mut escaped = String::with_capacity(line.len() + 32);
    for c in line.chars() {
        if is_deceptive(c) {
            // Writing to a string cannot fail. All these characters are of the Basic Multilingual
            // Plane.
            let _ = write!(escaped, "\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// Escapes text for a line that people read: `\n`, `\u{202e}`.
pub(super) fn escape_text(text: &str) -> Cow<'_, str> {
    let is_escaped = |c: char| c.is_control() || is_deceptive(c);
    if !text.contains(is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 32);
    for c in text.chars() {
        if is_escaped(c) {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECEPTIVE: &str = "\u{7f}\u{80}\u{9b}\u{9f}\u{61c}\u{200e}\u{200f}\u{2028}\
        \u{2029}\u{202a}\u{202e}\u{2066}\u{2069}";

    #[test]
    fn deceptive_characters_are_escaped_and_read_back_as_they_were() {
        let text = format!("{DECEPTIVE}\u{1b}[31m\r\nGrüße, 日本 🦀 \"");
        let json = serde_json::to_string(&text).unwrap();
        let escaped = escape_json(&json);
        assert!(!escaped.contains(is_deceptive), "{escaped}");
        assert!(escaped.contains("\\u202e") && escaped.contains("Grüße, 日本 🦀"), "{escaped}");
        assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), text);
        let readable = escape_text(&text);
        assert!(!readable.contains(|c: char| c.is_control() || is_deceptive(c)), "{readable}");
        assert!(
            readable.contains("\\u{202e}") && readable.contains("\\u{1b}[31m\\r\\nGrüße"),
            "{readable}"
        );
    }

    #[test]
    fn plain_lines_are_not_copied() {
        for line in ["plain", "Grüße, 日本 🦀"] {
            assert!(matches!(escape_json(line), Cow::Borrowed(_)));
            assert!(matches!(escape_text(line), Cow::Borrowed(_)));
        }
    }
}
