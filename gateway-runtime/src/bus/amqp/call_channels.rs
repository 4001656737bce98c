//! The call channels of one connection, by exchange. Each is opened on first use.

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

/// The maximum number of call channels. A connection has at most 2047 channels.
const MAX_CALL_CHANNELS: usize = 1000;
/// The time for which a failure to open a call channel is cached.
const FAILURE_TTL: Duration = Duration::from_secs(1);

/// The context in which call channels are opened.
#[derive(Clone)]
pub(super) struct ChannelContext {
    pub(super) home: Handle,
    pub(super) timeout: Duration,
    pub(super) counts: Arc<ReplyCounters>,
    pub(super) published: Arc<AtomicU64>,
}

/// The call channels of one connection.
pub(super) struct CallChannels {
    wire: Arc<AmqpConnection>,
    opening: ChannelContext,
    all: Mutex<HashMap<ShortStr, ChannelSlot>>,
}

type Opened = Result<Arc<CallChannel>, BusError>;

/// The state of the call channel of an exchange.
enum ChannelSlot {
    Open(Arc<CallChannel>),
    Opening(watch::Receiver<Option<Opened>>),
    Failed(BusError, Instant),
}

impl ChannelSlot {
    /// Returns whether the slot can be dropped without effect on a call.
    fn is_idle(&self) -> bool {
        match self {
            Self::Open(channel) => channel.is_idle() || !channel.is_open(),
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

    /// Returns the call channel of an exchange. Waits while it is opened.
    pub(super) async fn get(self: &Arc<Self>, exchange: &ShortStr) -> Opened {
        let mut coming = match self.slot(exchange)? {
            ChannelSlot::Open(channel) => return Ok(channel),
            ChannelSlot::Opening(channel) => channel,
            ChannelSlot::Failed(error, _) => return Err(error),
        };
        let lost = || Err(BusError::new(BusErrorKind::ChannelLost, "the bus was closed"));
        let channel = coming.wait_for(Option::is_some).await.ok();
        let channel = channel.and_then(|channel| channel.clone());
        channel.unwrap_or_else(lost)
    }

    fn slot(self: &Arc<Self>, exchange: &ShortStr) -> Result<ChannelSlot, BusError> {
        let mut all = self.all();
        match all.get(exchange) {
            Some(ChannelSlot::Open(channel)) if channel.is_open() => {
                return Ok(ChannelSlot::Open(Arc::clone(channel)));
            }
            Some(ChannelSlot::Opening(channel)) => {
                return Ok(ChannelSlot::Opening(channel.clone()));
            }
            Some(ChannelSlot::Failed(error, at)) if at.elapsed() < FAILURE_TTL => {
                return Ok(ChannelSlot::Failed(error.clone(), *at));
            }
            _ => {}
        }
        if all.len() >= MAX_CALL_CHANNELS {
            all.retain(|_, slot| !slot.is_idle());
            if all.len() >= MAX_CALL_CHANNELS {
                return Err(BusError::new(
                    BusErrorKind::Disconnected,
                    "calls to a thousand exchanges are in flight; a call to another must wait",
                ));
            }
        }
        let (opened, coming) = watch::channel(None);
        all.insert(exchange.clone(), ChannelSlot::Opening(coming.clone()));
        let this = Arc::clone(self);
        let exchange = exchange.clone();
        self.opening.home.spawn(async move { opened.send(Some(this.open(exchange).await)) });
        Ok(ChannelSlot::Opening(coming))
    }

    async fn open(&self, exchange: ShortStr) -> Opened {
        let ChannelContext { counts, published, timeout: limit, .. } = self.opening.clone();
        let late = |_| {
            Err(BusError::new(
                BusErrorKind::Disconnected,
                "RabbitMQ did not open a channel in time",
            ))
        };
        let opening = CallChannel::open(Arc::clone(&self.wire), &exchange, counts, published);
        let opened = timeout(limit, opening).await.unwrap_or_else(late);
        let slot = match &opened {
            Ok(channel) => ChannelSlot::Open(Arc::clone(channel)),
            Err(error) => ChannelSlot::Failed(error.clone(), Instant::now()),
        };
        self.all().insert(exchange, slot);
        opened
    }

    fn all(&self) -> MutexGuard<'_, HashMap<ShortStr, ChannelSlot>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
