//! The connection of a client to a broker: an open one, or opened by the first call.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::future::{BoxFuture, FutureExt, Shared, WeakShared};
use http::Uri;

use crate::{
    base::secret::Secret,
    bus::{Broker, BusSettings},
    edge::client::ClientError,
};

/// A connection to a broker; clones share it.
#[derive(Clone)]
pub(super) struct BusConnection(Arc<Inner>);

struct Inner {
    settings: BusSettings,
    state: Mutex<State>,
}

enum State {
    Disconnected,
    /// Held by the waiting calls: when all of them are dropped, so is the attempt.
    Opening(WeakShared<BoxFuture<'static, ConnectResult>>),
    Connected(Arc<dyn Broker>),
}

/// The broker, or the reason why it cannot be reached.
type ConnectResult = Result<Arc<dyn Broker>, ClientError>;

impl BusConnection {
    /// Creates a connection to a URL, opened by the first call.
    ///
    /// # Errors
    ///
    /// Fails if the URL is invalid. The text omits the URL, since it may contain a password.
    pub(super) fn to(url: &str) -> Result<Self, ClientError> {
        if cfg!(not(feature = "amqp")) {
            let why = "this program was built without RabbitMQ; add the feature `amqp` to \
                       gateway-runtime in Cargo.toml";
            return Err(ClientError::invalid(why));
        }
        let is_amqp = |url: &Uri| {
            matches!(url.scheme_str(), Some("amqp" | "amqps"))
                && url.host().is_some_and(|host| !host.is_empty())
        };
        if !url.parse().is_ok_and(|url| is_amqp(&url)) {
            return Err(ClientError::invalid(
                "invalid URL of the bus; write it as \"amqp://user:password@host:5672/vhost\"",
            ));
        }
        let settings = BusSettings { amqp: Some(Secret::new(url)), ..BusSettings::default() };
        Ok(Self(Arc::new(Inner { settings, state: Mutex::new(State::Disconnected) })))
    }

    /// Creates a connection over an open broker.
    pub(super) fn over(broker: Arc<dyn Broker>) -> Self {
        let state = Mutex::new(State::Connected(broker));
        Self(Arc::new(Inner { settings: BusSettings::default(), state }))
    }

    /// Returns the broker. Concurrent callers wait for the same attempt to connect; after a
    /// failure, the next caller tries again.
    ///
    /// # Errors
    ///
    /// The reason why the broker cannot be reached.
    pub(super) async fn broker(&self) -> ConnectResult {
        match self.connected_or_opening() {
            Ok(broker) => Ok(broker),
            Err(opening) => opening.await,
        }
    }

    fn connected_or_opening(
        &self,
    ) -> Result<Arc<dyn Broker>, Shared<BoxFuture<'static, ConnectResult>>> {
        let mut state = self.0.state();
        let ongoing = match &*state {
            State::Connected(broker) => return Ok(Arc::clone(broker)),
            State::Opening(opening) => opening.upgrade().filter(|opening| opening.peek().is_none()),
            State::Disconnected => None,
        };
        if let Some(opening) = ongoing {
            return Err(opening);
        }
        let opening = Arc::clone(&self.0).open().boxed().shared();
        *state = opening.downgrade().map_or(State::Disconnected, State::Opening);
        Err(opening)
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn open(self: Arc<Self>) -> ConnectResult {
        let broker = self.settings.open().await;
        let broker = broker.map_err(|error| ClientError::NotSent(error.to_string()))?;
        *self.state() = State::Connected(Arc::clone(&broker));
        Ok(broker)
    }
}

impl fmt::Debug for BusConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &*self.0.state() {
            State::Connected(_) => "there",
            State::Opening(_) => "being made",
            State::Disconnected => "not connected yet",
        })
    }
}
