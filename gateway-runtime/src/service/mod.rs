//! TODO

pub(crate) mod app;
pub(crate) mod argument;
mod binder;
pub(crate) mod composed;
pub(crate) mod entry;
mod injected;
mod method;
pub mod registry;
