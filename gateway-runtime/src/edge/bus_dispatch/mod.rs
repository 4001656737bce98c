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
mod settings;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use http::HeaderName;

pub use crate::edge::bus_dispatch::settings::BusDispatchSettings;
use crate::{
    base::{
        body::{BodyBudget, BodyError, read_body_within},
        start_error::StartError,
    },
    bus::Broker,
    edge::dispatch::{DispatchFuture, DispatchRequest, Dispatcher, RouteConfig, hop_by_hop},
};

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
        let settings = BusDispatchSettings::read(section, &budget)?;
        let withholds = section.requires_caller() && !settings.forward_credentials;
        let withheld: &[HeaderName] = if withholds { &hop_by_hop::CREDENTIALS } else { &[] };
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

    use super::{request, response};
    use crate::{
        base::{
            body::Body,
            call::{Caller, RequestId},
            error::Error,
        },
        bus::Message,
        edge::dispatch::{self, hop_by_hop},
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
            &hop_by_hop::CREDENTIALS,
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
