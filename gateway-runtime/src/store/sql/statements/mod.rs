//! The SQL statements, in both dialects.
//!
//! Each statement takes one JSON text as its argument, and returns rows of one JSON text.

#[macro_use]
mod macros;

pub(in crate::store) mod access_path;
mod admin;
mod changes;
mod claims;
mod fragment;
mod ledger;
pub(in crate::store) mod margin;
mod request_log;
pub(in crate::store) mod requests;
mod tables;

pub(in crate::store) use crate::store::sql::statements::{
    admin::*, changes::*, claims::*, ledger::*, request_log::*, tables::*,
};
