//! The shape of the database: the gateway's migrations and an author's own, applied at start or when asked to.

use crate::{
    base::start_error::StartError,
    gateway::Gateway,
    store::{MigrationStatus, Migrations},
};

impl Gateway {
    /// Adds migrations of your own, to be applied after the gateway's: what services keep in the database by
    /// [`Db`](crate::Db). Their versions are counted on their own.
    ///
    /// ```no_run
    /// use gateway_runtime::{prelude::*, store::{Migration, Migrations, Sql}};
    ///
    /// # fn add(gateway: Gateway) -> Gateway {
    /// // Of files such as `migrations/0001_guests.up.sql` and `migrations/0001_guests.down.sql`:
    /// // `gateway.migrations(migrations!("migrations"))`; or by hand:
    /// const GUESTS: Sql = Sql { up: "CREATE TABLE guests (name text)", down: "DROP TABLE guests" };
    /// const STEPS: &[Migration] = &[Migration { version: 1, name: "guests", sqlite: Some(GUESTS), postgres: Some(GUESTS) }];
    /// gateway.migrations(Migrations { owner: "guestbook", steps: STEPS })
    /// # }
    /// ```
    #[must_use]
    pub fn migrations(mut self, own: Migrations) -> Self {
        self.migrations.push(own);
        self
    }

    /// Applies what the configured database lacks.
    ///
    /// # Errors
    ///
    /// When a step fails, none is configured, or it is newer than the program.
    pub async fn migrate(&self) -> Result<(), StartError> {
        self.settings.store.migrate(&self.migrations).await
    }

    /// Brings what is `owner`'s (`gateway`, or that of your own migrations) to a version, forward or back; what a step that is
    /// taken back keeps goes with it.
    ///
    /// # Errors
    ///
    /// As [`migrate`](Self::migrate), and when there is no such owner or version.
    pub async fn migrate_to(&self, owner: &str, version: i64) -> Result<(), StartError> {
        self.settings.store.bring_to(&self.migrations, owner, version).await
    }

    /// What the configured database has, and what it lacks.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or none is configured.
    pub async fn migration_status(&self) -> Result<Vec<MigrationStatus>, StartError> {
        self.settings.store.status(&self.migrations).await
    }

    /// Versions are counted for each owner, in a table that bears its name.
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
                    "`{owner}` cannot own migrations: a name has letters, digits, `_` and `-`"
                ));
            } else if known.contains(&table) {
                problems
                    .push(format!("`{owner}` has migrations twice: give the others another owner"));
            }
            known.push(table);
        }
        StartError::from_problems(problems)
    }
}
