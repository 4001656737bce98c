//! All that holds at one time.

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

/// All that operators have set, as of one change.
#[derive(Clone, Debug, Default)]
pub struct SettingsSnapshot {
    /// The number of the last change in it; 0 before the first.
    pub version: i64,
    /// The price lists that hold or will, in their order in time, each with the number of the change that set it; of two from
    /// the same moment on, the later one holds.
    pub prices: Vec<(i64, Arc<PriceList>)>,
    /// The limits; none as long as those of the configuration hold.
    pub limits: Option<QuotaSettings>,
    /// What is different of providers, by name.
    pub providers: BTreeMap<String, ProviderOverrides>,
}

/// A provider's switches, as far as an operator has set them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderOverrides {
    /// Whether it is asked at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Its share of the calls under the strategy `Weighted`, beside the others' weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1_000_000))]
    pub weight: Option<u32>,
    /// Its place under the strategy `Ordered`, smallest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<i32>,
}

impl ProviderOverrides {
    /// The switches of a provider that the configuration sets as in `settings`.
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
    /// What holds `now` and later, after these changes, which came after this.
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
        // It keeps the order of those that it does not tell apart, which is that of the changes.
        this.prices.sort_by_key(|(_, list)| list.effective_at);
        this.drop_superseded(now);
        Ok(this)
    }

    /// Drops the price lists that never hold again, since one after them, of the same plan, has begun to.
    fn drop_superseded(&mut self, now: DateTime<Utc>) {
        let holding = self.effective_price_lists(now);
        self.prices.retain(|(id, list)| list.effective_at > now || holding.contains(id));
    }

    /// The numbers of the price lists that hold `now`: of each plan the last that has begun to.
    #[must_use]
    pub fn effective_price_lists(&self, now: DateTime<Utc>) -> HashSet<i64> {
        let begun = self.prices.iter().filter(|(_, list)| list.effective_at <= now);
        let last: HashMap<_, _> = begun.map(|(id, list)| (&list.plan, *id)).collect();
        last.into_values().collect()
    }

    /// Whether calls of accounts with different plans cost different prices.
    #[must_use]
    pub fn tells_plans_apart(&self) -> bool {
        self.prices.iter().any(|(_, list)| list.plan.is_some())
    }
}

/// What a change has set.
///
/// # Errors
///
/// When this program does not understand it.
pub(crate) fn parse_change<T: DeserializeOwned + JsonSchema>(
    change: &ChangeRecord,
) -> Result<T, StoreError> {
    let problem = |why: String| {
        StoreError::rejected(format!(
            "change {} of the settings is not understood, by a newer version? {why}",
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

    /// The price list that is the `id`-th change: from when on, of which plan.
    fn listed(id: i64, from: &str, plan: Option<&str>) -> ChangeRecord {
        let effective_at = format!("2020-01-{from}T00:00:00Z");
        let document =
            serde_json::json!({ "effective_at": effective_at, "plan": plan, "prices": [] });
        let (who, subject) = (String::new(), String::new());
        ChangeRecord {
            id,
            at: id,
            who,
            kind: ChangeKind::Prices,
            subject,
            document: document.to_string(),
        }
    }

    fn told(snapshot: &SettingsSnapshot) -> Vec<(String, Option<&str>)> {
        snapshot
            .prices
            .iter()
            .map(|(_, list)| (list.effective_at.format("%d").to_string(), list.plan.as_deref()))
            .collect()
    }

    #[test]
    fn price_lists_that_never_hold_again_are_forgotten() {
        let now = "2020-01-10T00:00:00Z".parse().unwrap();
        let lists = [
            ("02", None),
            ("12", None),
            // From this very moment on.
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
        // Both, though the earlier of them never holds: that is known when they begin.
        expected.push(("20".to_owned(), Some("gold")));
        assert_eq!(told(&at_once), expected);
        // One by one, the same.
        let one_by_one =
            changes.into_iter().fold(SettingsSnapshot::default(), |snapshot, change| {
                let version = change.id;
                snapshot.with_changes(vec![change], version, now).unwrap()
            });
        assert_eq!(one_by_one.prices, at_once.prices);
        // When they have begun, one of each plan is left.
        let later =
            at_once.with_changes(Vec::new(), 9, "2020-02-01T00:00:00Z".parse().unwrap()).unwrap();
        let left = [("12", None), ("15", Some("blue")), ("20", Some("gold"))];
        assert_eq!(told(&later), left.map(|(from, plan)| (from.to_owned(), plan)));
        assert!(later.tells_plans_apart());
        // Of two from the same moment on, the later.
        assert_eq!(
            later.effective_price_lists("2020-02-01T00:00:00Z".parse().unwrap()),
            [2, 7, 8].into()
        );
        assert_eq!(at_once.effective_price_lists(now), [3, 5].into());
    }
}
