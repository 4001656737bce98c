//! The outbox relay of a gateway with a database.

use tokio::task::JoinSet;

use crate::{base::start_error::StartError, bus::publisher::Publisher, gateway::Gateway};

#[cfg(feature = "sqlite")]
impl Gateway {
    /// Starts the relay that publishes the events in the outbox, if a database is configured.
    pub(super) fn start_outbox_relay(
        &self,
        background: &mut JoinSet<()>,
        publisher: &Publisher,
    ) -> Result<(), StartError> {
        if let Some(db) = self.settings.store.lazy()? {
            background.spawn(crate::bus::publisher::run_outbox_relay(db, publisher.clone()));
        }
        Ok(())
    }
}

#[cfg(not(feature = "sqlite"))]
impl Gateway {
    /// Starts nothing: there is no database, and no outbox.
    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "as with the feature `sqlite`"
    )]
    pub(super) fn start_outbox_relay(
        &self,
        _: &mut JoinSet<()>,
        _: &Publisher,
    ) -> Result<(), StartError> {
        Ok(())
    }
}
