//! `[bus]`: where it is, and how calls come by it.

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

/// `[bus]`: where messages go to and come from. Without `amqp` the bus is within the process.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BusSettings {
    /// Such as `amqp://user:password@host:5672/vhost`, `amqps://…` over TLS. Needs the feature `amqp`.
    pub amqp: Option<Secret>,
    /// How long connecting may take: 5 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub connect_timeout: Duration,
    /// After which silence the broker is taken for gone: 5 s, at least 3 s. Heartbeats are sent five times as often.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub heartbeat: Duration,
    /// How long the broker may take to confirm a message: 5 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub confirm_timeout: Duration,
    /// The exchange that events are published to, a topic exchange: `gateway`.
    pub exchange: String,
    /// What URI events come from (CloudEvents `source`): `/gateway`.
    pub source: String,
    /// Whether each call's record is published too, as `gateway.log.service_request.{service}`: no.
    pub request_log: bool,
    /// Calls that come by the bus.
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
    /// The broker that is configured.
    ///
    /// # Errors
    ///
    /// When it cannot be reached, or the program was built without it.
    pub(crate) async fn open(&self) -> Result<Arc<dyn Broker>, StartError> {
        self.check()?;
        match &self.amqp {
            None => Ok(Arc::new(MemoryBroker::default())),
            Some(url) => self.connect(url).await,
        }
    }

    /// Checks the names of what is published to and consumed from.
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
            "[bus]: this program was built without it: add `features = [\"amqp\"]` to gateway-runtime in Cargo.toml, or remove \
             `amqp` (and MESSAGE_BUS_AMQP_URL from the environment)",
        ))
    }
}

/// Checks the name of an exchange that messages of clients or events go to.
///
/// The exchange without a name takes each message to the queue whose name is its routing key: whoever chooses the key would
/// reach every queue of the broker.
pub(crate) fn check_exchange(name: &str) -> Result<(), String> {
    match name.len() {
        0 => Err("the name of the exchange is empty, which would reach every queue of the broker by its name\n\
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

/// `[bus.calls]`: calls of methods that come by the bus.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CallsSettings {
    /// Whether they are listened for: yes, where there are methods.
    pub enabled: bool,
    /// The queue that they come by: `gateway.calls`. Gateways that share it share the calls.
    pub queue: String,
    /// How many are here at once, carried out or waiting for it: 256.
    pub prefetch: NonZeroU16,
    /// How many are carried out at once: 256.
    pub concurrency: NonZeroU16,
    /// After which times a call is tried again that failed and may be repeated: 1 s, 5 s, 15 s, 1 min, 5 min; it is dead then.
    #[serde(deserialize_with = "delays")]
    #[schemars(with = "Vec<DurationText>")]
    pub retry_delays: Vec<Duration>,
    /// How often a call is delivered whose gateways are lost with it: 20 times; it is dead then.
    pub delivery_limit: u32,
    /// Bytes of a message's body: 1 MiB. A call that is longer is refused with `payload-too-large`.
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
    /// Checks the name of the queue, and those of the queues beside it.
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
                "`queue` is too long: with the suffix of its retry or dead-letter queue it has {length} bytes\n\
                 help: shorten it by {} bytes",
                length - Message::MAX_NAME_BYTES
            )),
            None => Ok(()),
        }
    }

    /// The queue, as a broker is to have it.
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
