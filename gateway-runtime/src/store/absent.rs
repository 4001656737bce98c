//! A substitute for the databases in a program that was built without them: each use of a
//! configured one is an error.

#![expect(clippy::unused_async, reason = "as with the feature `sqlite`")]

use crate::{
    base::start_error::StartError,
    store::{MigrationStatus, Migrations, Store, StoreSettings},
};

impl StoreSettings {
    /// Returns `None`; fails if a store is configured.
    pub(crate) async fn open(&self, _: &[Migrations]) -> Result<Option<Store>, StartError> {
        self.check().map(|()| None)
    }

    /// Fails always.
    pub(crate) async fn migrate(&self, _: &[Migrations]) -> Result<(), StartError> {
        Err(without_sqlite())
    }

    /// Fails always.
    pub(crate) async fn migrate_to(
        &self,
        _: &[Migrations],
        _: &str,
        _: i64,
    ) -> Result<(), StartError> {
        Err(without_sqlite())
    }

    /// Fails always.
    pub(crate) async fn status(
        &self,
        _: &[Migrations],
    ) -> Result<Vec<MigrationStatus>, StartError> {
        Err(without_sqlite())
    }
}

/// Returns the error of a migration without a database.
fn without_sqlite() -> StartError {
    StartError::new(
        "this program was built without databases\n\
         help: add the feature `sqlite` or `postgres` to gateway-runtime in Cargo.toml",
    )
}

/// Returns the error of a configured store.
pub(super) fn store_without_sqlite(has_url: bool) -> StartError {
    let (key, feature) = if has_url { ("url", "postgres") } else { ("path", "sqlite") };
    StartError::new(format!(
        "[store]: this program was built without databases\n\
         help: add the feature `{feature}` to gateway-runtime in Cargo.toml, or remove `{key}`"
    ))
}
