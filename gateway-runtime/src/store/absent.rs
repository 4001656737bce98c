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

/// Returns the error of a configured store.
pub(super) fn without_sqlite() -> StartError {
    StartError::new(
        "[store]: this program was built without databases\n\
         help: add `features = [\"sqlite\"]` or `features = [\"postgres\"]` to gateway-runtime in \
         Cargo.toml",
    )
}
