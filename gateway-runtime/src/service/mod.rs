//! What an author's code is made of: services and providers as they are registered, built and called.
//!
//! `registry` collects what the macros have registered, `binder` builds instances, `app` and `argument` are what their
//! fields and arguments come from, `injected` those of the runtime's own types.

pub(crate) mod app;
pub(crate) mod argument;
mod binder;
pub(crate) mod composed;
pub(crate) mod entry;
mod injected;
mod method;
pub mod registry;
