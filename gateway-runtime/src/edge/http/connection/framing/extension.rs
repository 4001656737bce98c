//! The extensions of a chunk (RFC 9112 §7.1.1), which are checked and otherwise ignored.

use crate::edge::http::connection::framing::{
    scan::{Input, QUOTED, SPACE, TOKEN, is_text},
    violation::Violation,
};

/// The part of the extensions that the next byte belongs to.
#[derive(Clone, Copy)]
pub(super) enum Extension {
    /// Whitespace, or the semicolon of the next extension.
    Space,
    NameStart,
    Name,
    NameSpace,
    ValueStart,
    Value,
    Quoted,
    Escaped,
    QuotedEnd,
}

impl Extension {
    /// Reads bytes of the extensions. Returns none behind the CR that ends them.
    ///
    /// # Errors
    ///
    /// Returns a violation.
    pub(super) fn read(self, input: &mut Input<'_>) -> Result<Option<Self>, Violation> {
        let mut part = self;
        while let Some(next) = input.peek() {
            if next == b'\r' && matches!(part, Self::Name | Self::Value | Self::QuotedEnd) {
                input.skip(1);
                return Ok(None);
            }
            part = part.step(input, next)?;
        }
        Ok(Some(part))
    }

    /// Reads `next`, and those bytes after it that are alike.
    fn step(self, input: &mut Input<'_>, next: u8) -> Result<Self, Violation> {
        let is_space = matches!(next, b' ' | b'\t');
        let then = match self {
            Self::Space | Self::Value | Self::QuotedEnd | Self::Name | Self::NameSpace
                if next == b';' =>
            {
                Self::NameStart
            }
            Self::Name | Self::NameSpace if next == b'=' => Self::ValueStart,
            Self::ValueStart if next == b'"' => Self::Quoted,
            Self::Quoted if next == b'\\' => Self::Escaped,
            Self::Quoted if next == b'"' => Self::QuotedEnd,
            Self::Escaped if is_text(next) => Self::Quoted,
            Self::Quoted if !input.take(QUOTED).is_empty() => return Ok(self),
            Self::Quoted | Self::Escaped => return Err(Violation::Chunk),
            Self::NameStart | Self::ValueStart | Self::Space | Self::NameSpace if is_space => {
                input.take(SPACE);
                return Ok(self);
            }
            Self::Name if is_space => Self::NameSpace,
            Self::Value | Self::QuotedEnd if is_space => Self::Space,
            Self::NameStart | Self::Name if !input.take(TOKEN).is_empty() => return Ok(Self::Name),
            Self::ValueStart | Self::Value if !input.take(TOKEN).is_empty() => {
                return Ok(Self::Value);
            }
            _ => return Err(Violation::Chunk),
        };
        input.skip(1);
        Ok(then)
    }
}
