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

/// The values by which rows are grouped, in the order in which they are sorted: day, service,
/// version, method, provider, currency.
type Group = (
    Option<String>,
    Option<String>,
    Option<u32>,
    Option<String>,
    Option<Option<String>>,
    Option<String>,
);

/// Returns the margin, summed by group and currency.
pub(super) async fn read(
    state: Arc<AdminState>,
    request: OperationRequest<MarginFilter>,
) -> Result<Margins, Error> {
    let MarginFilter { by, since, until, account } = request.input;
    let by: Vec<_> = by.iter().flat_map(|by| by.split(',')).collect();
    if let Some(twice) = by.iter().enumerate().find(|(index, name)| by[..*index].contains(name)) {
        let detail = format!("names `{}` twice", twice.1);
        return Err(Error::invalid(vec![Violation { pointer: "/by".to_owned(), detail }]));
    }
    let has = |name| by.contains(&name);
    let micros = |time: Option<Timestamp>| time.map(|Timestamp(micros)| micros);
    let span = MarginQuery {
        since: micros(since),
        until: micros(until),
        account,
        group_by_day: has("day"),
    };
    let mut groups = BTreeMap::<Group, Margin>::new();
    for row in state.books()?.margin(&span).await.map_err(store_error)? {
        let MarginRow {
            service,
            version,
            method,
            provider,
            day,
            currency,
            price,
            cost,
            paid,
            cost_unknown,
        } = row;
        let group = (
            has("day").then_some(day).flatten(),
            (has("service") || has("method")).then_some(service),
            has("method").then_some(version),
            has("method").then_some(method),
            has("provider").then_some(provider),
            currency,
        );
        let (day, service, version, method, provider, currency) = group.clone();
        let margin = groups.entry(group).or_insert_with(|| Margin {
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
        });
        margin.price.0 += price;
        margin.cost.0 += cost;
        margin.margin.0 += price - cost;
        margin.paid += paid;
        margin.cost_unknown += cost_unknown;
    }
    Ok(Margins { items: groups.into_values().collect() })
}
