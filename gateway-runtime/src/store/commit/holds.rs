//! Rows of holds.

use std::{borrow::Cow, sync::Arc};

use serde::Deserialize;

use crate::{
    base::money::Money,
    store::{Attribution, Hold, Value, commit::balance_key::BalanceKey},
};

/// A hold as it is stored. A row that an earlier version of the program wrote has no attribution.
#[derive(Deserialize)]
pub(in crate::store) struct HoldRow {
    call: Arc<str>,
    #[serde(flatten)]
    key: BalanceKey,
    amount: i64,
    at: i64,
    until: i64,
    lasting: bool,
    request_id: Option<String>,
    user: Option<Arc<str>>,
    origin: Option<String>,
    service: Option<String>,
    version: Option<u32>,
    method: Option<String>,
    peer: Option<String>,
    trace: Option<String>,
    provider: Option<String>,
}

impl From<HoldRow> for Hold {
    fn from(row: HoldRow) -> Self {
        let BalanceKey { account, currency } = row.key;
        let text = |text: Option<String>| Cow::Owned(text.unwrap_or_default());
        let attribution = Attribution {
            request_id: row.request_id.unwrap_or_else(|| row.call.to_string()),
            user: row.user,
            origin: text(row.origin),
            service: text(row.service),
            version: row.version.unwrap_or(0),
            method: text(row.method),
            peer: row.peer,
            trace: row.trace,
            provider: row.provider.map(Cow::Owned),
        };
        Self {
            call: row.call,
            account,
            amount: Money::from_nanos(row.amount, currency),
            at: row.at,
            until: row.until,
            may_have_effect: row.lasting,
            attribution: Arc::new(attribution),
        }
    }
}

pub(in crate::store) fn as_values(hold: &Hold) -> [Value<'_>; 16] {
    let Hold { call, account, amount, at, until, may_have_effect: lasting, attribution } = hold;
    let currency = amount.code();
    let nanos = amount.nanos();
    [
        (&**call).into(),
        (&**account).into(),
        currency.into(),
        nanos.into(),
        (*at).into(),
        (*until).into(),
        (*lasting).into(),
        attribution.request_id.as_str().into(),
        attribution.user.as_deref().into(),
        (&*attribution.origin).into(),
        (&*attribution.service).into(),
        i64::from(attribution.version).into(),
        (&*attribution.method).into(),
        attribution.peer.as_deref().into(),
        attribution.trace.as_deref().into(),
        attribution.provider.as_deref().into(),
    ]
}
