//! A JSON document, as it is validated and decoded: its text, held as it came, and a tape of its
//! values.
//!
//! A body is parsed once, from front to back, into two or three allocations, whatever it holds.
//! Strings stay where they are in the text; only those with escapes are written again, into one
//! buffer for all of them. Then the document is walked twice, by the schema's validator and by
//! serde, and neither changes or copies it.
//!
//! Numbers are those of `serde_json` (`u64`, `i64` below zero, and `f64` for all others), together
//! with their exact value ([`Number`]).

mod access;
mod canonical;
mod de;
mod decode_error;
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
    /// Parses a JSON text (RFC 8259), which is held and not copied.
    ///
    /// When an object has a name twice, the last one counts.
    ///
    /// # Errors
    ///
    /// Returns the first syntax error, with line and column. A number beyond the range of `f64`,
    /// more than 127 levels of nesting, and a text of 4 GiB are errors too.
    pub fn parse(body: Bytes) -> Result<Self, serde_json::Error> {
        let Ok(text) = ByteString::try_from(body.clone()) else { return Err(syntax_error(&body)) };
        match parse::parse(text.as_bytes()) {
            Some((tape, unescaped)) => Ok(Self { body: text, unescaped, tape }),
            None => Err(syntax_error(&body)),
        }
    }

    /// Creates a document that is one string.
    pub(crate) fn of_text(text: &str) -> Self {
        Self::from(&Value::from(text))
    }

    /// Returns the outermost value.
    pub(crate) fn root(&self) -> Element<'_> {
        Element::root(self)
    }

    /// Copies the document into a `Value`.
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

    /// Returns the member name at the index `at` of the tape.
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

/// Returns the syntax error of a text, in the words of `serde_json`.
#[cold]
fn syntax_error(body: &[u8]) -> serde_json::Error {
    match serde_json::from_slice::<Value>(body) {
        Err(error) => error,
        Ok(_) => serde_json::Error::custom("the text is too long"),
    }
}
