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
        let ids = search.id_range();
        let mut argument =
            QueryArgument { search, low: ids.start, high: ids.end, count, kinds: Vec::new() };
        let has_kinds = search.has_kinds();
        if has_kinds {
            argument.kinds = self.find(find_kinds(search), &argument).await?;
            if argument.kinds.is_empty() {
                return Ok(Vec::new());
            }
        }
        let path = self.access_path(search, &argument).await?;
        self.find(requests(search, path), &argument).await
    }

    /// Chooses the access path of a query.
    async fn access_path(
        &self,
        search: &RequestQuery,
        argument: &QueryArgument<'_>,
    ) -> Result<AccessPath, StoreError> {
        let paths: Vec<_> = AccessPath::of(search).collect();
        match paths[..] {
            [] => return Ok(AccessPath::Newest),
            [only] if only.is_in_order() => return Ok(only),
            _ => {}
        }
        let mut rarest = None;
        let mut fewest = SELECTIVE_LIMIT;
        for path in &paths {
            let number: Vec<u32> = self.find(frequency(search, *path), argument).await?;
            let number = number.first().copied().unwrap_or(0);
            if number < fewest {
                rarest = Some(*path);
                fewest = number;
            }
        }
        let in_order =
            || paths.iter().copied().find(|path| path.is_in_order()).unwrap_or(AccessPath::Newest);
        Ok(rarest.unwrap_or_else(in_order))
    }

    async fn find<T: DeserializeOwned>(
        &self,
        statement: Statement,
        argument: &QueryArgument<'_>,
    ) -> Result<Vec<T>, StoreError> {
        self.read(&statement, argument).await
    }
}
