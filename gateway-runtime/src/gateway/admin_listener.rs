//! The operator's listener of a running gateway.

use std::{io, net::SocketAddr};

use tokio::{sync::oneshot, task::JoinHandle};

use crate::{
    base::start_error::StartError,
    edge::{
        admin::{AdminService, AdminSettings, AdminState, DrainFlag},
        http::{
            BodyBudget, Compressed, CompressionSettings, DrainOutcome, HttpSettings, Mount, Server,
        },
    },
};

/// The listener, which serves until it is stopped or dropped.
#[derive(Debug)]
pub(super) struct AdminListener {
    pub(super) address: SocketAddr,
    /// The state of the drain, as `/readyz` reports it.
    pub(super) draining: DrainFlag,
    stop: oneshot::Sender<()>,
    served: JoinHandle<io::Result<DrainOutcome>>,
}

impl AdminListener {
    pub(super) fn start(
        settings: &AdminSettings,
        desk: AdminState,
        budget: BodyBudget,
        compression: &CompressionSettings,
    ) -> Result<Self, StartError> {
        let draining = desk.draining.clone();
        let mount = Compressed::new(
            Mount::new("/", AdminService::new(settings, desk, budget)?)?,
            compression,
        );
        let settings = HttpSettings {
            listen: settings.listen,
            workers: Some(std::num::NonZeroUsize::MIN),
            ..HttpSettings::default()
        };
        let unable = |error| StartError::new(format!("[admin]: {error}"));
        let server = Server::bind(&settings).map_err(unable)?;
        let address = server.local_addr();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(server.serve(mount, async {
            // The sender's drop counts too: the handle was dropped.
            let _ = stopped.await;
        }));
        Ok(Self { address, draining, stop, served })
    }

    /// Stops accepting, and waits for the requests in flight.
    pub(super) async fn stop(self) {
        drop(self.stop);
        if let Err(error) = crate::gateway::running::ended(self.served.await) {
            tracing::warn!(%error, "the operator's listener had failed");
        }
    }
}
