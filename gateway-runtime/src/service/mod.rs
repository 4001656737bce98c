//! Services and providers: how an author's code is registered, built and called.
//!
//! `entry` has the constants that the macros submit, `registry` collects and checks them, and
//! `binder` builds instances and binds methods. `app` supplies the fields of services and
//! providers, `argument` and `composed` the arguments of methods, and `injected` both of them for
//! the runtime's own types.

pub(crate) mod app;
pub(crate) mod argument;
mod binder;
pub(crate) mod composed;
pub(crate) mod entry;
mod injected;
mod method;
pub mod registry;
