//! What the macros accept (`pass/`), compiled under the lints that an author may have denied; what they say about what
//! they do not is in `fail/`.

#![forbid(unsafe_code)]
#![deny(missing_docs, unused, unreachable_pub, rust_2018_idioms, clippy::pedantic)]

#[path = "../pass/whole.rs"]
pub mod whole;
