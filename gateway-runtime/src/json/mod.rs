//! TODO

pub(crate) mod document;
pub mod schema;
pub(crate) mod section;
