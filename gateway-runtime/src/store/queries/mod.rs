//! Reads of the store, for operators.

pub(super) mod admin;
pub(super) mod margin;
pub(super) mod requests;
