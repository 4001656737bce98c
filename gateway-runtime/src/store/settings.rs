//! `[store]`: where the books are.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Books, Sqlite};
use crate::{app::StartError, secret::Secret};

/// `[store]`: where the books are. Without either, nothing is written down, and idempotency keys are not honoured.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StoreSettings {
    /// A file of SQLite, made if it is not there; for one gateway.
    pub path: Option<PathBuf>,
    /// A database of PostgreSQL, `postgres://user:password@host/database`; for any number of gateways. Needs the feature
    /// `postgres`.
    pub url: Option<Secret>,
    /// The most connections to PostgreSQL.
    #[schemars(range(min = 1))]
    pub connections: u32,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self { path: None, url: None, connections: 4 }
    }
}

impl StoreSettings {
    /// Opens the books; none when there are to be none.
    ///
    /// # Errors
    ///
    /// When they cannot be opened, and when they are to be in two places.
    pub(crate) async fn open(&self) -> Result<Option<Books>, StartError> {
        let unable = |error: super::StoreError| StartError::new(format!("[store]: {error}"));
        match (&self.path, &self.url) {
            (None, None) => Ok(None),
            (Some(path), None) => Ok(Some(Books::new(Sqlite::open(path).await.map_err(unable)?))),
            (None, Some(url)) => self.connect(url).await.map(Some),
            (Some(_), Some(_)) => Err(StartError::new(
                "[store] has both `path` and `url`: the books are in one place, so drop one (the environment's DB_URL is \
                 `url`)",
            )),
        }
    }

    #[cfg(feature = "postgres")]
    async fn connect(&self, url: &Secret) -> Result<Books, StartError> {
        let connected = super::Postgres::connect(url, self.connections).await;
        connected.map(Books::new).map_err(|error| StartError::new(format!("[store]: {error}")))
    }

    #[cfg(not(feature = "postgres"))]
    async fn connect(&self, _: &Secret) -> Result<Books, StartError> {
        Err(StartError::new(
            "[store] url asks for PostgreSQL, which this program was built without: add `features = [\"postgres\"]` to \
             gateway-runtime in Cargo.toml, or use `path`",
        ))
    }
}
