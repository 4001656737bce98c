//! `/healthz` and `/readyz`: whether the program runs, and whether it can do its work.

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

/// How long what is asked may take before it counts as away.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// Something that the gateway cannot do its work without.
pub trait ReadinessCheck: fmt::Debug + Send + Sync {
    /// Its name, such as `database`.
    fn name(&self) -> &'static str;

    /// Whether the gateway is not ready without it; else it only does less.
    fn is_needed(&self) -> bool {
        true
    }

    /// What it is when it is not ready, in a word that anybody may read.
    fn trouble(&self) -> &'static str {
        "away"
    }

    /// Whether it is there.
    ///
    /// # Errors
    ///
    /// Why not, for the log.
    fn check(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>>;
}

/// The database of the books.
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

/// The server of quotas and cached answers. Without it quotas go by shares, and answers are made anew.
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

/// The broker of the bus.
#[derive(Debug)]
pub struct BusProbe {
    /// The broker.
    pub broker: Arc<dyn Broker>,
    /// Whether requests are sent over it.
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

/// Whether calls that come by the bus are executed. Nothing but a restart helps where methods have stopped to end.
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

/// Whether the gateway is ready for calls, and what is said of its parts. It is not when it has been told to stop, or a
/// part is away.
pub(super) async fn readiness(desk: &AdminState) -> (bool, Value) {
    let asked = desk.probes.iter().map(|probe| async {
        let found = timeout(CHECK_TIMEOUT, probe.check())
            .await
            .unwrap_or_else(|_| Err("no answer in time".to_owned()));
        if let Err(why) = &found {
            tracing::warn!(part = probe.name(), why, "not ready");
        }
        (probe.name(), probe.is_needed(), found.err().map(|_| probe.trouble()))
    });
    let parts = join_all(asked).await;
    let draining = desk.draining.has_begun();
    let is_ready =
        !draining && parts.iter().all(|(_, is_needed, trouble)| trouble.is_none() || !is_needed);
    // Anybody may ask: more than a word of what is wrong stands in the log.
    let parts = parts
        .into_iter()
        .map(|(name, _, trouble)| (name.to_owned(), trouble.unwrap_or("ready").into()));
    let parts: Map<_, _> = parts.collect();
    (is_ready, json!({ "ready": is_ready, "draining": draining, "parts": parts }))
}
