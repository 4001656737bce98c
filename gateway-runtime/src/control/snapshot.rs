//! A snapshot of the settings of operators.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    control::PriceList,
    json::section::parse_section,
    provider::ProviderSettings,
    quota::QuotaSettings,
    store::{ChangeKind, ChangeRecord, StoreError},
};

/// A snapshot of all settings of operators, as of one change.
#[derive(Clone, Debug, Default)]
pub struct SettingsSnapshot {
    /// The number of the last change in it; 0 before the first.
    pub version: i64,
    /// The price lists in force or scheduled, in order of time, each with the number of the change
    /// that set it. Of two lists with the same time, the later change is in force.
    pub prices: Vec<(i64, Arc<PriceList>)>,
    /// The limits; `None` while those of the configuration are in force.
    pub limits: Option<QuotaSettings>,
    /// The overrides of providers, by name.
    pub providers: BTreeMap<String, ProviderOverrides>,
}

/// An operator's overrides of a provider's settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderOverrides {
    /// Whether the provider may be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// The weight under the strategy `Weighted`: the share of the calls, relative to the other
    /// weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1_000_000))]
    pub weight: Option<u32>,
    /// The position under the strategy `Ordered`, smallest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<i32>,
}

impl ProviderOverrides {
    /// Returns the settings of a provider: these overrides, and `settings` of the configuration
    /// where there is none.
    #[must_use]
    pub fn over(&self, settings: &ProviderSettings) -> ProviderSettings {
        ProviderSettings {
            enabled: self.enabled.unwrap_or(settings.enabled),
            weight: self.weight.unwrap_or(settings.weight),
            order: self.order.unwrap_or(settings.order),
        }
    }
}

impl SettingsSnapshot {
    /// Returns the snapshot after `changes`, which follow this one, without lists that are
    /// superseded `now`.
    pub(super) fn with_changes(
        &self,
        changes: Vec<ChangeRecord>,
        version: i64,
        now: DateTime<Utc>,
    ) -> Result<Self, StoreError> {
        let mut this = Self { version, ..self.clone() };
        for change in changes {
            match change.kind {
                ChangeKind::Prices => {
                    this.prices.push((change.id, Arc::new(parse_change(&change)?)))
                }
                ChangeKind::Limits => this.limits = Some(parse_change(&change)?),
                ChangeKind::Provider => {
                    this.providers.insert(change.subject.clone(), parse_change(&change)?);
                }
                ChangeKind::Account | ChangeKind::Credit | ChangeKind::Key | ChangeKind::Hold => {}
            }
        }
        // The sort is stable: lists with the same time keep the order of the changes.
        this.prices.sort_by_key(|(_, list)| list.effective_at);
        this.drop_superseded(now);
        Ok(this)
    }

    /// Drops the price lists that are never in force again, because a later one of the same plan is
    /// effective.
    fn drop_superseded(&mut self, now: DateTime<Utc>) {
        let holding = self.effective_price_lists(now);
        self.prices.retain(|(id, list)| list.effective_at > now || holding.contains(id));
    }

    /// Returns the numbers of the price lists in force `now`: of each plan the last one that is
    /// effective.
    #[must_use]
    pub fn effective_price_lists(&self, now: DateTime<Utc>) -> HashSet<i64> {
        let begun = self.prices.iter().filter(|(_, list)| list.effective_at <= now);
        let last: HashMap<_, _> = begun.map(|(id, list)| (&list.plan, *id)).collect();
        last.into_values().collect()
    }

    /// Returns whether any price list is for one plan, so that prices differ by plan.
    #[must_use]
    pub fn differs_by_plan(&self) -> bool {
        self.prices.iter().any(|(_, list)| list.plan.is_some())
    }
}

/// Parses the value that a change has set.
///
/// # Errors
///
/// Fails if this program does not understand the value.
pub(crate) fn parse_change<T: DeserializeOwned + JsonSchema>(
    change: &ChangeRecord,
) -> Result<T, StoreError> {
    let problem = |why: String| {
        StoreError::rejected(format!(
            "change {} of the settings is invalid, and may be of a newer version: {why}",
            change.id
        ))
    };
    let value =
        serde_json::from_str(&change.document).map_err(|error| problem(error.to_string()))?;
    parse_section("", value).map_err(|problems| problem(problems.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns change number `id`, a price list of `plan` that is effective from day `from`.
    fn listed(id: i64, from: &str, plan: Option<&str>) -> ChangeRecord {
        let effective_at = format!("2020-01-{from}T00:00:00Z");
        let document =
            serde_json::json!({ "effective_at": effective_at, "plan": plan, "prices": [] });
        let who = String::new();
        let subject = String::new();
        ChangeRecord {
            id,
            at: id,
            who,
            kind: ChangeKind::Prices,
            subject,
            document: document.to_string(),
        }
    }

    fn days_and_plans(snapshot: &SettingsSnapshot) -> Vec<(String, Option<&str>)> {
        snapshot
            .prices
            .iter()
            .map(|(_, list)| (list.effective_at.format("%d").to_string(), list.plan.as_deref()))
            .collect()
    }

    #[test]
    fn snapshot_drops_superseded_price_lists() {
        let now = "2020-01-10T00:00:00Z".parse().unwrap();
        let lists = [
            ("02", None),
            ("12", None),
            // Effective exactly now.
            ("10", None),
            ("05", None),
            ("01", Some("gold")),
            ("20", Some("gold")),
            ("15", Some("blue")),
            ("20", Some("gold")),
        ];
        let changes: Vec<_> =
            (1..).zip(lists).map(|(id, (from, plan))| listed(id, from, plan)).collect();
        let at_once = SettingsSnapshot::default().with_changes(changes.clone(), 8, now).unwrap();
        let expected = [
            ("01", Some("gold")),
            ("10", None),
            ("12", None),
            ("15", Some("blue")),
            ("20", Some("gold")),
        ];
        let mut expected = expected.map(|(from, plan)| (from.to_owned(), plan)).to_vec();
        // Both lists stay until they are effective, though the earlier one will never be in force.
        expected.push(("20".to_owned(), Some("gold")));
        assert_eq!(days_and_plans(&at_once), expected);
        // The same changes one by one give the same lists.
        let one_by_one =
            changes.into_iter().fold(SettingsSnapshot::default(), |snapshot, change| {
                let version = change.id;
                snapshot.with_changes(vec![change], version, now).unwrap()
            });
        assert_eq!(one_by_one.prices, at_once.prices);
        // When all lists are effective, one of each plan is left.
        let later =
            at_once.with_changes(Vec::new(), 9, "2020-02-01T00:00:00Z".parse().unwrap()).unwrap();
        let left = [("12", None), ("15", Some("blue")), ("20", Some("gold"))];
        assert_eq!(days_and_plans(&later), left.map(|(from, plan)| (from.to_owned(), plan)));
        assert!(later.differs_by_plan());
        // Of two lists with the same time, the later change.
        assert_eq!(
            later.effective_price_lists("2020-02-01T00:00:00Z".parse().unwrap()),
            [2, 7, 8].into()
        );
        assert_eq!(at_once.effective_price_lists(now), [3, 5].into());
    }
}
