//! Events that authors publish to a topic exchange: typed, confirmed by the broker, and described
//! by CloudEvents 1.0.
//!
//! - `event`: one event
//! - `outbox_relay`: sends events that were stored in an author's transaction to the broker
//! - `request_log`: publishes the record of each request, if configured

pub(crate) mod event;
#[cfg(feature = "sqlite")]
pub(crate) mod outbox_relay;
pub(crate) mod request_log;

use std::{fmt, sync::Arc};

use serde::Serialize;
use tokio::sync::Notify;

pub use crate::bus::publisher::event::Event;
#[cfg(feature = "sqlite")]
pub(crate) use crate::bus::publisher::outbox_relay::run_outbox_relay;
pub(crate) use crate::bus::publisher::request_log::RequestLogPublisher;
use crate::{
    base::{
        error::{Code, Error},
        start_error::StartError,
    },
    bus::{Broker, BusError, BusErrorKind},
};

/// A publisher of events; a field or an argument of services and providers. Cheap to clone.
///
/// ```
/// use gateway_runtime::{Publisher, prelude::*};
///
/// /// An order.
/// #[model]
/// struct Order {
///     /// The number of the order.
///     number: u64,
/// }
///
/// /// Takes orders.
/// #[service(name = "orders")]
/// struct Orders {
///     publisher: Publisher,
/// }
///
/// #[service]
/// impl Orders {
///     /// Takes an order.
///     #[expose_method(POST)]
///     async fn take(&self, order: Order) -> Result<()> {
///         self.publisher.publish("orders.taken", &order).await
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Publisher(Arc<Inner>);

struct Inner {
    broker: Arc<dyn Broker>,
    /// The topic exchange.
    exchange: String,
    /// The URI of the source of events (CloudEvents `source`).
    source: String,
    /// Wakes the outbox relay: an event may soon be committed.
    written: Arc<Notify>,
}

impl Publisher {
    /// Creates a publisher to `exchange` for events from `source`.
    #[must_use]
    pub fn new(
        broker: Arc<dyn Broker>,
        exchange: impl Into<String>,
        source: impl Into<String>,
    ) -> Self {
        let (exchange, source, written) = (exchange.into(), source.into(), Arc::default());
        Self(Arc::new(Inner { broker, exchange, source, written }))
    }

    /// Publishes an event of the type `topic`, words separated by dots, and waits until the broker
    /// has confirmed it. No receiver is required.
    ///
    /// # Errors
    ///
    /// `overloaded` if the broker has not accepted it, or the outcome is unknown; `internal` for a
    /// topic or a value that cannot be sent.
    pub async fn publish<T: Serialize + ?Sized>(
        &self,
        topic: &str,
        value: &T,
    ) -> Result<(), Error> {
        self.event(topic, value)?.publish().await
    }

    /// Creates an event for what [`publish`](Self::publish) cannot express: a subject, headers, an
    /// id, or storage in a transaction of the author's.
    ///
    /// # Errors
    ///
    /// `internal` for a topic or a value that cannot be sent.
    pub fn event<T: Serialize + ?Sized>(&self, topic: &str, value: &T) -> Result<Event, Error> {
        Event::new(self.clone(), topic, serde_json::to_string(value)?)
    }

    /// Declares the exchange for events.
    ///
    /// # Errors
    ///
    /// Fails if the broker cannot be reached, or the exchange exists with another declaration.
    pub(crate) async fn declare(&self) -> Result<(), StartError> {
        let declared = self.broker().declare_topic(self.0.exchange.clone().into()).await;
        declared.map_err(|error| StartError::new(format!("[bus] `exchange`: {error}")))
    }

    fn broker(&self) -> &Arc<dyn Broker> {
        &self.0.broker
    }
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher").field("exchange", &self.0.exchange).finish_non_exhaustive()
    }
}

/// Returns the author's error for a bus error. Publishing again is safe: receivers recognize
/// duplicates by the id.
fn failed(error: &BusError) -> Error {
    let problem = match error.kind() {
        BusErrorKind::InvalidMessage => Error::internal("the event cannot be sent"),
        _ => Error::new(Code::OVERLOADED, "an event could not be published now"),
    };
    problem.with_log_message(error)
}
