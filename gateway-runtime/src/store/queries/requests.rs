//! The search of the request log, among millions of rows.
//!
//! Columns with few values are matched against the request kinds, of which there are few; columns
//! with many values have an index each. The access path is the most selective condition: if few
//! requests match it, all of them are read. If no condition is selective, the access path is an
//! index in the order of time; as matches are frequent then, few rows are read in vain.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

use crate::store::{
    RequestQuery, RequestRecord, Statement, Store, StoreError,
    sql::statements::{
        access_path::{AccessPath, SELECTIVE_LIMIT, frequency},
        requests::{find_kinds, requests, requests_named},
    },
};

/// The argument of the statements.
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
    /// Returns the records of these calls, newest first.
    ///
    /// # Errors
    ///
    /// Fails if the database is unavailable or slow.
    pub async fn requests(&self, calls: &[&str]) -> Result<Vec<RequestRecord>, StoreError> {
        self.read(&requests_named(), &json!({ "calls": calls })).await
    }

    /// Returns the newest records, newest first.
    ///
    /// # Errors
    ///
    /// Fails if the database is unavailable or slow.
    pub async fn recent_requests(&self, count: u32) -> Result<Vec<RequestRecord>, StoreError> {
        self.search(&RequestQuery::default(), count).await
    }

    /// Returns the newest requests that match `search`, newest first; at most `count`.
    ///
    /// # Errors
    ///
    /// Fails if the database is unavailable or slow.
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

    /// Chooses the access path of a query.
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
