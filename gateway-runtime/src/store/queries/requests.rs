//! Finds requests among millions.
//!
//! What has few values is looked for among the kinds of requests, of which there are few; what has many has an index of
//! its own. The rarest of what is asked for leads: where few requests have it, they are all looked at. If nothing is rare,
//! an index that is in the order of time leads, and as what is asked for is frequent, few are looked at in vain.

use serde::{Serialize, de::DeserializeOwned};

use crate::store::{
    RequestQuery, RequestRecord, StoreError,
    commit::Store,
    sql::statements::{
        Statement,
        access_path::{AccessPath, SELECTIVE_LIMIT, frequency},
        requests::{find_kinds, requests},
    },
};

/// What is bound.
#[derive(Serialize)]
struct QueryArgument<'s> {
    #[serde(flatten)]
    search: &'s RequestQuery,
    low: String,
    high: String,
    count: u32,
    kinds: Vec<i64>,
}

impl Store {
    /// The newest requests for which all of `search` is so, newest first; at most `count`.
    ///
    /// # Errors
    ///
    /// When the database is away or slow.
    pub async fn search(
        &self,
        search: &RequestQuery,
        count: u32,
    ) -> Result<Vec<RequestRecord>, StoreError> {
        let names = search.id_range();
        let mut argument =
            QueryArgument { search, low: names.start, high: names.end, count, kinds: Vec::new() };
        let has_kinds = search.has_kinds();
        if has_kinds {
            argument.kinds = self.ask(find_kinds(search), &argument).await?;
            if argument.kinds.is_empty() {
                return Ok(Vec::new());
            }
        }
        let lead = self.lead(search, &argument).await?;
        self.ask(requests(search, lead), &argument).await
    }

    /// By which of what is asked for requests are found.
    async fn lead(
        &self,
        search: &RequestQuery,
        argument: &QueryArgument<'_>,
    ) -> Result<AccessPath, StoreError> {
        let leads: Vec<_> = AccessPath::of(search).collect();
        match leads[..] {
            [] => return Ok(AccessPath::Newest),
            [only] if only.is_in_order() => return Ok(only),
            _ => {}
        }
        let (mut rarest, mut fewest) = (None, SELECTIVE_LIMIT);
        for lead in &leads {
            let number: Vec<u32> = self.ask(frequency(search, *lead), argument).await?;
            let number = number.first().copied().unwrap_or(0);
            if number < fewest {
                (rarest, fewest) = (Some(*lead), number);
            }
        }
        let in_order =
            || leads.iter().copied().find(|lead| lead.is_in_order()).unwrap_or(AccessPath::Newest);
        Ok(rarest.unwrap_or_else(in_order))
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        statement: Statement,
        argument: &QueryArgument<'_>,
    ) -> Result<Vec<T>, StoreError> {
        self.read(&statement, argument).await
    }
}
