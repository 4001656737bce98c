//! The request log as events, topic `gateway.log.service_request.{service}`, if `[bus] request_log`
//! is set (SEMANTICS §8).
//!
//! Calls do not wait for it: records that arrive faster than the broker accepts them are not
//! published, and counted. The store has them all the same.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinHandle,
};

use crate::{
    base::money::{Currency, Money},
    bus::publisher::Publisher,
    store::RequestRecord,
};

/// The maximum number of records that wait to be published.
const MAX_QUEUED: usize = 8192;
/// The maximum number of records in flight to the broker.
const MAX_IN_FLIGHT: usize = 256;

/// A sender of records to the publishing task.
#[derive(Clone, Debug)]
pub(crate) struct RequestLogPublisher {
    records: mpsc::Sender<RequestRecord>,
    lost: Arc<AtomicU64>,
}

impl RequestLogPublisher {
    /// Starts the publishing task, which ends when the last sender is dropped.
    pub(crate) fn start(publisher: Publisher) -> (Self, JoinHandle<()>) {
        let (records, receiver) = mpsc::channel(MAX_QUEUED);
        (Self { records, lost: Arc::default() }, tokio::spawn(publish(publisher, receiver)))
    }

    /// Queues the record of a request; drops it if the queue is full.
    pub(crate) fn tell(&self, request: &RequestRecord) {
        if self.records.try_send(request.clone()).is_err() {
            // Only each power of two, so that a long outage does not fill the log.
            let lost = self.lost.fetch_add(1, Ordering::Relaxed) + 1;
            if lost.is_power_of_two() {
                tracing::warn!(lost, "request records arrive faster than they can be published");
            }
        }
    }
}

async fn publish(publisher: Publisher, mut receiver: mpsc::Receiver<RequestRecord>) {
    let slots = Arc::new(Semaphore::new(MAX_IN_FLIGHT));
    while let Some(request) = receiver.recv().await {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { break };
        let publisher = publisher.clone();
        tokio::spawn(async move {
            let _slot = slot;
            let topic = format!("gateway.log.service_request.{}", request.service);
            let published = match publisher.event(&topic, &view(&request)) {
                Ok(event) => event.id(&*request.call).subject(request.request_id).publish().await,
                Err(error) => Err(error),
            };
            if let Err(error) = published {
                tracing::debug!(internal = error.log_message(), "request record not published");
            }
        });
    }
    // Waits for the records in flight.
    let _ = slots.acquire_many(u32::try_from(MAX_IN_FLIGHT).unwrap_or(u32::MAX)).await;
}

fn view(request: &RequestRecord) -> Value {
    let money = |nanos: Option<i64>, currency: Option<Currency>| {
        let money = Money::from_nanos(nanos?, currency?);
        Some(json!({ "amount": money.amount(), "currency": money.currency().code() }))
    };
    let at = SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(request.at).unwrap_or(0));
    let attempts = request
        .attempts
        .as_deref()
        .and_then(|attempts| serde_json::from_str::<Value>(attempts).ok());
    json!({
        "request_id": request.request_id,
        "at": DateTime::<Utc>::from(at).to_rfc3339_opts(SecondsFormat::Micros, true),
        "account": request.account,
        "user": request.user,
        "origin": request.origin,
        "service": request.service,
        "version": request.version,
        "method": request.method,
        "status": request.status,
        "code": request.code,
        "fulfilled": request.fulfilled,
        "cache_hit": request.cache_hit,
        "replay": request.replay,
        "price": money(request.price, request.currency),
        "cost": money(request.cost, request.cost_currency),
        "provider": request.provider,
        "duration_us": request.duration,
        "peer": request.peer,
        "trace": request.trace,
        "attempts": attempts,
    })
}
