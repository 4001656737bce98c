//! Readiness checks: the parts that a gateway depends on, such as the database and the bus.

use std::{fmt, sync::Arc};

use futures_util::future::BoxFuture;

use crate::{
    bus::{Broker, CallsStatus},
    redis::Redis,
    store::Store,
};

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
    fn check(&self) -> BoxFuture<'_, Result<(), String>>;
}

/// The database of the store.
impl ReadinessCheck for Store {
    fn name(&self) -> &'static str {
        "database"
    }

    fn check(&self) -> BoxFuture<'_, Result<(), String>> {
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

    fn check(&self) -> BoxFuture<'_, Result<(), String>> {
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

    fn check(&self) -> BoxFuture<'_, Result<(), String>> {
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

    fn check(&self) -> BoxFuture<'_, Result<(), String>> {
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
