//! The operations of the admin API (SEMANTICS §13).

use crate::{
    base::{
        spec::Verb::{Delete, Get, Patch, Post, Put},
        start_error::StartError,
    },
    edge::admin::{
        accounts, api_keys, changes, holds, margin, operation::Operation, prices, providers,
        requests,
    },
};

/// Returns the operations in the order of `/openapi.json`.
pub(super) fn operations() -> Result<Vec<Operation>, StartError> {
    Ok(vec![
        Operation::new(Post, "/admin/accounts", "Open an account", accounts::open)?.creates(),
        Operation::new(Get, "/admin/accounts/{id}", "An account and its balances", accounts::read)?,
        Operation::new(Post, "/admin/accounts/{id}/credits", "Bring money in", accounts::credit)?
            .creates(),
        Operation::new(
            Get,
            "/admin/accounts/{id}/entries",
            "What moved, newest first",
            accounts::entries,
        )?,
        Operation::new(Post, "/admin/accounts/{id}/keys", "Make an API key", api_keys::make)?
            .creates(),
        Operation::new(
            Delete,
            "/admin/accounts/{id}/keys/{key_id}",
            "Revoke an API key",
            api_keys::revoke,
        )?
        .no_content(),
        Operation::new(Get, "/admin/prices", "The price lists, newest first", prices::prices)?,
        Operation::new(Put, "/admin/prices", "Add a price list", prices::add_prices)?.creates(),
        Operation::new(Get, "/admin/limits", "The limits that hold", prices::limits)?,
        Operation::new(Put, "/admin/limits", "Set the limits", prices::set_limits)?,
        Operation::new(Get, "/admin/providers", "How providers are", providers::list)?,
        Operation::new(Patch, "/admin/providers/{name}", "Switch a provider", providers::change)?,
        Operation::new(
            Get,
            "/admin/requests",
            "The log of requests, newest first",
            requests::list,
        )?,
        Operation::new(
            Get,
            "/admin/requests/{id}",
            "One request with its attempts",
            requests::read,
        )?,
        Operation::new(
            Get,
            "/admin/margin",
            "What was paid, what it cost, and the difference",
            margin::read,
        )?,
        Operation::new(Get, "/admin/holds", "Money set aside, newest first", holds::list)?,
        Operation::new(
            Post,
            "/admin/holds/{call}/settle",
            "Settle what nobody knows the end of",
            holds::settle,
        )?
        .creates(),
        Operation::new(
            Get,
            "/admin/changes",
            "Who changed what and when, newest first",
            changes::list,
        )?,
    ])
}
