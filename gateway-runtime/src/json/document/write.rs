//! The writer: documents that are written value by value, and not parsed from one text.

use crate::json::document::{
    Document,
    element::{Element, ElementKind},
    member_index,
    number::Number,
    tape::{Node, Tape, TextSpan, TextStore, TextStores},
};

/// A value that is no array and no object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scalar<'t> {
    Null,
    Bool(bool),
    Number(Number),
    Text(&'t str),
}

/// A writer of a document, from front to back.
#[derive(Default)]
pub(crate) struct Writer {
    texts: String,
    tape: Tape,
}

impl Writer {
    pub(crate) fn scalar(&mut self, scalar: Scalar<'_>) {
        let node = match scalar {
            Scalar::Null => Node::Null,
            Scalar::Bool(truth) => Node::Bool(truth),
            Scalar::Number(number) => number.into(),
            Scalar::Text(text) => Node::Text(self.text(text)),
        };
        self.tape.push(node);
    }

    /// Writes an array of `count` items, which `items` writes.
    pub(crate) fn array(&mut self, count: usize, items: impl FnOnce(&mut Self)) {
        let head = self.tape.open();
        items(self);
        self.tape.close_array(head, saturated(count));
    }

    /// Writes an object of `count` members, each by [`name`](Self::name) and its value. No name
    /// comes twice.
    pub(crate) fn object(&mut self, count: usize, members: impl FnOnce(&mut Self)) {
        let head = self.tape.open();
        members(self);
        let stores = TextStores { body: &[], unescaped: self.texts.as_bytes() };
        member_index::close_object(&mut self.tape, head, saturated(count), false, stores);
    }

    pub(crate) fn name(&mut self, name: &str) {
        let name = self.text(name);
        self.tape.push(Node::Text(name));
    }

    /// Copies an element with all its parts.
    pub(crate) fn element(&mut self, element: Element<'_>) {
        match element.kind() {
            ElementKind::Null => self.scalar(Scalar::Null),
            ElementKind::Bool(truth) => self.scalar(Scalar::Bool(truth)),
            ElementKind::Number(number) => self.scalar(Scalar::Number(number)),
            ElementKind::Text(text) => self.scalar(Scalar::Text(text)),
            ElementKind::Array(array) => {
                self.array(array.len(), |writer| {
                    array.iter().for_each(|item| writer.element(item))
                });
            }
            ElementKind::Object(object) => self.object(object.len(), |writer| {
                for (name, value) in object.iter() {
                    writer.name(name);
                    writer.element(value);
                }
            }),
        }
    }

    pub(crate) fn finish(self) -> Document {
        Document { unescaped: self.texts, tape: self.tape, ..Document::default() }
    }

    fn text(&mut self, text: &str) -> TextSpan {
        let start = self.texts.len();
        self.texts.push_str(text);
        TextSpan::new(TextStore::Unescaped, start, text.len())
    }
}

impl From<Element<'_>> for Document {
    /// Copies a part of a document into a document of its own.
    fn from(element: Element<'_>) -> Self {
        let mut writer = Writer::default();
        writer.element(element);
        writer.finish()
    }
}

impl From<Scalar<'_>> for Document {
    fn from(scalar: Scalar<'_>) -> Self {
        let mut writer = Writer::default();
        writer.scalar(scalar);
        writer.finish()
    }
}

/// Converts a count to 32 bits. A value with more members does not occur in a gateway.
fn saturated(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
