//! The section `[bus]` of the configuration.

use std::{num::NonZeroU16, sync::Arc, time::Duration};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    base::{
        duration::{self, DurationText},
        secret::Secret,
        start_error::StartError,
    },
    bus::{Broker, MemoryBroker, Message},
};

/// The section `[bus]`: the broker, events and calls. Without `amqp` the bus is within the process.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BusSettings {
    /// The URL of RabbitMQ: `amqp://user:password@host:5672/vhost`, or `amqps://…` for TLS. Needs
    /// the feature `amqp`.
    pub amqp: Option<Secret>,
    /// The time limit to connect: 5 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub connect_timeout: Duration,
    /// The silence after which the broker counts as disconnected: 5 s, at least 3 s. Heartbeats are
    /// sent five times as often.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub heartbeat: Duration,
    /// The time limit for the broker to confirm a message: 5 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub confirm_timeout: Duration,
    /// The topic exchange for events: `gateway`.
    pub exchange: String,
    /// The URI of the source of events (CloudEvents `source`): `/gateway`.
    pub source: String,
    /// Whether the record of each call is published too, as
    /// `gateway.log.service_request.{service}`: no.
    pub request_log: bool,
    /// The settings of calls that arrive over the bus.
    pub calls: CallsSettings,
}

impl Default for BusSettings {
    fn default() -> Self {
        Self {
            amqp: None,
            connect_timeout: Duration::from_secs(5),
            heartbeat: Duration::from_secs(5),
            confirm_timeout: Duration::from_secs(5),
            exchange: "gateway".to_owned(),
            source: "/gateway".to_owned(),
            request_log: false,
            calls: CallsSettings::default(),
        }
    }
}

impl BusSettings {
    /// Opens the configured broker.
    ///
    /// # Errors
    ///
    /// Fails if the broker cannot be reached, or the program was built without support for it.
    pub(crate) async fn open(&self) -> Result<Arc<dyn Broker>, StartError> {
        self.check()?;
        match &self.amqp {
            None => Ok(Arc::new(MemoryBroker::default())),
            Some(url) => self.connect(url).await,
        }
    }

    /// Checks the names of the exchange and of the queues.
    fn check(&self) -> Result<(), StartError> {
        let mut problems = Vec::new();
        problems.extend(check_exchange(&self.exchange).err().map(|why| format!("[bus]: {why}")));
        if self.calls.enabled {
            problems.extend(self.calls.check().err().map(|why| format!("[bus.calls]: {why}")));
        }
        StartError::from_problems(problems)
    }

    #[cfg(feature = "amqp")]
    async fn connect(&self, url: &Secret) -> Result<Arc<dyn Broker>, StartError> {
        Ok(Arc::new(crate::bus::AmqpBroker::open(url, self).await?))
    }

    #[cfg(not(feature = "amqp"))]
    #[expect(clippy::unused_async, reason = "as with the feature `amqp`")]
    async fn connect(&self, _: &Secret) -> Result<Arc<dyn Broker>, StartError> {
        Err(StartError::new(
            "[bus]: this program was built without it: add `features = [\"amqp\"]` to \
             gateway-runtime in Cargo.toml, or remove `amqp` (and MESSAGE_BUS_AMQP_URL from the \
             environment)",
        ))
    }
}

/// Checks the name of an exchange for messages of clients or events.
///
/// The default exchange, whose name is empty, routes each message to the queue that its routing key
/// names: a client that chooses the key would reach every queue of the broker.
pub(crate) fn check_exchange(name: &str) -> Result<(), String> {
    match name.len() {
        0 => Err("the name of the exchange is empty, which would reach every queue of the broker \
                  by its name\n\
                  help: name an exchange of its own"
            .to_owned()),
        length if length > Message::MAX_NAME_BYTES => Err(format!(
            "the exchange `{:.32}…` has a name of {length} bytes\nhelp: use at most {} bytes",
            name,
            Message::MAX_NAME_BYTES
        )),
        _ => Ok(()),
    }
}

/// The section `[bus.calls]`: calls of methods that arrive over the bus.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CallsSettings {
    /// Whether calls are consumed: yes, if there are methods.
    pub enabled: bool,
    /// The queue of the calls: `gateway.calls`. Gateways with the same queue share the calls.
    pub queue: String,
    /// The maximum number of calls at this gateway, executing or waiting: 256.
    pub prefetch: NonZeroU16,
    /// The maximum number of calls that execute concurrently: 256.
    pub concurrency: NonZeroU16,
    /// The delays before a call with a retryable error is tried again: 1 s, 5 s, 15 s, 1 min, 5
    /// min; after the last it becomes a dead letter.
    #[serde(deserialize_with = "delays")]
    #[schemars(with = "Vec<DurationText>")]
    pub retry_delays: Vec<Duration>,
    /// The number of deliveries of a call whose gateways are lost with it: 20; then it becomes a
    /// dead letter.
    pub delivery_limit: u32,
    /// The maximum size of a message's body, in bytes: 1 MiB. A longer call is refused with
    /// `payload-too-large`.
    pub body_bytes: usize,
}

impl Default for CallsSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            queue: "gateway.calls".to_owned(),
            prefetch: NonZeroU16::MIN.saturating_add(255),
            concurrency: NonZeroU16::MIN.saturating_add(255),
            retry_delays: [1, 5, 15, 60, 300].map(Duration::from_secs).to_vec(),
            delivery_limit: 20,
            body_bytes: 1024 * 1024,
        }
    }
}

impl CallsSettings {
    /// Checks the names of the call queue, its retry queues and its dead-letter queue.
    fn check(&self) -> Result<(), String> {
        let queue = self.call_queue();
        if queue.name.is_empty() {
            return Err(
                "`queue` is empty\nhelp: name the queue, or leave `queue` out: `gateway.calls`"
                    .to_owned(),
            );
        }
        let beside = queue
            .delays
            .iter()
            .map(|delay| queue.retry_queue(*delay))
            .chain([queue.dead_letter_queue()]);
        match beside.map(|name| name.len()).max().filter(|length| *length > Message::MAX_NAME_BYTES)
        {
            Some(length) => Err(format!(
                "`queue` is too long: with the suffix of its retry or dead-letter queue it has \
                 {length} bytes\n\
                 help: shorten it by {} bytes",
                length - Message::MAX_NAME_BYTES
            )),
            None => Ok(()),
        }
    }

    /// Returns the call queue for the broker.
    #[must_use]
    pub fn call_queue(&self) -> crate::bus::CallQueue {
        let (name, prefetch) = (self.queue.clone().into(), self.prefetch.get());
        crate::bus::CallQueue {
            name,
            prefetch,
            delivery_limit: self.delivery_limit,
            delays: self.retry_delays.clone(),
        }
    }
}

fn delays<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Duration>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| duration::parse(text).map_err(serde::de::Error::custom)).collect()
}
