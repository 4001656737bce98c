//! A JSON document as it is judged and decoded: its text, kept as it came, and a tape that says what stands where.
//!
//! A body is read once, from front to back, into two or three allocations, whatever it holds: its strings stay where
//! they are, and only those with escapes are written anew, into one store for all. Then it is walked twice, by the
//! schema's validator and by serde, and neither changes or copies it.
//!
//! Numbers are those of `serde_json` (`u64`, `i64` below zero, and `f64` for all else), and beside it what they are
//! exactly ([`Number`]).

mod canonical;
mod de;
mod element;
mod map_key;
mod member_index;
mod number;
mod parse;
mod string;
mod tape;
#[cfg(test)]
pub(crate) mod tests;
mod value;
mod write;

use std::fmt;

use bytes::Bytes;
use bytestring::ByteString;
use serde::de::Error;
use serde_json::Value;

use crate::json::document::tape::{Node, Tape, TextSpan, TextStore};
pub(crate) use crate::json::document::{
    element::{Array, ArrayIter, Element, ElementKind, Object, ObjectIter},
    number::Number,
    write::{Scalar, Writer},
};

/// A JSON document; null by default.
#[derive(Clone, Default)]
pub struct Document {
    body: ByteString,
    unescaped: String,
    tape: Tape,
}

impl Document {
    /// Reads a JSON text (RFC 8259), which is kept and not copied.
    ///
    /// When an object has a name twice, the last counts.
    ///
    /// # Errors
    ///
    /// The first fault of syntax, with line and column; also a number beyond the range of `f64`, more than 127 levels
    /// of nesting, and a text of 4 GiB.
    pub fn parse(body: Bytes) -> Result<Self, serde_json::Error> {
        let Ok(text) = ByteString::try_from(body.clone()) else { return Err(syntax_error(&body)) };
        match parse::parse(text.as_bytes()) {
            Some((tape, unescaped)) => Ok(Self { body: text, unescaped, tape }),
            None => Err(syntax_error(&body)),
        }
    }

    /// A document that is one text.
    pub(crate) fn of_text(text: &str) -> Self {
        Self::from(&Value::from(text))
    }

    /// The whole of it.
    pub(crate) fn root(&self) -> Element<'_> {
        Element::root(self)
    }

    /// A copy as a `Value`.
    #[must_use]
    pub fn to_value(&self) -> Value {
        self.root().to_value()
    }

    fn text(&self, text: TextSpan) -> &str {
        let store: &str = match text.store {
            TextStore::Body => &self.body,
            TextStore::Unescaped => &self.unescaped,
        };
        store.get(text.range()).unwrap_or_default()
    }

    /// The name that stands at `at`.
    fn name(&self, at: u32) -> &str {
        match self.tape.node(at) {
            Node::Text(name) => self.text(name),
            _ => "",
        }
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_value().fmt(f)
    }
}

/// What is wrong with a text, in the words of `serde_json`.
#[cold]
fn syntax_error(body: &[u8]) -> serde_json::Error {
    match serde_json::from_slice::<Value>(body) {
        Err(error) => error,
        Ok(_) => serde_json::Error::custom("the text is too long"),
    }
}
