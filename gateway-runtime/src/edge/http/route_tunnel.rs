//! The tunnel of a route, from the response that switches protocols to its line in the access log.

use std::time::Duration;

use futures_util::future::BoxFuture;
use http::StatusCode;

use crate::edge::{
    dispatch::tunnel::{TunnelClient, TunnelEnd},
    http::{connection::ClientConnection, route_log::RouteLogEntry},
};

/// Spawns a tunnel. It ends `grace` after the beginning of a shutdown at the latest.
pub(super) fn spawn(
    run: impl FnOnce(TunnelClient) -> BoxFuture<'static, TunnelEnd> + Send + 'static,
    client: ClientConnection,
    entry: RouteLogEntry,
    grace: Duration,
    status: StatusCode,
) {
    let grace_is_over = Box::pin(entry.peer().clone().stopping_for(grace));
    let tunnel =
        TunnelClient { grace_is_over, was_reset: client.was_reset(), reset: client.reset() };
    tokio::spawn(async move {
        let end = run(tunnel).await;
        entry.end_tunnel(status, &end);
        // Counted as in flight until here.
        drop(client);
    });
}
