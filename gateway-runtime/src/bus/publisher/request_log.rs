//! The record of each request as an event, `gateway.log.service_request.{service}`, where `[bus] log` asks for it.
//!
//! Calls do not wait for it: what comes faster than the broker takes it is lost to the feed, and counted; the books have it.

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

/// So many wait to be published.
const MAX_QUEUED: usize = 8192;
/// So many are on their way to the broker at once.
const MAX_IN_FLIGHT: usize = 256;

/// Where records are told.
#[derive(Clone, Debug)]
pub(crate) struct RequestLogPublisher {
    records: mpsc::Sender<RequestRecord>,
    lost: Arc<AtomicU64>,
}

impl RequestLogPublisher {
    /// The feed, and the task that publishes it, which ends when nobody tells any more.
    pub(crate) fn start(publisher: Publisher) -> (Self, JoinHandle<()>) {
        let (records, told) = mpsc::channel(MAX_QUEUED);
        (Self { records, lost: Arc::default() }, tokio::spawn(publish(publisher, told)))
    }

    /// Tells of a request.
    pub(crate) fn tell(&self, request: &RequestRecord) {
        if self.records.try_send(request.clone()).is_err() {
            // Each power of two: a broker that is away for long does not fill the log.
            let lost = self.lost.fetch_add(1, Ordering::Relaxed) + 1;
            if lost.is_power_of_two() {
                tracing::warn!(
                    lost,
                    "records of requests cannot be published as fast as they come"
                );
            }
        }
    }
}

async fn publish(publisher: Publisher, mut told: mpsc::Receiver<RequestRecord>) {
    let slots = Arc::new(Semaphore::new(MAX_IN_FLIGHT));
    while let Some(request) = told.recv().await {
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
                tracing::debug!(
                    internal = error.log_message(),
                    "the record of a request could not be published"
                );
            }
        });
    }
    // Those on their way.
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
