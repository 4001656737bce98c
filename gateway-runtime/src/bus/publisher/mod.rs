//! Events for whoever wants them: published by authors to a topic exchange, confirmed, typed, and described by CloudEvents 1.0.
//!
//! `event` is one event, `outbox` brings those to the broker that were written down in an author's transaction, `feed` publishes
//! the record of each request, where that is asked for.

pub(crate) mod event;
pub(crate) mod outbox_relay;
pub(crate) mod request_log;

use std::{fmt, sync::Arc};

use serde::Serialize;
use tokio::sync::Notify;

pub use crate::bus::publisher::event::Event;
pub(crate) use crate::bus::publisher::{
    outbox_relay::run_outbox_relay as empty_outbox, request_log::RequestLogPublisher,
};
use crate::{
    base::{
        error::{Code, Error},
        start_error::StartError,
    },
    bus::{Broker, BusError, BusErrorKind},
};

/// Publishes events; a field or an argument of services and providers. Cheap to clone.
///
/// ```
/// use gateway_runtime::{Publisher, prelude::*};
///
/// /// An order.
/// #[model]
/// struct Order {
///     /// Its number.
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
    /// What URI events come from.
    source: String,
    /// Something may be in the outbox soon.
    written: Arc<Notify>,
}

impl Publisher {
    /// Publishes to `exchange`, events from `source`.
    #[must_use]
    pub fn new(
        broker: Arc<dyn Broker>,
        exchange: impl Into<String>,
        source: impl Into<String>,
    ) -> Self {
        let (exchange, source, written) = (exchange.into(), source.into(), Arc::default());
        Self(Arc::new(Inner { broker, exchange, source, written }))
    }

    /// Publishes an event of the type `topic`, words with dots between them, and waits until the broker has it. Nobody need be
    /// there to receive it.
    ///
    /// # Errors
    ///
    /// `overloaded` when the broker has not taken it, or nobody knows; `internal` for a topic or a value that cannot be sent.
    pub async fn publish<T: Serialize + ?Sized>(
        &self,
        topic: &str,
        value: &T,
    ) -> Result<(), Error> {
        self.event(topic, value)?.publish().await
    }

    /// An event that is not published yet, for what [`publish`](Self::publish) does not say: a subject, header fields, an id,
    /// and that it is written down in a transaction of your own.
    ///
    /// # Errors
    ///
    /// `internal` for a topic or a value that cannot be sent.
    pub fn event<T: Serialize + ?Sized>(&self, topic: &str, value: &T) -> Result<Event, Error> {
        Event::new(self.clone(), topic, serde_json::to_string(value)?)
    }

    /// Declares the exchange that events are published to.
    ///
    /// # Errors
    ///
    /// When the broker cannot be reached, or has such an exchange that is otherwise declared.
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

/// Who publishes may do so again: who receives an event twice knows it by its id.
fn failed(error: &BusError) -> Error {
    let told = match error.kind() {
        BusErrorKind::InvalidMessage => Error::internal("the event cannot be sent"),
        _ => Error::new(Code::OVERLOADED, "an event could not be published now"),
    };
    told.with_log_message(error)
}
