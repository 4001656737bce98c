//! HTTP to the bus and back: a request on a route with `dispatch = "bus"` becomes a message, and the answer to that the
//! response, as WASP gateways do it.
//!
//! `request` makes the message, `response` the response, `failure` says why there is none.

mod error;
mod headers;
mod request;
mod response;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use http::HeaderName;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    base::{
        body::{BodyBudget, BodyError, read_body_within},
        start_error::StartError,
    },
    bus::{Broker, check_exchange},
    edge::dispatch::{DispatchFuture, DispatchRequest, Dispatcher, RouteConfig},
};

/// What of `[routes.NAME]` is the bus's own.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BusDispatchSettings {
    /// The exchange that messages go to; the service's name when left out.
    pub exchange: Option<String>,
    /// On the route `*`: the services that are exchanges. No other is ever published to.
    pub exchanges: Vec<String>,
    /// Bytes of a request's body, which travels whole: 16 MiB.
    pub body_bytes: usize,
    /// Whether messages survive a restart of the broker; their clients hardly do: no.
    pub persistent: bool,
    /// Whether workers read the credentials that the gateway has checked, `Authorization` and `X-Api-Key`: no. A route without
    /// `auth` checks none, and forwards them.
    pub forward_credentials: bool,
}

impl Default for BusDispatchSettings {
    fn default() -> Self {
        Self {
            exchange: None,
            exchanges: Vec::new(),
            body_bytes: 16 << 20,
            persistent: false,
            forward_credentials: false,
        }
    }
}

/// The dispatcher `bus`.
#[derive(Clone, Debug)]
pub struct BusDispatcher(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    broker: Arc<dyn Broker>,
    settings: BusDispatchSettings,
    /// Fields of requests that workers do not read.
    withheld: &'static [HeaderName],
    body_timeout: Duration,
    budget: BodyBudget,
}

impl BusDispatcher {
    /// The dispatcher of a route; bodies must be here within `body_timeout`, and are buffered within `budget`.
    ///
    /// # Errors
    ///
    /// When the route's own settings are wrong.
    pub fn new(
        section: &mut RouteConfig,
        broker: Arc<dyn Broker>,
        body_timeout: Duration,
        budget: BodyBudget,
    ) -> Result<Self, StartError> {
        let mut settings: BusDispatchSettings = section.settings()?;
        let service = section.service();
        let problem = |why: &str| format!("[routes.\"{service}\"]: {why}");
        let mut problems = Vec::new();
        match (service, &settings.exchange) {
            ("*", Some(_)) => {
                problems.push(problem(
                    "it has `exchange`, and is for many services: list theirs in `exchanges`",
                ));
            }
            ("*", None) if settings.exchanges.is_empty() => {
                problems.push(problem(
                    "it publishes nowhere: list in `exchanges` which services are exchanges",
                ));
            }
            ("*", None) => {}
            (_, _) if !settings.exchanges.is_empty() => {
                problems.push(problem(
                    "it has `exchanges`, and is for one service: name its `exchange`",
                ));
            }
            (_, Some(_)) => {}
            (_, None) => settings.exchange = Some(service.to_owned()),
        }
        let exchanges = settings.exchange.iter().chain(&settings.exchanges);
        problems.extend(
            exchanges
                .filter_map(|exchange| check_exchange(exchange).err())
                .map(|why| problem(&why)),
        );
        if !budget.fits(settings.body_bytes) {
            let why = "its `body_bytes` do not fit into `http.limits.client_buffered_bytes` or `buffered_bytes`";
            problems.push(problem(why));
        }
        StartError::from_problems(problems)?;
        let withholds = section.requires_caller() && !settings.forward_credentials;
        let withheld: &[HeaderName] = if withholds { &headers::CREDENTIALS } else { &[] };
        Ok(Self(Arc::new(Inner { broker, settings, withheld, body_timeout, budget })))
    }
}

impl Dispatcher for BusDispatcher {
    fn dispatch(&self, request: DispatchRequest) -> DispatchFuture {
        let this = Arc::clone(&self.0);
        Box::pin(async move {
            let BusDispatchSettings { body_bytes, persistent, .. } = this.settings;
            let exchange = this.settings.exchange_of(request.service())?;
            let DispatchRequest { id, peer, caller, deadline, head, body } = request;
            let mut message = request::message(exchange, &head, &id, &caller, this.withheld)?;
            message.persistent = persistent;
            let charge = this.budget.charge(Some(peer.ip()));
            let body = read_body_within(body, body_bytes, this.body_timeout, charge).await;
            message.body = body.map_err(BodyError::into_error)?;
            let answer = this.broker.call(message, deadline).await;
            response::of(answer.map_err(|error| error::of(&error, &head.method))?)
        })
    }
}

/// The mapping, for its fuzz target.
#[cfg(fuzzing)]
pub mod mapping {
    use http::{Response, request::Parts};

    use super::{headers, request, response};
    use crate::{
        base::{
            body::Body,
            call::{Caller, RequestId},
            error::Error,
        },
        bus::Message,
        edge::dispatch,
    };

    /// Makes the message of a request on a route that checks credentials, without the body.
    ///
    /// # Errors
    ///
    /// As the gateway answers such a request.
    pub fn request(head: &Parts, caller: &Caller) -> Result<Message, Error> {
        dispatch::check_path(head.uri.path())?;
        request::message(
            "exchange".into(),
            head,
            &RequestId::generate(),
            caller,
            &headers::CREDENTIALS,
        )
    }

    /// Makes the response of a reply.
    ///
    /// # Errors
    ///
    /// As the gateway answers a request with such a reply.
    pub fn response(reply: Message) -> Result<Response<Body>, Error> {
        response::of(reply)
    }
}
