//! Prices and limits.

use std::{collections::HashSet, sync::Arc};

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    desk::{Desk, set},
    operation::{Nothing, Request},
};
use crate::{
    control::PriceList,
    error::{Error, Violation},
    quota::QuotaSettings,
    store::EditKind,
};

/// The price lists that hold or will.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct PriceLists {
    /// The lists, in the order in which they take effect. Of two from the same moment on, the later holds.
    items: Vec<Arc<PriceList>>,
}

/// Lists price lists.
pub(super) async fn prices(desk: Arc<Desk>, _: Request<Nothing>) -> Result<PriceLists, Error> {
    Ok(PriceLists { items: desk.kept()?.control.current().prices.clone() })
}

/// Adds a price list.
pub(super) async fn add_prices(desk: Arc<Desk>, request: Request<PriceList>) -> Result<PriceList, Error> {
    let list = request.input;
    let names = desk.registry.methods().map(|it| (it.service.name, it.service.version, it.spec.name));
    let names: HashSet<_> = names.collect();
    unless_empty(list.problems(|service, version, method| names.contains(&(service, version, method))))?;
    set(&desk, EditKind::Prices, list.plan.as_deref().unwrap_or_default(), &list, &request.operator).await?;
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
pub(super) async fn limits(desk: Arc<Desk>, _: Request<Nothing>) -> Result<Limits, Error> {
    let set = desk.kept()?.control.current().limits.is_some();
    Ok(Limits { set, limits: QuotaSettings::clone(&desk.limiting.settings()) })
}

/// Puts limits in the place of those before.
pub(super) async fn set_limits(desk: Arc<Desk>, request: Request<QuotaSettings>) -> Result<Limits, Error> {
    let unknown = desk.limiting.unknown_names(&request.input).into_iter();
    unless_empty(unknown.map(|detail| Violation { pointer: String::new(), detail }).collect())?;
    set(&desk, EditKind::Limits, "", &request.input, &request.operator).await?;
    Ok(Limits { set: true, limits: request.input })
}

fn unless_empty(violations: Vec<Violation>) -> Result<(), Error> {
    if violations.is_empty() { Ok(()) } else { Err(Error::invalid(violations)) }
}
