//! Pending calls of the bus, and the correlation ids by which replies find them. Late replies are
//! dropped and counted (SEMANTICS §11).
//!
//! A call has a slot, which is reused when the call has ended. A correlation id consists of the
//! slot's number and its generation, so a late or duplicate reply never reaches another call. A
//! cancelled call frees its slot at once.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use tokio::sync::oneshot;

use crate::{
    base::batch_wake::WakeQueue,
    bus::{BrokerStats, BusError, BusErrorKind, Message},
};

/// The pending calls of one channel.
#[derive(Debug, Default)]
pub(super) struct PendingCalls {
    slots: Mutex<Slots>,
    counts: Arc<ReplyCounters>,
}

#[derive(Debug, Default)]
struct Slots {
    all: Vec<CallSlot>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct CallSlot {
    /// The number of earlier calls in this slot.
    generation: u32,
    waiting: Option<ReplyWaiter>,
    /// Whether the broker has confirmed the message of the waiting call.
    is_confirmed: bool,
    /// Whether the previous call in this slot received a reply.
    was_answered: bool,
}

/// A waiting caller, and the wake queue of its thread if batching of replies pays off.
#[derive(Debug)]
struct ReplyWaiter {
    sender: oneshot::Sender<Result<Message, BusError>>,
    #[cfg_attr(
        not(feature = "amqp"),
        expect(dead_code, reason = "the broker within the process brings each answer by itself")
    )]
    home: Option<WakeQueue>,
}

/// A reply on its way to the waiting caller.
#[derive(Debug)]
pub(super) struct MatchedReply {
    waiter: ReplyWaiter,
    message: Message,
}

impl MatchedReply {
    /// Returns the wake queue of the thread that awaits the reply.
    #[cfg(feature = "amqp")]
    pub(super) fn home(&self) -> Option<&WakeQueue> {
        self.waiter.home.as_ref()
    }

    /// Delivers the reply to the caller.
    pub(super) fn tell(self) {
        // An error means that the caller has just left, and needs no reply.
        let _ = self.waiter.sender.send(Ok(self.message));
    }
}

/// Counters of calls and replies, shared by all channels.
#[derive(Debug, Default)]
pub(super) struct ReplyCounters {
    pending: AtomicU64,
    answered: AtomicU64,
    late: AtomicU64,
    duplicate: AtomicU64,
    unknown: AtomicU64,
}

/// The identity of a pending call: a slot and its generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CorrelationId {
    slot: u32,
    generation: u32,
}

impl CorrelationId {
    /// Formats the id for the message.
    pub(super) fn text(self) -> String {
        format!("{:x}.{:x}", self.slot, self.generation)
    }

    /// Parses the id of a reply.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (slot, generation) = text.split_once('.')?;
        Some(Self {
            slot: u32::from_str_radix(slot, 16).ok()?,
            generation: u32::from_str_radix(generation, 16).ok()?,
        })
    }
}

impl ReplyCounters {
    /// Adds the counters to `figures`.
    pub(super) fn add_to(&self, figures: &mut BrokerStats) {
        let Self { pending, answered, late, duplicate, unknown } = self;
        figures.pending += pending.load(Ordering::Relaxed);
        figures.replied += answered.load(Ordering::Relaxed);
        figures.late_replies += late.load(Ordering::Relaxed);
        figures.duplicate += duplicate.load(Ordering::Relaxed);
        figures.unknown += unknown.load(Ordering::Relaxed);
    }
}

impl PendingCalls {
    /// Registers a call that waits for its reply; `home` is the wake queue of the caller's thread,
    /// if replies arrive on another thread.
    pub(super) fn begin(self: &Arc<Self>, home: Option<WakeQueue>) -> ReplyFuture {
        let (sender, answered) = oneshot::channel();
        let mut slots = self.slots();
        let slot = match slots.free.pop() {
            Some(slot) => slot,
            None => {
                slots.all.push(CallSlot {
                    generation: 0,
                    waiting: None,
                    is_confirmed: false,
                    was_answered: false,
                });
                // The number of slots stays far below 2³²: each takes several bytes of memory.
                u32::try_from(slots.all.len() - 1).unwrap_or(u32::MAX)
            }
        };
        let free_slot = &mut slots.all[slot as usize];
        (free_slot.waiting, free_slot.is_confirmed) = (Some(ReplyWaiter { sender, home }), false);
        self.counts.pending.fetch_add(1, Ordering::Relaxed);
        let id = CorrelationId { slot, generation: free_slot.generation };
        ReplyFuture { id, answered, pending: Arc::clone(self) }
    }

