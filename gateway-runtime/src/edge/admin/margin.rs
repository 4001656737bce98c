//! The margin: the price that accounts paid, the cost of the attempts, and the difference.

use std::{collections::BTreeMap, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    base::error::Error,
    edge::admin::{
        operation::OperationRequest,
        state::{AdminState, store_error},
        values::{DecimalAmount, NAME, Timestamp},
    },
    json::violation::Violation,
    store::{MarginQuery, MarginRow},
};

/// The grouping and the filter of the margin.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct MarginFilter {
    /// The grouping: any of `service`, `method`, `provider` and `day` (UTC), separated by commas;
    /// none by default.
    #[schemars(regex(
        pattern = r"^(service|method|provider|day)(,(service|method|provider|day)){0,3}$"
    ))]
    by: Option<String>,
    /// The first moment that counts.
    since: Option<Timestamp>,
    /// The first moment that does not count any more.
    until: Option<Timestamp>,
    /// The only account that counts.
    #[schemars(regex(pattern = NAME))]
    account: Option<String>,
}

/// The margin in groups.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Margins {
    /// The rows, one for each group and currency.
    items: Vec<Margin>,
}

/// The margin of one group in one currency.
#[derive(Debug, Serialize, JsonSchema)]
struct Margin {
    /// The service, when grouped by service or method.
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    /// The version of the service, when grouped by method.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
    /// The method, when grouped by method.
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    /// The provider that replied, when grouped by provider; null for calls to which none replied.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<Option<String>>,
    /// The day (UTC), when grouped by day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date"))]
    day: Option<String>,
    /// The currency; null for calls that were not paid and whose cost is unknown.
    currency: Option<String>,
    /// The price: what accounts paid.
    price: DecimalAmount,
    /// The known cost of the attempts.
    cost: DecimalAmount,
    /// The difference between price and cost.
    margin: DecimalAmount,
    /// The number of calls that were paid.
    paid: u64,
    /// The number of calls to which a provider replied and whose cost is unknown, and so not in
    /// `cost`.
    cost_unknown: u64,
}

/// A group of rows; a member is none if the rows are not grouped by it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    day: Option<String>,
    service: Option<String>,
    version: Option<u32>,
    method: Option<String>,
    /// The provider; the inner `None` stands for calls without one.
    provider: Option<Option<String>>,
    currency: Option<String>,
}

/// Returns the margin, summed by group and currency.
pub(super) async fn read(
    state: Arc<AdminState>,
    request: OperationRequest<MarginFilter>,
) -> Result<Margins, Error> {
    let MarginFilter { by, since, until, account } = request.input;
    let by: Vec<_> = by.iter().flat_map(|by| by.split(',')).collect();
    if let Some(twice) = by.iter().enumerate().find(|(index, name)| by[..*index].contains(name)) {
        let detail = format!("has the duplicate `{}`", twice.1);
        return Err(Error::invalid(vec![Violation { pointer: "/by".to_owned(), detail }]));
    }
    let query = MarginQuery {
        since: since.map(|time| time.0),
        until: until.map(|time| time.0),
        account,
        group_by_day: by.contains(&"day"),
    };
    let rows = state.store()?.margin(&query).await.map_err(store_error)?;
    Ok(Margins { items: sum(rows, &by) })
}

/// Sums rows by the groups of `by`, and by currency.
fn sum(rows: Vec<MarginRow>, by: &[&str]) -> Vec<Margin> {
    let has = |name| by.contains(&name);
    let mut groups = BTreeMap::<Group, Margin>::new();
    for row in rows {
        let group = Group {
            day: has("day").then_some(row.day).flatten(),
            service: (has("service") || has("method")).then_some(row.service),
            version: has("method").then_some(row.version),
            method: has("method").then_some(row.method),
            provider: has("provider").then_some(row.provider),
            currency: row.currency,
        };
        let margin = groups.entry(group).or_insert_with_key(Margin::none);
        margin.price.0 += row.price;
        margin.cost.0 += row.cost;
        margin.margin.0 += row.price - row.cost;
        margin.paid += row.paid;
        margin.cost_unknown += row.cost_unknown;
    }
    groups.into_values().collect()
}

impl Margin {
    /// Creates the margin of a group before its first row.
    fn none(group: &Group) -> Self {
        let Group { day, service, version, method, provider, currency } = group.clone();
        Self {
            service,
            version,
            method,
            provider,
            day,
            currency,
            price: DecimalAmount(0),
            cost: DecimalAmount(0),
            margin: DecimalAmount(0),
            paid: 0,
            cost_unknown: 0,
        }
    }
}
