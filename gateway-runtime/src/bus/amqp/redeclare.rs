//! The periodic restore of the declared topology.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use crate::bus::{
    BusError,
    amqp::{connection::AmqpConnection, state::AmqpState},
};

/// The interval of the periodic restore.
const REDECLARE_INTERVAL: Duration = Duration::from_secs(10);

/// Declares everything again at intervals, until the broker is dropped.
pub(super) async fn keep_declared(shared: Weak<AmqpState>) {
    let mut last = Ok(());
    loop {
        sleep(REDECLARE_INTERVAL).await;
        let Some(shared) = shared.upgrade() else { return };
        let Ok(wire) = shared.publishing.now() else { continue };
        if shared.declared.is_empty() {
            continue;
        }
        let restoring = tokio::time::timeout(shared.connect_timeout, restore(&shared, wire));
        let Ok(ended) = restoring.await else { continue };
        if let Err(error) = &ended
            && ended != last
        {
            tracing::warn!(target: "gateway::bus", %error, "queues and exchanges not redeclared");
        }
        last = ended;
    }
}

async fn restore(shared: &AmqpState, wire: Arc<AmqpConnection>) -> Result<(), BusError> {
    shared.declared.restore(&wire, Instant::now()).await
}
