//! The framing of a body as the fields of a head declare it (RFC 9112 §6): one `Content-Length`, or
//! one `Transfer-Encoding: chunked`.

use crate::edge::http::connection::framing::{
    scan::{Input, SPACE, TOKEN},
    violation::Violation,
    word::Word,
};

/// The framing of a request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyFraming {
    Length(u64),
    Chunked,
    /// Another transfer coding than `chunked`. Such a request is refused with its head alone.
    Unknown,
}

/// The part of a value that is one word, with whitespace around it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum WordPart {
    Before,
    Within,
    After,
}

/// The transfer codings of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Codings {
    None,
    Chunked,
    Other,
}

/// The fields of framing, as far as they were read.
pub(super) struct Declared {
    codings: Codings,
    length: Option<u64>,
}

impl Declared {
    pub(super) const fn new() -> Self {
        Self { codings: Codings::None, length: None }
    }

    /// Begins the value of a `Content-Length`, which must be the only one.
    pub(super) fn begin_length(&self) -> Result<WordPart, Violation> {
        if self.length.is_some() { Err(Violation::Length) } else { Ok(WordPart::Before) }
    }

    /// Reads bytes of the value of `Content-Length`: one number. Returns none behind the CR that
    /// ends it.
    pub(super) fn read_length(
        &mut self,
        part: WordPart,
        input: &mut Input<'_>,
    ) -> Result<Option<WordPart>, Violation> {
        let mut part = part;
        while let Some(next) = input.peek() {
            part = match part {
                WordPart::Before if next.is_ascii_digit() => {
                    self.length = Some(0);
                    WordPart::Within
                }
                WordPart::Within if next.is_ascii_digit() => {
                    let length = self.length.unwrap_or(0);
                    let length = appended(length, 10, u64::from(next - b'0'));
                    self.length = Some(length.ok_or(Violation::Length)?);
                    input.skip(1);
                    WordPart::Within
                }
                _ if next == b'\r' && part != WordPart::Before => {
                    input.skip(1);
                    return Ok(None);
                }
                _ if matches!(next, b' ' | b'\t') => {
                    input.take(SPACE);
                    if part == WordPart::Before { part } else { WordPart::After }
                }
                _ => return Err(Violation::Length),
            };
        }
        Ok(Some(part))
    }

    /// Reads bytes of the value of `Transfer-Encoding`. Anything but `chunked`, once, is another
    /// coding. Returns none where the value ends, or is recognised as another coding.
    pub(super) fn read_coding(
        &mut self,
        part: WordPart,
        word: &mut Word,
        input: &mut Input<'_>,
    ) -> Option<WordPart> {
        let mut part = part;
        while let Some(next) = input.peek() {
            part = match next {
                b' ' | b'\t' => {
                    input.take(SPACE);
                    if part == WordPart::Before { part } else { WordPart::After }
                }
                _ if part != WordPart::After => {
                    let piece = input.take(TOKEN);
                    word.push(piece);
                    if piece.is_empty() {
                        break;
                    }
                    WordPart::Within
                }
                _ => break,
            };
        }
        let Some(next) = input.peek() else { return Some(part) };
        let is_chunked = next == b'\r' && word.as_bytes().eq_ignore_ascii_case(b"chunked");
        self.codings = match self.codings {
            Codings::None if is_chunked => Codings::Chunked,
            _ => Codings::Other,
        };
        word.clear();
        None
    }

    /// Returns the framing of the body. `is_old` means HTTP/1.0.
    pub(super) fn framing(&self, is_old: bool) -> Result<BodyFraming, Violation> {
        match (self.codings, self.length) {
            (Codings::None, length) => Ok(BodyFraming::Length(length.unwrap_or(0))),
            (_, Some(_)) => Err(Violation::LengthAndCoding),
            _ if is_old => Err(Violation::OldCoding),
            (Codings::Chunked, None) => Ok(BodyFraming::Chunked),
            (Codings::Other, None) => Ok(BodyFraming::Unknown),
        }
    }
}

/// Appends a digit to a length. A length has 63 bits at most: with more, a program that counts in
/// signed numbers reads another one.
pub(super) fn appended(length: u64, radix: u64, digit: u64) -> Option<u64> {
    let length = length.checked_mul(radix)?.checked_add(digit)?;
    i64::try_from(length).is_ok().then_some(length)
}
