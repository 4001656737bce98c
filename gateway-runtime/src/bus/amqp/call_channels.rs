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
    BusError, BusErrorKind, ShortStr,
    amqp::{call_channel::CallChannel, connection::AmqpConnection},
    pending_calls::ReplyCounters,
};

/// So many there are at most. Each is a channel, of which a connection has 2047.
const MAX_CALL_CHANNELS: usize = 1000;
/// How long it is remembered that a lane could not be opened.
const FAILURE_TTL: Duration = Duration::from_secs(1);

/// What lanes are opened with.
#[derive(Clone)]
pub(super) struct ChannelContext {
    pub(super) home: Handle,
    pub(super) timeout: Duration,
    pub(super) counts: Arc<ReplyCounters>,
    pub(super) published: Arc<AtomicU64>,
}

/// The lanes of one connection.
pub(super) struct CallChannels {
    wire: Arc<AmqpConnection>,
    opening: ChannelContext,
    all: Mutex<HashMap<ShortStr, ChannelSlot>>,
}

type Opened = Result<Arc<CallChannel>, BusError>;

/// Where the lane of an exchange is.
enum ChannelSlot {
    Open(Arc<CallChannel>),
    Opening(watch::Receiver<Option<Opened>>),
    Failed(BusError, Instant),
}

impl ChannelSlot {
    /// Whether nobody is worse off without it.
    fn is_idle(&self) -> bool {
        match self {
            Self::Open(lane) => lane.is_idle() || !lane.is_open(),
            Self::Opening(_) => false,
            Self::Failed(_, at) => at.elapsed() >= FAILURE_TTL,
        }
    }
}

impl CallChannels {
    pub(super) fn new(wire: Arc<AmqpConnection>, opening: ChannelContext) -> Self {
        Self { wire, opening, all: Mutex::default() }
    }

    pub(super) fn wire(&self) -> &Arc<AmqpConnection> {
        &self.wire
    }

    pub(super) fn belongs_to(&self, wire: &Arc<AmqpConnection>) -> bool {
        Arc::ptr_eq(&self.wire, wire)
    }

    /// The lane to an exchange; waits for it when it has to be opened.
    pub(super) async fn get(self: &Arc<Self>, exchange: &ShortStr) -> Opened {
        let mut coming = match self.place(exchange)? {
            ChannelSlot::Open(lane) => return Ok(lane),
            ChannelSlot::Opening(lane) => lane,
            ChannelSlot::Failed(error, _) => return Err(error),
        };
        let lost = || Err(BusError::new(BusErrorKind::ChannelLost, "the bus was closed"));
        let lane = coming.wait_for(Option::is_some).await.ok().and_then(|lane| lane.clone());
        lane.unwrap_or_else(lost)
    }

    fn place(self: &Arc<Self>, exchange: &ShortStr) -> Result<ChannelSlot, BusError> {
        let mut all = self.all();
        match all.get(exchange) {
            Some(ChannelSlot::Open(lane)) if lane.is_open() => {
                return Ok(ChannelSlot::Open(Arc::clone(lane)));
            }
            Some(ChannelSlot::Opening(lane)) => return Ok(ChannelSlot::Opening(lane.clone())),
            Some(ChannelSlot::Failed(error, at)) if at.elapsed() < FAILURE_TTL => {
                return Ok(ChannelSlot::Failed(error.clone(), *at));
            }
            _ => {}
        }
        if all.len() >= MAX_CALL_CHANNELS {
            all.retain(|_, place| !place.is_idle());
            if all.len() >= MAX_CALL_CHANNELS {
                return Err(BusError::new(
                    BusErrorKind::Disconnected,
                    "there are calls to a thousand exchanges; another has to wait",
                ));
            }
        }
        let (opened, coming) = watch::channel(None);
        all.insert(exchange.clone(), ChannelSlot::Opening(coming.clone()));
        let (this, exchange) = (Arc::clone(self), exchange.clone());
        self.opening.home.spawn(async move { opened.send(Some(this.open(exchange).await)) });
        Ok(ChannelSlot::Opening(coming))
    }

    async fn open(&self, exchange: ShortStr) -> Opened {
        let ChannelContext { counts, published, timeout: most, .. } = self.opening.clone();
        let late = |_| {
            Err(BusError::new(
                BusErrorKind::Disconnected,
                "RabbitMQ did not open a channel in time",
            ))
        };
        let opening = CallChannel::open(Arc::clone(&self.wire), &exchange, counts, published);
        let opened = timeout(most, opening).await.unwrap_or_else(late);
        let place = match &opened {
            Ok(lane) => ChannelSlot::Open(Arc::clone(lane)),
            Err(error) => ChannelSlot::Failed(error.clone(), Instant::now()),
        };
        self.all().insert(exchange, place);
        opened
    }

    fn all(&self) -> MutexGuard<'_, HashMap<ShortStr, ChannelSlot>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
