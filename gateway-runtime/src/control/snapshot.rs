//! All that holds at one time.

use std::{collections::BTreeMap, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::PriceList;
use crate::{
    provider::ProviderSettings,
    quota::QuotaSettings,
    section::read_section,
    store::{EditKind, Edited, StoreError},
};

/// All that operators have set, as of one change.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The number of the last change in it; 0 before the first.
    pub version: i64,
    /// All price lists, in their order in time; of two from the same moment on, the later one holds.
    pub prices: Vec<Arc<PriceList>>,
    /// The limits; none as long as those of the configuration hold.
    pub limits: Option<QuotaSettings>,
    /// What is different of providers, by name.
    pub providers: BTreeMap<String, Switches>,
}

/// A provider's switches, as far as an operator has set them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
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

impl Switches {
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

impl Snapshot {
    /// What holds after these changes, which came after this.
    pub(super) fn after(&self, changes: Vec<Edited>, version: i64) -> Result<Self, StoreError> {
        let mut this = Self { version, ..self.clone() };
        for change in changes {
            match change.kind {
                EditKind::Prices => this.prices.push(Arc::new(document(&change)?)),
                EditKind::Limits => this.limits = Some(document(&change)?),
                EditKind::Provider => {
                    this.providers.insert(change.subject.clone(), document(&change)?);
                }
                EditKind::Account | EditKind::Credit | EditKind::Key | EditKind::Hold => {}
            }
        }
        // It keeps the order of those that it does not tell apart, which is that of the changes.
        this.prices.sort_by_key(|list| list.effective_at);
        Ok(this)
    }

    /// Whether calls of accounts with different plans cost different prices.
    #[must_use]
    pub fn tells_plans_apart(&self) -> bool {
        self.prices.iter().any(|list| list.plan.is_some())
    }
}

fn document<T: DeserializeOwned + JsonSchema>(change: &Edited) -> Result<T, StoreError> {
    let problem = |why: String| {
        StoreError::refused(format!(
            "change {} of the settings is not understood, by a newer version? {why}",
            change.id
        ))
    };
    let value = serde_json::from_str(&change.document).map_err(|error| problem(error.to_string()))?;
    read_section("", value).map_err(|problems| problem(problems.join("; ")))
}
