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
    let mut operations = on_accounts()?;
    operations.extend(on_settings()?);
    operations.extend(on_the_request_log()?);
    Ok(operations)
}

/// Accounts, their balances and their API keys.
fn on_accounts() -> Result<Vec<Operation>, StartError> {
    let key = "/admin/accounts/{id}/keys/{key_id}";
    let entries = "/admin/accounts/{id}/entries";
    Ok(vec![
        Operation::new(Post, "/admin/accounts", "Open an account", accounts::open)?.creates(),
        Operation::new(Get, "/admin/accounts/{id}", "Read an account", accounts::read)?,
        Operation::new(
            Post,
            "/admin/accounts/{id}/credits",
            "Credit an account",
            accounts::credit,
        )?
        .creates(),
        Operation::new(Get, entries, "List the ledger entries, newest first", accounts::entries)?,
        Operation::new(Post, "/admin/accounts/{id}/keys", "Create an API key", api_keys::make)?
            .creates(),
        Operation::new(Delete, key, "Revoke an API key", api_keys::revoke)?.no_content(),
    ])
}

/// Prices, limits and the switches of providers.
fn on_settings() -> Result<Vec<Operation>, StartError> {
    let prices = "/admin/prices";
    let provider = "/admin/providers/{name}";
    Ok(vec![
        Operation::new(Get, prices, "List the price lists, newest first", prices::prices)?,
        Operation::new(Put, prices, "Add a price list", prices::add_prices)?.creates(),
        Operation::new(Get, "/admin/limits", "Read the limits in effect", prices::limits)?,
        Operation::new(Put, "/admin/limits", "Set the limits", prices::set_limits)?,
        Operation::new(Get, "/admin/providers", "List the providers", providers::list)?,
        Operation::new(Patch, provider, "Change a provider's switches", providers::change)?,
    ])
}

/// Requests, margin, holds of unknown outcome, and the operators' own changes.
fn on_the_request_log() -> Result<Vec<Operation>, StartError> {
    let request = "/admin/requests/{id}";
    let settle = "/admin/holds/{call}/settle";
    let margin = "Sum up prices, costs and margin";
    let changes = "List the changes of operators, newest first";
    Ok(vec![
        Operation::new(Get, "/admin/requests", "List requests, newest first", requests::list)?,
        Operation::new(Get, request, "Read a request and its attempts", requests::read)?,
        Operation::new(Get, "/admin/margin", margin, margin::read)?,
        Operation::new(Get, "/admin/holds", "List the holds, newest first", holds::list)?,
        Operation::new(Post, settle, "Settle a hold of unknown outcome", holds::settle)?.creates(),
        Operation::new(Get, "/admin/changes", changes, changes::list)?,
    ])
}
