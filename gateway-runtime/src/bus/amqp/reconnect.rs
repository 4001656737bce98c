//! A connection that is re-established whenever it is lost.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{Stream, StreamExt};
use lapin::Event;
use tokio::{
    sync::watch,
    time::{interval, sleep},
};

use crate::bus::{
    BusError, BusErrorKind,
    amqp::{
        address::Address,
        connection::{AmqpConnection, ConnectError},
    },
};

/// The delay before the first attempt to reconnect; doubles with each attempt.
const MIN_RECONNECT_DELAY: Duration = Duration::from_millis(50);
const MAX_RECONNECT_DELAY: Duration = Duration::from_secs(1);
/// The interval at which the state of a connection is polled, in case no event reports its end.
const STATE_POLL_INTERVAL: Duration = Duration::from_millis(250);

/// The state of the connection.
#[derive(Clone)]
enum ConnectionState {
    Connected(Arc<AmqpConnection>),
    Disconnected(BusError),
}

/// A handle to a connection that is re-established until the last handle is dropped.
#[derive(Clone)]
pub(super) struct ReconnectingConnection {
    state: watch::Receiver<ConnectionState>,
    /// The signal to close the connection for good.
    close: Arc<watch::Sender<bool>>,
}

impl ReconnectingConnection {
    /// Connects for the first time.
    ///
    /// # Errors
    ///
    /// Fails if the first attempt fails.
    pub(super) async fn open(
        address: Address,
        name: &'static str,
        lost: Arc<AtomicU64>,
    ) -> Result<Self, ConnectError> {
        let wire = Arc::new(AmqpConnection::connect(&address, name).await?);
        let (states, state) = watch::channel(ConnectionState::Connected(Arc::clone(&wire)));
        let (close, closing) = watch::channel(false);
        tokio::spawn(ReconnectTask { address, name, states, lost, closing }.run(wire));
        Ok(Self { state, close: Arc::new(close) })
    }

    /// Returns the current connection.
    pub(super) fn now(&self) -> Result<Arc<AmqpConnection>, BusError> {
        match &*self.state.borrow() {
            ConnectionState::Connected(wire) => Ok(Arc::clone(wire)),
            ConnectionState::Disconnected(error) => Err(error.clone()),
        }
    }

    /// Waits for a connection; none after the task has ended.
    pub(super) async fn up(&mut self) -> Option<Arc<AmqpConnection>> {
        match &*self
            .state
            .wait_for(|state| matches!(state, ConnectionState::Connected(_)))
            .await
            .ok()?
        {
            ConnectionState::Connected(wire) => Some(Arc::clone(wire)),
            ConnectionState::Disconnected(_) => None,
        }
    }

    /// Closes the connection in an orderly way, without reconnecting. Returns when it is closed.
    pub(super) async fn close(&self) {
        self.close.send_replace(true);
        let mut state = self.state.clone();
        // The task drops its sender when it has ended.
        while state.changed().await.is_ok() {}
    }
}

struct ReconnectTask {
    address: Address,
    name: &'static str,
    states: watch::Sender<ConnectionState>,
    lost: Arc<AtomicU64>,
    closing: watch::Receiver<bool>,
}

impl ReconnectTask {
    /// Waits until the last handle is dropped, or the connection is to be closed.
    async fn closing(&self) {
        let mut closing = self.closing.clone();
        // A dropped handle sends nothing here; `states.closed()` detects it.
        let requested = async {
            if closing.wait_for(|closing| *closing).await.is_err() {
                std::future::pending().await
            }
        };
        tokio::select! {
            () = requested => {}
            () = self.states.closed() => {}
        }
    }

    async fn run(self, mut wire: Arc<AmqpConnection>) {
        loop {
            let why = tokio::select! {
                why = broken(&wire) => why,
                () = self.closing() => {
                    let closed = BusError::new(BusErrorKind::Disconnected, "the bus was closed");
                    self.states.send_replace(ConnectionState::Disconnected(closed));
                    return wire.close().await;
                }
            };
            self.lost.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(
                target: "gateway::bus",
                connection = self.name,
                broker = %self.address,
                reason = why,
                "connection lost"
            );
            self.states.send_replace(ConnectionState::Disconnected(BusError::new(
                BusErrorKind::Disconnected,
                format!("the connection to RabbitMQ was lost and is being restored: {why}"),
            )));
            wire.abort(BusError::new(
                BusErrorKind::ChannelLost,
                format!("the connection to RabbitMQ was lost: {why}"),
            ));
            wire = tokio::select! {
                wire = self.connect_again() => Arc::new(wire),
                () = self.closing() => return,
            };
            tracing::info!(
                target: "gateway::bus",
                connection = self.name,
                broker = %self.address,
                "reconnected"
            );
            self.states.send_replace(ConnectionState::Connected(Arc::clone(&wire)));
        }
    }

    async fn connect_again(&self) -> AmqpConnection {
        let mut pause = MIN_RECONNECT_DELAY;
        loop {
            // Jitter: gateways that were disconnected together do not reconnect together.
            sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
            match AmqpConnection::connect(&self.address, self.name).await {
                Ok(wire) => return wire,
                Err(error) => {
                    tracing::debug!(
                        target: "gateway::bus",
                        connection = self.name,
                        reason = %error,
                        "connection failed"
                    );
                    let detail = format!("RabbitMQ at {} cannot be reached: {error}", self.address);
                    self.states.send_replace(ConnectionState::Disconnected(BusError::new(
                        BusErrorKind::Disconnected,
                        detail,
                    )));
                }
            }
            pause = MAX_RECONNECT_DELAY.min(pause * 2);
        }
    }
}

/// Waits until the connection is broken, and returns the reason. Logs meanwhile when the broker
/// blocks and unblocks publishing.
async fn broken(wire: &AmqpConnection) -> String {
    let mut events = std::pin::pin!(wire.connection().events_listener());
    let mut why = None;
    let mut state_poll = interval(STATE_POLL_INTERVAL);
    loop {
        tokio::select! {
            biased;
            event = next(&mut events) => match event {
                Event::ConnectionBlocked(why) => {
                    tracing::warn!(
                        target: "gateway::bus",
                        reason = why,
                        "RabbitMQ blocks the connection"
                    );
                }
                Event::ConnectionUnblocked => {
                    tracing::info!(target: "gateway::bus", "RabbitMQ unblocked the connection");
                }
                // Errors of channels arrive here too, so an error alone does not mean that the
                // connection ended.
                Event::Error(error) => why = Some(error.to_string()),
                _ => {}
            },
            _ = state_poll.tick() => {}
        }
        if !wire.is_connected() {
            return why.unwrap_or_else(|| "the connection was closed".to_owned());
        }
    }
}

async fn next(events: &mut (impl Stream<Item = Event> + Unpin)) -> Event {
    match events.next().await {
        Some(event) => event,
        // The poll of the state notices the end.
        None => std::future::pending().await,
    }
}
