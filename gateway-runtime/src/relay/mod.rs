//! HTTP to the bus and back: a request on a route with `dispatch = "bus"` becomes a message, and the answer to that the
//! response, as WASP gateways do it.
//!
//! `request` makes the message, `response` the response, `failure` says why there is none.

mod failure;
mod fields;
mod request;
mod response;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    app::StartError,
    body::{BodyError, read_body},
    bus::Broker,
    dispatch::{Dispatched, Dispatcher, RouteSection, Routed},
};

/// What of `[routes.NAME]` is the bus's own.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RelaySettings {
    /// The exchange that messages go to; the service's name when left out.
    pub exchange: Option<String>,
    /// On the route `*`: the services that are exchanges. No other is ever published to.
    pub exchanges: Vec<String>,
    /// Bytes of a request's body, which travels whole: 16 MiB.
    pub body_bytes: usize,
    /// Whether messages survive a restart of the broker; their clients hardly do: no.
    pub persistent: bool,
}

impl Default for RelaySettings {
    fn default() -> Self {
        Self { exchange: None, exchanges: Vec::new(), body_bytes: 16 << 20, persistent: false }
    }
}

/// The dispatcher `bus`.
#[derive(Clone, Debug)]
pub struct Relay(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    broker: Arc<dyn Broker>,
    settings: RelaySettings,
    body_timeout: Duration,
}

impl Relay {
    /// The dispatcher of a route; bodies must be here within `body_timeout`.
    ///
    /// # Errors
    ///
    /// When the route's own settings are wrong.
    pub fn new(
        section: &mut RouteSection,
        broker: Arc<dyn Broker>,
        body_timeout: Duration,
    ) -> Result<Self, StartError> {
        let mut settings: RelaySettings = section.settings()?;
        let problem = |why: &str| Err(StartError::new(format!("[routes.\"{}\"]: {why}", section.service())));
        match (section.service(), &settings.exchange) {
            ("*", Some(_)) => {
                return problem("it has `exchange`, and is for many services: list theirs in `exchanges`");
            }
            ("*", None) if settings.exchanges.is_empty() => {
                return problem("it publishes nowhere: list in `exchanges` which services are exchanges");
            }
            ("*", None) => {}
            (_, _) if !settings.exchanges.is_empty() => {
                return problem("it has `exchanges`, and is for one service: name its `exchange`");
            }
            (service, exchange) => settings.exchange = Some(exchange.clone().unwrap_or_else(|| service.to_owned())),
        }
        Ok(Self(Arc::new(Inner { broker, settings, body_timeout })))
    }
}

impl Dispatcher for Relay {
    fn dispatch(&self, request: Routed) -> Dispatched {
        let this = Arc::clone(&self.0);
        Box::pin(async move {
            let RelaySettings { body_bytes, persistent, .. } = this.settings;
            let exchange = this.settings.exchange_of(request.service())?;
            let Routed { id, caller, deadline, head, body, .. } = request;
            let mut message = request::message(exchange, &head, &id, &caller)?;
            message.persistent = persistent;
            message.body = read_body(body, body_bytes, this.body_timeout).await.map_err(BodyError::into_error)?;
            let answer = this.broker.call(message, deadline).await;
            response::of(answer.map_err(|error| failure::of(&error, &head.method))?)
        })
    }
}
