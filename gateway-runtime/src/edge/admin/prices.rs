//! Price lists and quota limits: reading and setting them.

use std::{collections::HashSet, sync::Arc};

use chrono::Utc;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    base::error::Error,
    control::{PriceList, parse_change},
    edge::admin::{
        operation::{EmptyInput, OperationRequest},
        state::{AdminState, AdminStore, set, store_error},
        values::{Page, PageQuery, Timestamp},
    },
    json::violation::Violation,
    quota::QuotaSettings,
    store::{ChangeKind, ChangeRecord},
};

/// A price list that was set. Price lists never change.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct PriceListView {
    /// The number of the change. Of two lists of one plan with the same `effective_at`, the one
    /// with the greater number holds.
    id: i64,
    /// The time at which the list was set.
    at: Timestamp,
    /// The name of the operator.
    who: String,
    /// The state of the list.
    state: PriceListState,
    /// The prices and the time from which they hold.
    list: PriceList,
}

/// The state of a price list.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum PriceListState {
    /// The list will hold, unless another replaces it before.
    Scheduled,
    /// The list holds.
    Effective,
    /// Another list has replaced it.
    Superseded,
}

/// Lists price lists, newest first.
pub(super) async fn prices(
    state: Arc<AdminState>,
    request: OperationRequest<PageQuery>,
) -> Result<Page<PriceListView>, Error> {
    let paging = request.input;
    let AdminStore { store, control, .. } = state.kept()?;
    let found = store.price_lists(paging.after(), paging.limit + 1).await.map_err(store_error)?;
    let lists: Vec<PriceList> =
        found.iter().map(parse_change).collect::<Result<_, _>>().map_err(store_error)?;
    // After this, the snapshot contains every list that was found.
    control.refresh().await.map_err(store_error)?;
    let now = Utc::now();
    let holding = control.current().effective_price_lists(now);
    let to_view = |(ChangeRecord { id, at, who, .. }, list): (ChangeRecord, PriceList)| {
        let state = match list.effective_at > now {
            true => PriceListState::Scheduled,
            false if holding.contains(&id) => PriceListState::Effective,
            false => PriceListState::Superseded,
        };
        PriceListView { id, at: Timestamp(at), who, state, list }
    };
    let found = found.into_iter().zip(lists).collect();
    Ok(Page::of(found, paging.limit, |(change, _)| change.id.to_string(), to_view))
}

/// Adds a price list.
///
/// # Errors
///
/// `invalid-request` for prices of unknown methods.
pub(super) async fn add_prices(
    state: Arc<AdminState>,
    request: OperationRequest<PriceList>,
) -> Result<PriceList, Error> {
    let list = request.input;
    let names =
        state.registry.methods().map(|it| (it.service.name, it.service.version, it.spec.name));
    let names: HashSet<_> = names.collect();
    unless_empty(
        list.problems(|service, version, method| names.contains(&(service, version, method))),
    )?;
    set(
        &state,
        ChangeKind::Prices,
        list.plan.as_deref().unwrap_or_default(),
        &list,
        &request.operator,
    )
    .await?;
    Ok(list)
}

/// The limits that hold.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Limits {
    /// True if an operator has set the limits; otherwise they are those of the configuration.
    set: bool,
    /// The limits.
    limits: QuotaSettings,
}

/// Returns the limits.
pub(super) async fn limits(
    state: Arc<AdminState>,
    _: OperationRequest<EmptyInput>,
) -> Result<Limits, Error> {
    let set = state.kept()?.control.current().limits.is_some();
    Ok(Limits { set, limits: QuotaSettings::clone(&state.limiting.settings()) })
}

/// Replaces the limits.
///
/// # Errors
///
/// `invalid-request` for unknown services and methods.
pub(super) async fn set_limits(
    state: Arc<AdminState>,
    request: OperationRequest<QuotaSettings>,
) -> Result<Limits, Error> {
    let unknown = state.limiting.unknown_names(&request.input).into_iter();
    unless_empty(unknown.map(|detail| Violation { pointer: String::new(), detail }).collect())?;
    set(&state, ChangeKind::Limits, "", &request.input, &request.operator).await?;
    Ok(Limits { set: true, limits: request.input })
}

/// Returns `invalid-request` with the violations, if there are any.
fn unless_empty(violations: Vec<Violation>) -> Result<(), Error> {
    if violations.is_empty() { Ok(()) } else { Err(Error::invalid(violations)) }
}
