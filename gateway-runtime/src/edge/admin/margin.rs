//! What accounts paid, what it cost us, and what is left.

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

/// Of what, and when.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct MarginFilter {
    /// What to tell apart: any of `service`, `method`, `provider` and `day` (UTC), with commas between them; by default
    /// nothing.
    #[schemars(regex(
        pattern = r"^(service|method|provider|day)(,(service|method|provider|day)){0,3}$"
    ))]
    by: Option<String>,
    /// From then on …
    since: Option<Timestamp>,
    /// … and before then.
    until: Option<Timestamp>,
    /// Of one account only.
    #[schemars(regex(pattern = NAME))]
    account: Option<String>,
}

/// What was taken and spent.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Margins {
    /// A row for each of what is told apart, and for each currency.
    items: Vec<Margin>,
}

/// What was taken and spent in one currency.
#[derive(Debug, Serialize, JsonSchema)]
struct Margin {
    /// The service, if services or methods are told apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    /// Its version, if methods are told apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
    /// The method, if methods are told apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    /// The provider that answered, if providers are told apart; none for what none has answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<Option<String>>,
    /// The day (UTC), if days are told apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date"))]
    day: Option<String>,
    /// The currency; none of calls that were not paid, and whose cost is not known.
    currency: Option<String>,
    /// What accounts paid.
    price: DecimalAmount,
    /// What it cost us, as far as that is known.
    cost: DecimalAmount,
    /// The difference.
    margin: DecimalAmount,
    /// How many calls were paid for.
    paid: u64,
    /// How many calls that a provider answered have a cost that is not known, and is not in `cost`.
    cost_unknown: u64,
}

/// The names by which rows are told apart, in the order in which they are sorted.
type Group = (
    Option<String>,
    Option<String>,
    Option<u32>,
    Option<String>,
    Option<Option<String>>,
    Option<String>,
);

/// Sums up.
pub(super) async fn read(
    desk: Arc<AdminState>,
    request: OperationRequest<MarginFilter>,
) -> Result<Margins, Error> {
    let MarginFilter { by, since, until, account } = request.input;
    let by: Vec<_> = by.iter().flat_map(|by| by.split(',')).collect();
    if let Some(twice) = by.iter().enumerate().find(|(place, name)| by[..*place].contains(name)) {
        let detail = format!("names `{}` twice", twice.1);
        return Err(Error::invalid(vec![Violation { pointer: "/by".to_owned(), detail }]));
    }
    let has = |name| by.contains(&name);
    let micros = |moment: Option<Timestamp>| moment.map(|Timestamp(micros)| micros);
    let span = MarginQuery {
        since: micros(since),
        until: micros(until),
        account,
        group_by_day: has("day"),
    };
    let mut groups = BTreeMap::<Group, Margin>::new();
    for takings in desk.books()?.margin(&span).await.map_err(store_error)? {
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
        } = takings;
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
