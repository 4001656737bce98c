//! The head of a request: its request line (RFC 9112 §3) and its fields (§5).

use crate::edge::http::connection::framing::{
    declared::{BodyFraming, Declared, WordPart},
    scan::{Input, TOKEN},
    violation::Violation,
    word::Word,
};

/// The part of a head that the next byte belongs to.
#[derive(Clone, Copy)]
enum Part {
    /// Before the request line, where empty lines may stand.
    Start,
    EmptyLineLf,
    Method,
    TargetStart,
    Target,
    Version,
    FieldStart,
    Name,
    Value,
    Length(WordPart),
    Coding(WordPart),
    LineLf,
    LastLf,
}

/// A head, as far as it was read.
pub(super) struct Head {
    part: Part,
    /// The bytes of a method, a version, a field name or a coding so far.
    word: Word,
    is_old: bool,
    /// The target is no path.
    is_bare: bool,
    offers_upgrade: bool,
    declared: Declared,
}

impl Head {
    pub(super) const fn new() -> Self {
        Self {
            part: Part::Start,
            word: Word::new(),
            is_old: false,
            is_bare: false,
            offers_upgrade: false,
            declared: Declared::new(),
        }
    }

    /// Returns whether the response may switch to another protocol: the request is a CONNECT, or
    /// has the field `Upgrade`.
    pub(super) fn offers_upgrade(&self) -> bool {
        self.offers_upgrade
    }

    /// Reads bytes of the head. Returns the framing of the body behind the last byte of the head.
    ///
    /// # Errors
    ///
    /// Returns a violation; the input then begins with the first byte that violates.
    pub(super) fn read(&mut self, input: &mut Input<'_>) -> Result<Option<BodyFraming>, Violation> {
        while let Some(next) = input.peek() {
            self.part = match self.part {
                Part::Start if next == b'\r' => {
                    input.skip(1);
                    Part::EmptyLineLf
                }
                Part::Start => Part::Method,
                Part::EmptyLineLf => line_feed(input, Part::Start)?,
                Part::Method | Part::TargetStart | Part::Target | Part::Version => {
                    self.read_request_line(input, next)?
                }
                Part::FieldStart if next == b'\r' => {
                    input.skip(1);
                    Part::LastLf
                }
                Part::FieldStart | Part::Name => self.read_name(input)?,
                Part::Value => read_value(input)?,
                Part::Length(part) => {
                    let part = self.declared.read_length(part, input)?;
                    part.map_or(Part::LineLf, Part::Length)
                }
                Part::Coding(part) => {
                    let part = self.declared.read_coding(part, &mut self.word, input);
                    part.map_or(Part::Value, Part::Coding)
                }
                Part::LineLf => line_feed(input, Part::FieldStart)?,
                Part::LastLf => {
                    let framing = self.declared.framing(self.is_old)?;
                    line_feed(input, Part::Start)?;
                    return Ok(Some(framing));
                }
            };
        }
        Ok(None)
    }

    /// Reads bytes of the request line: `next` and those after it.
    fn read_request_line(&mut self, input: &mut Input<'_>, next: u8) -> Result<Part, Violation> {
        match self.part {
            Part::Method => {
                let piece = input.take(TOKEN);
                let Some(next) = input.peek() else {
                    self.word.push(piece);
                    return Ok(Part::Method);
                };
                let method = self.word.complete(piece);
                if method.is_empty() || next != b' ' {
                    return Err(Violation::RequestLine);
                }
                self.offers_upgrade = method == b"CONNECT";
                self.word.clear();
                input.skip(1);
                Ok(Part::TargetStart)
            }
            // A path, an absolute URI, an authority or an asterisk (RFC 9112 §3.2).
            Part::TargetStart => match next {
                b'/' | b'*' | b'[' => Ok(Part::Target),
                _ if next.is_ascii_alphanumeric() => {
                    self.is_bare = true;
                    Ok(Part::Target)
                }
                b' ' | b'\r' | b'\n' => Err(Violation::RequestLine),
                _ => Err(Violation::Target),
            },
            Part::Target => {
                input.skip_target();
                match input.peek() {
                    None => Ok(Part::Target),
                    Some(b' ') => {
                        input.skip(1);
                        Ok(Part::Version)
                    }
                    Some(b'\r' | b'\n') => Err(Violation::RequestLine),
                    Some(_) => Err(Violation::Target),
                }
            }
            _ => self.read_version(input),
        }
    }

    fn read_version(&mut self, input: &mut Input<'_>) -> Result<Part, Violation> {
        if self.word.as_bytes().is_empty() && input.skip_all(b"HTTP/1.1\r\n") {
            return Ok(Part::FieldStart);
        }
        while let Some(byte) = input.peek() {
            let is_expected = match self.word.as_bytes().len() {
                length @ 0..=4 => byte == b"HTTP/"[length],
                5 | 7 => byte.is_ascii_digit(),
                6 => byte == b'.',
                _ => break,
            };
            if !is_expected {
                let is_foreign = self.is_bare && self.word.as_bytes().is_empty();
                return Err(match is_foreign {
                    true => Violation::NotHttp,
                    false => Violation::RequestLine,
                });
            }
            input.skip(1);
            self.word.push(&[byte]);
        }
        match input.peek() {
            None => return Ok(Part::Version),
            Some(b'\r') => {}
            Some(b'\n') => return Err(Violation::LineEnd),
            Some(_) => return Err(Violation::RequestLine),
        }
        match self.word.as_bytes() {
            b"HTTP/1.1" => {}
            b"HTTP/1.0" => self.is_old = true,
            _ => return Err(Violation::Version),
        }
        input.skip(1);
        self.word.clear();
        Ok(Part::LineLf)
    }

    /// Reads bytes of a field's name, and its colon.
    fn read_name(&mut self, input: &mut Input<'_>) -> Result<Part, Violation> {
        let piece = input.take(TOKEN);
        let Some(next) = input.peek() else {
            self.word.push(piece);
            return Ok(Part::Name);
        };
        let name = self.word.complete(piece);
        if name.is_empty() || next != b':' {
            return Err(Violation::Field);
        }
        let part = match name.len() {
            7 if name.eq_ignore_ascii_case(b"upgrade") => {
                self.offers_upgrade = true;
                None
            }
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                Some(Part::Length(self.declared.begin_length()?))
            }
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                Some(Part::Coding(WordPart::Before))
            }
            _ => None,
        };
        self.word.clear();
        input.skip(1);
        part.map_or_else(|| read_value(input), Ok)
    }
}

/// Reads the LF that ends a line.
fn line_feed(input: &mut Input<'_>, then: Part) -> Result<Part, Violation> {
    if input.skip_byte(b'\n') { Ok(then) } else { Err(Violation::LineEnd) }
}

/// Reads bytes of a field's value, and the CR behind it.
fn read_value(input: &mut Input<'_>) -> Result<Part, Violation> {
    input.skip_text();
    if input.skip_all(b"\r\n") {
        return Ok(Part::FieldStart);
    }
    match input.peek() {
        None => Ok(Part::Value),
        Some(b'\r') => {
            input.skip(1);
            Ok(Part::LineLf)
        }
        Some(b'\n') => Err(Violation::LineEnd),
        Some(_) => Err(Violation::Field),
    }
}
