//! Price lists: the prices that accounts pay, versioned by time (SEMANTICS §7).

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{base::money::Money, json::violation::Violation};

/// A price list. At `effective_at` it replaces the previous list of the same plan. A method that it
/// does not list has the price of the general list, and one that neither lists has the price of its
/// attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceList {
    /// The time from which the list is in force, such as `2027-01-01T00:00:00Z`.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub effective_at: DateTime<Utc>,
    /// The plan whose accounts pay these prices; left out for the general list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    pub plan: Option<Box<str>>,
    /// The prices of methods.
    #[schemars(length(max = 10_000))]
    pub prices: Vec<ListedPrice>,
}

/// The price of a method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListedPrice {
    /// The name of the service.
    pub service: Box<str>,
    /// The version of the service.
    pub version: u32,
    /// The name of the method.
    pub method: Box<str>,
    /// The price of a fulfilled call, or of each unit that the call uses.
    pub price: Money,
    /// The unit of a price by usage; left out for a price of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per: Option<Usage>,
    /// The price of a reply from the cache; left out for the same price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached: Option<Money>,
}

/// The unit of a price by usage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// The name of the unit, for people: `token`, `page`.
    #[schemars(length(min = 1, max = 100))]
    pub unit: Box<str>,
    /// The most units that a call is charged for; their price is held before the call.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub most: u32,
}

impl ListedPrice {
    /// Returns the highest price of a call; `None` if it exceeds the largest amount.
    #[must_use]
    pub fn maximum(&self) -> Option<Money> {
        self.per.as_ref().map_or(Some(self.price), |per| self.price.checked_mul(per.most.into()))
    }

    fn problems(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let cached = self.cached.unwrap_or(self.price);
        [
            (self.price.nanos() < 0, "price", "a price must not be negative"),
            (self.maximum().is_none(), "per/most", "the highest price exceeds the largest amount"),
            (self.cached.is_some() && cached.nanos() < 0, "cached", "a price must not be negative"),
            (
                cached.currency() != self.price.currency(),
                "cached",
                "must be in the currency of `price`",
            ),
            (
                self.maximum()
                    .and_then(|highest| highest.checked_sub(cached))
                    .is_some_and(|left| left.nanos() < 0),
                "cached",
                "must not exceed the price without the cache",
            ),
        ]
        .into_iter()
        .filter_map(|(is_wrong, place, why)| is_wrong.then_some((place, why)))
    }
}

impl PriceList {
    /// Returns the problems that a JSON Schema cannot express. `is_method` returns whether a method
    /// exists, by service, version and name.
    #[must_use]
    pub fn problems(&self, is_method: impl Fn(&str, u32, &str) -> bool) -> Vec<Violation> {
        let mut problems = Vec::new();
        let mut before = HashSet::new();
        for (place, listed) in self.prices.iter().enumerate() {
            let mut add = |at: &str, why: &str| {
                problems.push(Violation {
                    pointer: format!("/prices/{place}{at}"),
                    detail: why.to_owned(),
                });
            };
            let ListedPrice { service, version, method, .. } = listed;
            if !is_method(service, *version, method) {
                add("", &format!("unknown method `{service}/v{version}/{method}`"));
            }
            if !before.insert((service, version, method)) {
                add("", "the method is listed twice");
            }
            for (at, why) in listed.problems() {
                add(&format!("/{at}"), why);
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn price_list_rejects_a_method_that_is_listed_twice() {
        let listed = |(service, version, method): (&str, u32, &str)| ListedPrice {
            service: service.into(),
            version,
            method: method.into(),
            price: Money::literal(1, "USD"),
            per: None,
            cached: None,
        };
        let names = [
            ("a", 1, "x"),
            ("a", 2, "x"),
            ("a", 1, "x"),
            ("a", 1, "y"),
            ("b", 1, "x"),
            ("a", 1, "x"),
        ];
        let prices = names.map(listed).into();
        let list = PriceList { effective_at: DateTime::UNIX_EPOCH, plan: None, prices };
        let problems = list.problems(|_, _, _| true);
        let violations: Vec<_> = problems.iter().map(|it| (&*it.pointer, &*it.detail)).collect();
        assert_eq!(
            violations,
            ["/prices/2", "/prices/5"].map(|place| (place, "the method is listed twice"))
        );
    }
}
