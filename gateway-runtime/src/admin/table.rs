//! All calls of the API.

use super::{accounts, changes, keys, operation::Operation};
use crate::{
    app::StartError,
    spec::Verb::{Delete, Get, Post},
};

/// The calls, as `/openapi.json` lists them.
pub(super) fn operations() -> Result<Vec<Operation>, StartError> {
    Ok(vec![
        Operation::new(Post, "/admin/accounts", "Open an account", accounts::open)?.creates(),
        Operation::new(Get, "/admin/accounts/{id}", "An account and its balances", accounts::read)?,
        Operation::new(Post, "/admin/accounts/{id}/credits", "Bring money in", accounts::credit)?.creates(),
        Operation::new(Get, "/admin/accounts/{id}/entries", "What moved, newest first", accounts::entries)?,
        Operation::new(Post, "/admin/accounts/{id}/keys", "Make an API key", keys::make)?.creates(),
        Operation::new(Delete, "/admin/accounts/{id}/keys/{key_id}", "Revoke an API key", keys::revoke)?.says_nothing(),
        Operation::new(Get, "/admin/changes", "Who changed what and when, newest first", changes::list)?,
    ])
}
