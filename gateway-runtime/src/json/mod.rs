//! JSON: documents that hold their text, schemas that validate them, and sections of the
//! configuration. It imports nothing of the runtime.

pub(crate) mod document;
pub mod schema;
pub(crate) mod section;
pub(crate) mod sha256;
pub(crate) mod similar;
pub(crate) mod violation;
