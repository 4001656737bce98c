//! Marks that a response carries in its extensions: how its content may be coded.

/// A mark of a response whose content is identified by its entity tag. The response is compressed
/// once and cached, and not sent to a client that has it.
#[derive(Clone, Copy)]
pub(in crate::edge::http) struct PublishedDocument;

/// A mark of a response that must not be changed.
#[derive(Clone, Copy)]
pub(in crate::edge::http) struct Untouched;
