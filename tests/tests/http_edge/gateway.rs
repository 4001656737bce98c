//! A gateway for each test.

use std::{net::SocketAddr, num::NonZeroUsize};

use gateway_runtime::{
    App, Secret,
    http::{DrainOutcome, HttpEdge, HttpSettings, Mount, RouteTable, Server},
    pipeline::{Pipeline, Stages},
    registry::{Registry, RegistrySettings},
};
use tokio::{sync::oneshot, task::JoinHandle};

/// A secret as senders issue it: base64 after the prefix.
pub(super) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A running server; it stops with the test's runtime, or on `stop`.
pub(super) struct Gateway {
    pub(super) address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<DrainOutcome>,
}

impl Gateway {
    pub(super) async fn start() -> Self {
        Self::with(HttpSettings::default(), Vec::new()).await
    }

    pub(super) async fn with(settings: HttpSettings, mounts: Vec<Mount>) -> Self {
        let registry = Registry::build(&App::default(), &RegistrySettings::default()).unwrap();
        let mut routes = RouteTable::new(&registry, |_| Some(Secret::new(SECRET))).unwrap();
        for mount in mounts {
            routes.mount(mount).unwrap();
        }
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let settings = HttpSettings { listen, workers: NonZeroUsize::new(1), ..settings };
        let server = Server::bind(&settings).unwrap();
        let address = server.local_addr();
        let edge = HttpEdge::new(routes, Pipeline::new(Stages::default()), settings);
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(async move {
            server.serve(edge, async { drop(stopped.await) }).await.unwrap()
        });
        Self { address, stop, server }
    }

    /// Begins the shutdown; the handle completes at its end.
    pub(super) fn stop(self) -> JoinHandle<DrainOutcome> {
        self.stop.send(()).unwrap();
        self.server
    }
}
