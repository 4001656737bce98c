//! The dispatcher `bus`: a request on a route with `dispatch = "bus"` becomes a message, and the
//! reply becomes the response, as in WASP (SEMANTICS §11).
//!
//! - `request`: creates the message, with the fields that `headers` lets pass
//! - `response`: creates the response
//! - `error`: the problem if there is none

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

/// The settings of `[routes.NAME]` for the dispatcher `bus`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BusDispatchSettings {
    /// The exchange for messages; defaults to the name of the service.
    pub exchange: Option<String>,
    /// The services that are exchanges, on the route `*`. Messages go to no other exchange.
    pub exchanges: Vec<String>,
    /// The maximum size of a request's body, in bytes, which is sent whole: 16 MiB.
    pub body_bytes: usize,
    /// Whether messages survive a restart of the broker, which their clients rarely do: no.
    pub persistent: bool,
    /// Whether workers receive the credentials that the gateway has checked, `Authorization` and
    /// `X-Api-Key`: no. A route without `auth` checks none, and forwards them.
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
    /// The fields of requests that are not forwarded to workers.
    withheld: &'static [HeaderName],
    body_timeout: Duration,
    budget: BodyBudget,
}

impl BusDispatcher {
    /// Creates the dispatcher of a route. Bodies must arrive within `body_timeout`, and are
    /// buffered within `budget`.
    ///
    /// # Errors
    ///
    /// Fails if the route's own settings are invalid.
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
            let why = "its `body_bytes` do not fit into `http.limits.client_buffered_bytes` or \
                       `buffered_bytes`";
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

    /// Creates the message of a request on a route that checks credentials, without the body.
    ///
    /// # Errors
    ///
    /// The error with which the gateway answers such a request.
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

    /// Creates the response of a reply.
    ///
    /// # Errors
    ///
    /// The error with which the gateway answers a request with such a reply.
    pub fn response(reply: Message) -> Result<Response<Body>, Error> {
        response::of(reply)
    }
}
