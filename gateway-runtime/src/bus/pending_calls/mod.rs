//! Pending calls of the bus, and the correlation ids by which replies find them. Late replies are
//! dropped and counted (SEMANTICS §11).
//!
//! A call has a slot, which is reused when the call has ended. A correlation id consists of the
//! slot's number and its generation, so a late or duplicate reply never reaches another call. A
//! cancelled call frees its slot at once.

mod correlation_id;
mod counters;
#[cfg(test)]
mod tests;

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    task::{Context, Poll},
};

use tokio::sync::oneshot;

pub(super) use crate::bus::pending_calls::{
    correlation_id::CorrelationId, counters::ReplyCounters,
};
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
    wake_queue: Option<WakeQueue>,
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
    pub(super) fn wake_queue(&self) -> Option<&WakeQueue> {
        self.waiter.wake_queue.as_ref()
    }

    /// Delivers the reply to the caller.
    pub(super) fn deliver(self) {
        // An error means that the caller has just left, and needs no reply.
        let _ = self.waiter.sender.send(Ok(self.message));
    }
}

impl PendingCalls {
    /// Registers a call that waits for its reply; `wake_queue` is that of the caller's thread, if
    /// replies arrive on another thread.
    pub(super) fn begin(self: &Arc<Self>, wake_queue: Option<WakeQueue>) -> ReplyFuture {
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
        free_slot.waiting = Some(ReplyWaiter { sender, wake_queue });
        free_slot.is_confirmed = false;
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

    /// Adds the counters to `stats`.
    pub(super) fn add_to(&self, stats: &mut BrokerStats) {
        self.counts.add_to(stats);
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
