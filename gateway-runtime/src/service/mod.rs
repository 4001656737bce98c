//! Services and providers: how an author's code is registered, built and called.
//!
//! `entry` has the constants that the macros submit, `registry` collects and checks them, and
//! `binder` builds instances and binds methods. `app` supplies the fields of services and
//! providers, `argument`, `arguments` and `composed` the arguments of methods, and `injected` both
//! of them for the runtime's own types. `into_reply` is what methods may return.

pub(crate) mod app;
pub(crate) mod argument;
pub(crate) mod arguments;
mod binder;
pub(crate) mod composed;
pub(crate) mod entry;
mod injected;
pub(crate) mod into_reply;
mod method;
pub mod registry;
