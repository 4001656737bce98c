//! One stand-in: its address, its behaviour, and the mail it has accepted.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    net::{TcpListener, TcpSocket},
    sync::watch,
};

use super::Behaviour;

/// A message that a stand-in has accepted.
#[derive(Clone, Debug, Default)]
pub struct Received {
    /// The path of the request; for the mail server the sender and the receivers.
    pub to: String,
    /// The header fields that authenticate the sender.
    pub credentials: BTreeMap<String, String>,
    /// The body; for the mail server the message.
    pub body: String,
}

/// A stand-in of one service.
#[derive(Clone)]
pub struct StandIn(Arc<Inner>);

struct Inner {
    address: SocketAddr,
    /// A bound socket that does not listen, so that no other process gets the port while
    /// connections are refused.
    _port: TcpSocket,
    behaviour: watch::Sender<Behaviour>,
    /// Whether a listener is open.
    listening: watch::Sender<bool>,
    received: Mutex<Vec<Received>>,
}

impl StandIn {
    /// Starts a stand-in on a free port; `serve` accepts connections until it is dropped.
    pub(super) fn start<F, S>(serve: F) -> io::Result<Self>
    where
        F: Fn(TcpListener, StandIn) -> S + Send + 'static,
        S: Future<Output = ()> + Send + 'static,
    {
        let port = bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let address = port.local_addr()?;
        let listener = bind(address)?.listen(128)?;
        let this = Self(Arc::new(Inner {
            address,
            _port: port,
            behaviour: watch::Sender::default(),
            listening: watch::Sender::new(true),
            received: Mutex::default(),
        }));
        tokio::spawn(this.clone().run(listener, serve));
        Ok(this)
    }

    /// Listens, except while connections are refused.
    async fn run<S: Future<Output = ()> + Send>(
        self,
        first: TcpListener,
        serve: impl Fn(TcpListener, Self) -> S,
    ) {
        let mut listener = Some(first);
        let mut behaviour = self.0.behaviour.subscribe();
        loop {
            if let Some(listener) = listener.take() {
                tokio::select! {
                    () = serve(listener, self.clone()) => return,
                    _ = behaviour.wait_for(|behaviour| *behaviour == Behaviour::Refuse) => {}
                }
            }
            self.0.listening.send_replace(false);
            let well =
                behaviour.wait_for(|behaviour| *behaviour != Behaviour::Refuse).await.is_ok();
            listener =
                bind(self.0.address).and_then(|socket| socket.listen(128)).ok().filter(|_| well);
            if listener.is_none() {
                return;
            }
            self.0.listening.send_replace(true);
        }
    }

    /// Returns the address on which the stand-in listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// Returns the current behaviour.
    #[must_use]
    pub fn behaviour(&self) -> Behaviour {
        *self.0.behaviour.borrow()
    }

    /// Changes the behaviour; returns when the change is in effect.
    pub async fn behave(&self, behaviour: Behaviour) {
        self.0.behaviour.send_replace(behaviour);
        let listens = behaviour != Behaviour::Refuse;
        let _ = self.0.listening.subscribe().wait_for(|listening| *listening == listens).await;
    }

    /// Returns all accepted messages.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.0.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the number of accepted messages.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.received.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Records a message as accepted: the effect that must never happen twice.
    pub(super) fn take(&self, received: Received) {
        self.0.received.lock().unwrap_or_else(PoisonError::into_inner).push(received);
    }
}

/// Binds a socket; a port that is already bound by this process can be bound again.
fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}

impl fmt::Debug for StandIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StandIn")
            .field("address", &self.0.address)
            .field("behaviour", &self.behaviour())
            .finish()
    }
}
