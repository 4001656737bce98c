//! The lanes of one connection, by their exchanges; each is opened when it is first asked for.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::watch,
    time::{Instant, timeout},
};

use crate::bus::{
    BusError, Fault, Name,
    amqp::{call_channel::Lane, connection::Wire},
    pending_calls::Counts,
};

/// So many there are at most. Each is a channel, of which a connection has 2047.
const MOST: usize = 1000;
/// How long it is remembered that a lane could not be opened.
const MEMORY: Duration = Duration::from_secs(1);

/// What lanes are opened with.
#[derive(Clone)]
pub(super) struct Opening {
    pub(super) home: Handle,
    pub(super) timeout: Duration,
    pub(super) counts: Arc<Counts>,
    pub(super) published: Arc<AtomicU64>,
}

/// The lanes of one connection.
pub(super) struct Lanes {
    wire: Arc<Wire>,
    opening: Opening,
    all: Mutex<HashMap<Name, Place>>,
}

type Opened = Result<Arc<Lane>, BusError>;

/// Where the lane of an exchange is.
enum Place {
    Here(Arc<Lane>),
    Coming(watch::Receiver<Option<Opened>>),
    Failed(BusError, Instant),
}

impl Place {
    /// Whether nobody is worse off without it.
    fn is_idle(&self) -> bool {
        match self {
            Self::Here(lane) => lane.is_idle() || !lane.is_open(),
            Self::Coming(_) => false,
            Self::Failed(_, at) => at.elapsed() >= MEMORY,
        }
    }
}

impl Lanes {
    pub(super) fn new(wire: Arc<Wire>, opening: Opening) -> Self {
        Self { wire, opening, all: Mutex::default() }
    }

    pub(super) fn wire(&self) -> &Arc<Wire> {
        &self.wire
    }

    pub(super) fn are_of(&self, wire: &Arc<Wire>) -> bool {
        Arc::ptr_eq(&self.wire, wire)
    }

    /// The lane to an exchange; waits for it when it has to be opened.
    pub(super) async fn get(self: &Arc<Self>, exchange: &Name) -> Opened {
        let mut coming = match self.place(exchange)? {
            Place::Here(lane) => return Ok(lane),
            Place::Coming(lane) => lane,
            Place::Failed(error, _) => return Err(error),
        };
        let lost = || Err(BusError::new(Fault::Lost, "the bus was closed"));
        let lane = coming.wait_for(Option::is_some).await.ok().and_then(|lane| lane.clone());
        lane.unwrap_or_else(lost)
    }

    fn place(self: &Arc<Self>, exchange: &Name) -> Result<Place, BusError> {
        let mut all = self.all();
        match all.get(exchange) {
            Some(Place::Here(lane)) if lane.is_open() => return Ok(Place::Here(Arc::clone(lane))),
            Some(Place::Coming(lane)) => return Ok(Place::Coming(lane.clone())),
            Some(Place::Failed(error, at)) if at.elapsed() < MEMORY => return Ok(Place::Failed(error.clone(), *at)),
            _ => {}
        }
        if all.len() >= MOST {
            all.retain(|_, place| !place.is_idle());
            if all.len() >= MOST {
                return Err(BusError::new(Fault::Away, "there are calls to a thousand exchanges; another has to wait"));
            }
        }
        let (opened, coming) = watch::channel(None);
        all.insert(exchange.clone(), Place::Coming(coming.clone()));
        let (this, exchange) = (Arc::clone(self), exchange.clone());
        self.opening.home.spawn(async move { opened.send(Some(this.open(exchange).await)) });
        Ok(Place::Coming(coming))
    }

    async fn open(&self, exchange: Name) -> Opened {
        let Opening { counts, published, timeout: most, .. } = self.opening.clone();
        let late = |_| Err(BusError::new(Fault::Away, "RabbitMQ did not open a channel in time"));
        let opening = Lane::open(Arc::clone(&self.wire), &exchange, counts, published);
        let opened = timeout(most, opening).await.unwrap_or_else(late);
        let place = match &opened {
            Ok(lane) => Place::Here(Arc::clone(lane)),
            Err(error) => Place::Failed(error.clone(), Instant::now()),
        };
        self.all().insert(exchange, place);
        opened
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Name, Place>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
