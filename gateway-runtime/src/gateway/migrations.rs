//! Database migrations: the gateway's and an author's own, applied at start or on request.

use crate::{
    base::start_error::StartError,
    gateway::Gateway,
    store::{MigrationStatus, Migrations},
};

impl Gateway {
    /// Adds migrations of your own, which are applied after the gateway's: the tables that services
    /// use through [`Db`](crate::Db). Versions are counted for each owner.
    ///
    /// ```no_run
    /// use gateway_runtime::{db::{Migration, Migrations, Sql}, prelude::*};
    ///
    /// # fn add(gateway: Gateway) -> Gateway {
    /// // From files such as `migrations/0001_guests.up.sql` and
    /// // `migrations/0001_guests.down.sql`: `gateway.migrations(migrations!("migrations"))`;
    /// // or by hand:
    /// const GUESTS: Sql =
    ///     Sql { up: "CREATE TABLE guests (name text)", down: "DROP TABLE guests" };
    /// const STEPS: &[Migration] = &[Migration {
    ///     version: 1,
    ///     name: "guests",
    ///     sqlite: Some(GUESTS),
    ///     postgres: Some(GUESTS),
    /// }];
    /// gateway.migrations(Migrations { owner: "guestbook", steps: STEPS })
    /// # }
    /// ```
    #[must_use]
    pub fn migrations(mut self, own: Migrations) -> Self {
        self.migrations.push(own);
        self
    }

    /// Applies the migrations that the configured database lacks.
    ///
    /// # Errors
    ///
    /// Returns an error if a step fails, no database is configured, or the database is newer than
    /// the program.
    pub async fn migrate(&self) -> Result<(), StartError> {
        self.settings.store.migrate(&self.migrations).await
    }

    /// Migrates the tables of `owner` (`gateway`, or the owner of your own migrations) to a
    /// version, forward or back. A step that is reverted deletes its data.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`migrate`](Self::migrate), and one if there is no such owner or
    /// version.
    pub async fn migrate_to(&self, owner: &str, version: i64) -> Result<(), StartError> {
        self.settings.store.migrate_to(&self.migrations, owner, version).await
    }

    /// Returns the migrations that the configured database has, and those that it lacks.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read, or none is configured.
    pub async fn migration_status(&self) -> Result<Vec<MigrationStatus>, StartError> {
        self.settings.store.status(&self.migrations).await
    }

    /// Checks the owners of migrations. Their names become names of tables, which hold the
    /// versions.
    pub(super) fn check_owners(&self) -> Result<(), StartError> {
        let is_name = |name: &str| {
            !name.is_empty()
                && name.len() < 40
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        };
        let mut known = vec!["gateway".to_owned()];
        let mut problems = Vec::new();
        for Migrations { owner, .. } in &self.migrations {
            let table = owner.replace('-', "_");
            if !is_name(owner) {
                problems.push(format!(
                    "invalid owner of migrations `{owner}`\n\
                     help: use at most 39 letters, digits, `_` and `-`"
                ));
            } else if known.contains(&table) {
                problems.push(format!(
                    "duplicate owner of migrations `{owner}`\nhelp: give the others another owner"
                ));
            }
            known.push(table);
        }
        StartError::from_problems(problems)
    }
}
