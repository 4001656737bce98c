//! Liveness (`/healthz`) and readiness (`/readyz`): the process runs; it can serve calls.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use crate::edge::admin::state::AdminState;

/// The time limit of a check. A part whose check takes longer is not ready.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// Returns whether the gateway is ready for calls, and the body of `/readyz` with the state of each
/// part. A gateway that drains, or lacks a needed part, is not ready.
pub(super) async fn readiness(state: &AdminState) -> (bool, Value) {
    let asked = state.probes.iter().map(|probe| async {
        let found = timeout(CHECK_TIMEOUT, probe.check())
            .await
            .unwrap_or_else(|_| Err("no reply in time".to_owned()));
        if let Err(why) = &found {
            tracing::warn!(part = probe.name(), reason = why, "not ready");
        }
        (probe.name(), probe.is_needed(), found.err().map(|_| probe.trouble()))
    });
    let parts = join_all(asked).await;
    let draining = state.draining.has_begun();
    let is_ready =
        !draining && parts.iter().all(|(_, is_needed, trouble)| trouble.is_none() || !is_needed);
    // The page needs no token, so it shows one word for each part; the reason is in the log.
    let parts = parts
        .into_iter()
        .map(|(name, _, trouble)| (name.to_owned(), trouble.unwrap_or("ready").into()));
    let parts: Map<_, _> = parts.collect();
    (is_ready, json!({ "ready": is_ready, "draining": draining, "parts": parts }))
}
