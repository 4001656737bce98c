//! The `[store]` section: the location of the store.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::{secret::Secret, start_error::StartError};

/// `[store]`: the location of the store. Without `path` and `url` nothing is recorded, and
/// idempotency keys are not honoured.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StoreSettings {
    /// The SQLite file, created if it does not exist; for one gateway.
    pub path: Option<PathBuf>,
    /// The PostgreSQL database, `postgres://user:password@host/database`; for any number of
    /// gateways. Needs the feature `postgres`.
    pub url: Option<Secret>,
    /// The most connections to PostgreSQL.
    #[schemars(range(min = 1))]
    pub connections: u32,
    /// Whether the gateway applies missing migrations when it starts. If not, it refuses to start
    /// with an older database, and `gateway db migrate` applies them.
    pub migrate: bool,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self { path: None, url: None, connections: 4, migrate: true }
    }
}

/// The configured database: a file or a server.
pub(super) enum DatabaseLocation<'a> {
    File(&'a Path),
    Server(&'a Secret),
}

impl StoreSettings {
    /// Returns whether a database is configured.
    pub(crate) fn is_configured(&self) -> bool {
        self.path.is_some() || self.url.is_some()
    }

    /// Checks the settings without a connection.
    ///
    /// # Errors
    ///
    /// Fails if both locations are set, or one is invalid.
    pub(crate) fn check(&self) -> Result<(), StartError> {
        #[cfg(not(feature = "sqlite"))]
        if self.is_configured() {
            return Err(crate::store::absent::store_without_sqlite(self.url.is_some()));
        }
        self.location().map(drop)
    }

    /// Returns the configured database.
    ///
    /// # Errors
    ///
    /// Fails if both locations are set, or one is invalid.
    pub(super) fn location(&self) -> Result<Option<DatabaseLocation<'_>>, StartError> {
        match (&self.path, &self.url) {
            (None, None) => Ok(None),
            (Some(path), None) if path.as_os_str().is_empty() => Err(StartError::new(
                "`store.path` in the configuration: the path is empty\n\
                 help: write the path of a file, such as `gateway.db`; without `path` and `url` \
                 nothing is recorded",
            )),
            (Some(path), None) => Ok(Some(DatabaseLocation::File(path))),
            (None, Some(url)) => match unsupported(url.expose()) {
                Some(problem) => {
                    Err(StartError::new(format!("`store.url` in the configuration: {problem}")))
                }
                None => Ok(Some(DatabaseLocation::Server(url))),
            },
            (Some(_), Some(_)) => Err(StartError::new(
                "[store]: both `path` and `url` are set\n\
                 help: remove one of them (in the environment: `DB_URL` is `url`)",
            )),
        }
    }
}

/// Returns why a URL is not one of PostgreSQL. The message repeats nothing after the scheme, which
/// may include a password.
fn unsupported(url: &str) -> Option<String> {
    const FORM: &str = "write `postgres://user:password@host/database`";
    let Some((scheme, _)) = url.split_once("://") else {
        return Some(format!("the URL has no scheme\nhelp: {FORM}"));
    };
    let is_scheme = |b: u8| b.is_ascii_alphanumeric() || b"+-.".contains(&b);
    match scheme {
        "postgres" | "postgresql" => None,
        "sqlite" | "file" => {
            Some(format!("the URL is that of a file\nhelp: use `store.path` for SQLite, or {FORM}"))
        }
        _ if scheme.bytes().all(is_scheme) && !scheme.is_empty() => Some(format!(
            "`{scheme}` databases are not supported\nhelp: {FORM}, or use `store.path` for SQLite"
        )),
        _ => Some(format!("the URL has no valid scheme\nhelp: {FORM}")),
    }
}
