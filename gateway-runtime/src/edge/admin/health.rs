//! Liveness (`/healthz`) and readiness (`/readyz`): the process runs; it can serve calls.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use futures_util::future::join_all;
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use crate::{
    bus::{Broker, CallsStatus},
    edge::admin::state::AdminState,
    redis::Redis,
    store::Store,
};

/// The time limit of a check. A part whose check takes longer is not ready.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// A readiness check of a part that the gateway depends on, such as the database.
pub trait ReadinessCheck: fmt::Debug + Send + Sync {
    /// Returns the name of the part, such as `database`.
    fn name(&self) -> &'static str;

    /// Returns whether the gateway is not ready without the part. Without other parts it is ready,
    /// and does less.
    fn is_needed(&self) -> bool {
        true
    }

    /// Returns one word for the state of the part when it is not ready. `/readyz` shows it to
    /// everyone.
    fn trouble(&self) -> &'static str {
        "away"
    }

    /// Checks that the part is ready.
    ///
    /// # Errors
    ///
    /// The reason why the part is not ready, for the log.
    fn check(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>>;
}

/// The database of the store.
impl ReadinessCheck for Store {
    fn name(&self) -> &'static str {
        "database"
    }

    fn check(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        Box::pin(async {
            self.ping().await.map_err(|error| error.to_string())?;
            self.check_writing().await.map_err(|error| error.to_string())
        })
    }

    fn trouble(&self) -> &'static str {
        self.writing_trouble()
    }
}

/// The server of quotas and cached replies. Without it, quotas use the local share (SEMANTICS §6)
/// and no reply comes from the cache.
impl ReadinessCheck for Redis {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn is_needed(&self) -> bool {
        false
    }

    fn check(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        Box::pin(async { self.get("readyz").await.map(drop).map_err(|error| error.to_string()) })
    }
}

/// The readiness check of the bus: the state of its broker.
#[derive(Debug)]
pub struct BusProbe {
    /// The broker.
    pub broker: Arc<dyn Broker>,
    /// Whether routes send requests over the bus, so that the gateway is not ready without it.
    pub is_needed: bool,
}

impl ReadinessCheck for BusProbe {
    fn name(&self) -> &'static str {
        "bus"
    }

    fn is_needed(&self) -> bool {
        self.is_needed
    }

    fn check(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        Box::pin(async { self.broker.state().map_err(|error| error.to_string()) })
    }
}

/// The readiness check of calls by the bus: it fails while messages wait and no slot has become
/// free for longer than any call may take. Only a restart helps, because the methods that hold the
/// slots do not end.
#[derive(Debug)]
pub struct CallsProbe(pub Arc<CallsStatus>);

impl ReadinessCheck for CallsProbe {
    fn name(&self) -> &'static str {
        "calls"
    }

    fn check(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        let stuck = self.0.stuck().map(|stalled| {
            let waiting = self.0.stats().waiting;
            format!(
                "{waiting} messages wait, and no slot has become free for {} s",
                stalled.as_secs()
            )
        });
        Box::pin(async { stuck.map_or(Ok(()), Err) })
    }
}

/// Returns whether the gateway is ready for calls, and the body of `/readyz` with the state of each
/// part. A gateway that drains, or lacks a needed part, is not ready.
pub(super) async fn readiness(state: &AdminState) -> (bool, Value) {
    let asked = state.probes.iter().map(|probe| async {
        let found = timeout(CHECK_TIMEOUT, probe.check())
            .await
            .unwrap_or_else(|_| Err("no answer in time".to_owned()));
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
