//! JSON: documents that keep their text, schemas that judge them, and sections of the configuration. It imports nothing of
//! the runtime.

pub(crate) mod document;
pub mod schema;
pub(crate) mod section;
pub(crate) mod violation;
