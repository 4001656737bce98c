//! Programs that the macros accept (`pass/`), compiled under lints that an author may have denied;
//! `fail/` has the messages for those that they do not.

#![forbid(unsafe_code)]
#![deny(missing_docs, unused, unreachable_pub, rust_2018_idioms, clippy::pedantic)]

#[path = "../pass/arguments.rs"]
pub mod arguments;
#[path = "../pass/capabilities.rs"]
pub mod capabilities;
#[path = "../pass/client.rs"]
pub mod client;
#[path = "../pass/defaults.rs"]
pub mod defaults;
#[path = "../pass/hello.rs"]
pub mod hello;
#[path = "../pass/hygiene.rs"]
pub mod hygiene;
#[path = "../pass/imports.rs"]
pub mod imports;
#[path = "../pass/models.rs"]
pub mod models;
#[path = "../pass/places.rs"]
pub mod places;
#[path = "../pass/whole.rs"]
pub mod whole;
