//! Prices and limits.

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

/// A price list that was set. None is ever changed.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct PriceListView {
    /// Its number among all changes. Of two from the same moment on, of the same plan, the one with the greater number holds.
    id: i64,
    /// When it was set.
    at: Timestamp,
    /// By whom.
    who: String,
    /// Whether it holds.
    state: PriceListState,
    /// What it says.
    list: PriceList,
}

/// Whether a price list holds.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum PriceListState {
    /// It will, unless another takes its place before.
    Coming,
    /// It does.
    Holds,
    /// Another has taken its place.
    Past,
}

/// Lists price lists.
pub(super) async fn prices(
    desk: Arc<AdminState>,
    request: OperationRequest<PageQuery>,
) -> Result<Page<PriceListView>, Error> {
    let paging = request.input;
    let AdminStore { books, control, .. } = desk.kept()?;
    let found = books.price_lists(paging.after(), paging.limit + 1).await.map_err(store_error)?;
    let lists: Vec<PriceList> =
        found.iter().map(parse_change).collect::<Result<_, _>>().map_err(store_error)?;
    // All that was found is then known here.
    control.refresh().await.map_err(store_error)?;
    let now = Utc::now();
    let holding = control.current().effective_price_lists(now);
    let tell = |(ChangeRecord { id, at, who, .. }, list): (ChangeRecord, PriceList)| {
        let state = match list.effective_at > now {
            true => PriceListState::Coming,
            false if holding.contains(&id) => PriceListState::Holds,
            false => PriceListState::Past,
        };
        PriceListView { id, at: Timestamp(at), who, state, list }
    };
    let found = found.into_iter().zip(lists).collect();
    Ok(Page::of(found, paging.limit, |(change, _)| change.id.to_string(), tell))
}

/// Adds a price list.
pub(super) async fn add_prices(
    desk: Arc<AdminState>,
    request: OperationRequest<PriceList>,
) -> Result<PriceList, Error> {
    let list = request.input;
    let names =
        desk.registry.methods().map(|it| (it.service.name, it.service.version, it.spec.name));
    let names: HashSet<_> = names.collect();
    unless_empty(
        list.problems(|service, version, method| names.contains(&(service, version, method))),
    )?;
    set(
        &desk,
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
    /// Whether an operator has set them here; else they are those of the configuration.
    set: bool,
    /// The limits.
    limits: QuotaSettings,
}

/// Tells the limits.
pub(super) async fn limits(
    desk: Arc<AdminState>,
    _: OperationRequest<EmptyInput>,
) -> Result<Limits, Error> {
    let set = desk.kept()?.control.current().limits.is_some();
    Ok(Limits { set, limits: QuotaSettings::clone(&desk.limiting.settings()) })
}

/// Puts limits in the place of those before.
pub(super) async fn set_limits(
    desk: Arc<AdminState>,
    request: OperationRequest<QuotaSettings>,
) -> Result<Limits, Error> {
    let unknown = desk.limiting.unknown_names(&request.input).into_iter();
    unless_empty(unknown.map(|detail| Violation { pointer: String::new(), detail }).collect())?;
    set(&desk, ChangeKind::Limits, "", &request.input, &request.operator).await?;
    Ok(Limits { set: true, limits: request.input })
}

fn unless_empty(violations: Vec<Violation>) -> Result<(), Error> {
    if violations.is_empty() { Ok(()) } else { Err(Error::invalid(violations)) }
}
