//! The section `[bus]` of the configuration.

use std::{num::NonZeroU16, time::Duration};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    base::{
        duration::{self, DurationText},
        secret::Secret,
        start_error::StartError,
    },
    bus::{
        CallQueue,
        names::{NameError, check_exchange, check_queue},
    },
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
    /// Checks the names of the exchange and of the queues.
    pub(super) fn check(&self) -> Result<(), StartError> {
        let mut problems = Vec::new();
        problems
            .extend(check_exchange(&self.exchange).err().map(|error| format!("[bus]: {error}")));
        if self.calls.enabled {
            problems.extend(self.calls.check().err().map(|error| format!("[bus.calls]: {error}")));
        }
        StartError::from_problems(problems)
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
    fn check(&self) -> Result<(), NameError> {
        check_queue(&self.call_queue())
    }

    /// Returns the call queue for the broker.
    #[must_use]
    pub fn call_queue(&self) -> CallQueue {
        CallQueue {
            name: self.queue.clone().into(),
            prefetch: self.prefetch.get(),
            delivery_limit: self.delivery_limit,
            delays: self.retry_delays.clone(),
        }
    }
}

fn delays<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Duration>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| duration::parse(text).map_err(serde::de::Error::custom)).collect()
}