    /// Matches a reply to its call. Counts it, and returns none, if no call waits for it.
    pub(super) fn answer(&self, message: Message) -> Option<MatchedReply> {
        let id = message.correlation_id.as_deref().and_then(CorrelationId::parse);
        let ended = id.map(|id| self.end(id, true));
        let (count, arrived) = match ended {
            Some(ReplyMatch::Now(waiter)) => {
                (&self.counts.answered, Some(MatchedReply { waiter, message }))
            }
            Some(ReplyMatch::Duplicate) => (&self.counts.duplicate, None),
            Some(ReplyMatch::Late) => (&self.counts.late, None),
            Some(ReplyMatch::Unknown) | None => (&self.counts.unknown, None),
        };
        count.fetch_add(1, Ordering::Relaxed);
        arrived
    }

    /// Adds the counters to `figures`.
    pub(super) fn add_to(&self, figures: &mut BrokerStats) {
        self.counts.add_to(figures);
    }

    fn end(&self, id: CorrelationId, is_answered: bool) -> ReplyMatch {
        let mut slots = self.slots();
        let Some(slot) = slots.all.get_mut(id.slot as usize) else { return ReplyMatch::Unknown };
        if slot.generation == id.generation
            && let Some(waiter) = slot.end(is_answered)
        {
            slots.free.push(id.slot);
            self.counts.pending.fetch_sub(1, Ordering::Relaxed);
            return ReplyMatch::Now(waiter);
        }
        match slot.generation.wrapping_sub(id.generation) {
            0 => ReplyMatch::Unknown,
            1 if slot.was_answered => ReplyMatch::Duplicate,
            // The outcome of earlier generations is no longer known.
            _ => ReplyMatch::Late,
        }
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Operations for a broker outside the process.
#[cfg(feature = "amqp")]
impl PendingCalls {
    /// Creates the pending calls of one channel, with counters that channels share.
    pub(super) fn counted(counts: Arc<ReplyCounters>) -> Self {
        Self { slots: Mutex::default(), counts }
    }

    /// Fails one call.
    pub(super) fn fail(&self, id: CorrelationId, error: BusError) {
        if let ReplyMatch::Now(waiter) = self.end(id, false) {
            let _ = waiter.sender.send(Err(error));
        }
    }

    /// Records that the broker has confirmed the message of this call, if the call still waits.
    pub(super) fn confirm(&self, id: CorrelationId) {
        if let Some(slot) = self
            .slots()
            .all
            .get_mut(id.slot as usize)
            .filter(|slot| slot.generation == id.generation)
        {
            slot.is_confirmed = true;
        }
    }

    /// Fails all pending calls with one error.
    pub(super) fn fail_all(&self, error: &BusError) {
        let mut slots = self.slots();
        let Slots { all, free } = &mut *slots;
        for (number, slot) in all.iter_mut().enumerate() {
            if let Some(waiter) = slot.end(false) {
                free.push(u32::try_from(number).unwrap_or(u32::MAX));
                self.counts.pending.fetch_sub(1, Ordering::Relaxed);
                let _ = waiter.sender.send(Err(error.clone()));
            }
        }
    }

    /// Returns whether no call waits.
    pub(super) fn is_empty(&self) -> bool {
        let slots = self.slots();
        slots.all.len() == slots.free.len()
    }
}

impl CallSlot {
    /// Ends the waiting call, if there is one, and frees the slot.
    fn end(&mut self, is_answered: bool) -> Option<ReplyWaiter> {
        let waiter = self.waiting.take()?;
        self.generation = self.generation.wrapping_add(1);
        self.was_answered = is_answered;
        Some(waiter)
    }
}

/// The call that a reply belongs to.
enum ReplyMatch {
    Now(ReplyWaiter),
    Duplicate,
    Late,
    Unknown,
}

/// A future of a reply. Dropping it cancels the wait.
#[derive(Debug)]
pub(super) struct ReplyFuture {
    id: CorrelationId,
    answered: oneshot::Receiver<Result<Message, BusError>>,
    pending: Arc<PendingCalls>,
}

impl ReplyFuture {
    pub(super) fn id(&self) -> CorrelationId {
        self.id
    }
}

#[cfg(feature = "amqp")]
impl ReplyFuture {
    /// Returns whether the broker has confirmed the message.
    pub(super) fn is_confirmed(&self) -> bool {
        let slots = self.pending.slots();
        slots
            .all
            .get(self.id.slot as usize)
            .is_some_and(|slot| slot.generation == self.id.generation && slot.is_confirmed)
    }
}

impl Future for ReplyFuture {
    type Output = Result<Message, BusError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let lost = || BusError::new(BusErrorKind::ChannelLost, "the bus was closed");
        Pin::new(&mut self.answered)
            .poll(context)
            .map(|answer| answer.unwrap_or_else(|_| Err(lost())))
    }
}

impl Drop for ReplyFuture {
    fn drop(&mut self) {
        // Without effect if the call has ended already.
        let _ = self.pending.end(self.id, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(pending: &PendingCalls) -> BrokerStats {
        let mut figures = BrokerStats::default();
        pending.add_to(&mut figures);
        figures
    }

    fn tell(pending: &PendingCalls, correlation: Option<&str>, mut message: Message) {
        message.correlation_id = correlation.map(|id| id.to_owned().into());
        if let Some(arrived) = pending.answer(message) {
            arrived.tell();
        }
    }

    fn answer(text: &'static str) -> Message {
        Message { body: text.into(), ..Message::default() }
    }

    #[tokio::test]
    async fn first_reply_is_delivered_and_others_are_counted() {
        let pending = Arc::new(PendingCalls::default());
        let (first, second) = (pending.begin(None), pending.begin(None));
        let (one, two) = (first.id().text(), second.id().text());
        tell(&pending, Some(&two), answer("two"));
        tell(&pending, Some(&two), answer("again"));
        tell(&pending, Some(&one), answer("one"));
        assert_eq!(first.await.unwrap().body, "one");
        assert_eq!(second.await.unwrap().body, "two");
        for unknown in [None, Some(""), Some("x"), Some("9.0"), Some("1.2.3"), Some("0.7")] {
            tell(&pending, unknown, answer("never asked"));
        }
        let counted = figures(&pending);
        assert_eq!((counted.replied, counted.duplicate, counted.pending), (2, 1, 0));
        assert_eq!((counted.unknown, counted.late_replies), (5, 1));
    }

    #[tokio::test]
    async fn late_reply_never_reaches_the_next_call_in_its_slot() {
        let pending = Arc::new(PendingCalls::default());
        let left = pending.begin(None);
        let late = left.id().text();
        drop(left);
        let next = pending.begin(None);
        assert_eq!(next.id().slot, 0);
        tell(&pending, Some(&late), answer("for another"));
        assert_eq!((figures(&pending).late_replies, figures(&pending).pending), (1, 1));
        tell(&pending, Some(&next.id().text()), answer("for this"));
        assert_eq!(next.await.unwrap().body, "for this");
    }

    #[cfg(feature = "amqp")]
    #[tokio::test]
    async fn all_pending_calls_fail_together() {
        let pending = Arc::new(PendingCalls::default());
        let calls = [pending.begin(None), pending.begin(None)];
        pending.fail_all(&BusError::new(BusErrorKind::ChannelLost, "cut"));
        for call in calls {
            assert_eq!(call.await.unwrap_err().kind(), BusErrorKind::ChannelLost);
        }
        assert_eq!(figures(&pending).pending, 0);
    }
}
