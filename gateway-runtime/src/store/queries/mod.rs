//! Reads of the store.

pub(super) mod admin;
mod api_keys;
mod gateway;
pub(super) mod margin;
pub(super) mod requests;
