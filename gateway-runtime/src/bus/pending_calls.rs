//! Pending calls of the bus, and the correlation ids by which their replies find them. Late replies are dropped and counted
//! (SEMANTICS §11).
//!
//! A call has a slot, which is reused when the call has ended. The correlation id is the number of the slot and a count of its
//! uses, so a late or second reply never reaches another call. A call that is cancelled frees its slot at once.

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

/// The calls of one channel.
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
    /// How often it has been used before.
    generation: u32,
    waiting: Option<ReplyWaiter>,
    /// Whether the broker has the message of the call that waits.
    is_confirmed: bool,
    /// Whether the call that had it last was answered.
    was_answered: bool,
}

/// Who waits, and where, if it is worth while to bring many answers there together.
#[derive(Debug)]
struct ReplyWaiter {
    told: oneshot::Sender<Result<Message, BusError>>,
    #[cfg_attr(
        not(feature = "amqp"),
        expect(dead_code, reason = "the broker within the process brings each answer by itself")
    )]
    home: Option<WakeQueue>,
}

/// An answer on its way to who waits for it.
#[derive(Debug)]
pub(super) struct MatchedReply {
    asker: ReplyWaiter,
    message: Message,
}

impl MatchedReply {
    /// Where it is awaited.
    #[cfg(feature = "amqp")]
    pub(super) fn home(&self) -> Option<&WakeQueue> {
        self.asker.home.as_ref()
    }

    /// It is there.
    pub(super) fn tell(self) {
        // Who has left in this moment has lost nothing but the answer.
        let _ = self.asker.told.send(Ok(self.message));
    }
}

/// What has become of calls, those of all channels.
#[derive(Debug, Default)]
pub(super) struct ReplyCounters {
    pending: AtomicU64,
    answered: AtomicU64,
    late: AtomicU64,
    duplicate: AtomicU64,
    unknown: AtomicU64,
}

/// Which call it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CorrelationId {
    slot: u32,
    generation: u32,
}

impl CorrelationId {
    /// As it goes with the message.
    pub(super) fn text(self) -> String {
        format!("{:x}.{:x}", self.slot, self.generation)
    }

    /// As it comes with the answer.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (slot, round) = text.split_once('.')?;
        Some(Self {
            slot: u32::from_str_radix(slot, 16).ok()?,
            generation: u32::from_str_radix(round, 16).ok()?,
        })
    }
}

impl ReplyCounters {
    /// Adds what was counted.
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
    /// A call that begins to wait; `home` is where, if answers come from another thread.
    pub(super) fn begin(self: &Arc<Self>, home: Option<WakeQueue>) -> ReplyFuture {
        let (told, answered) = oneshot::channel();
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
                // Each has cost more bytes than would leave room for 2³².
                u32::try_from(slots.all.len() - 1).unwrap_or(u32::MAX)
            }
        };
        let place = &mut slots.all[slot as usize];
        (place.waiting, place.is_confirmed) = (Some(ReplyWaiter { told, home }), false);
        self.counts.pending.fetch_add(1, Ordering::Relaxed);
        let id = CorrelationId { slot, generation: place.generation };
        ReplyFuture { id, answered, pending: Arc::clone(self) }
    }

    /// An answer to its call, if that still waits; else it is counted.
    pub(super) fn answer(&self, message: Message) -> Option<MatchedReply> {
        let id = message.correlation_id.as_deref().and_then(CorrelationId::parse);
        let ended = id.map(|id| self.end(id, true));
        let (count, arrived) = match ended {
            Some(ReplyMatch::Now(asker)) => {
                (&self.counts.answered, Some(MatchedReply { asker, message }))
            }
            Some(ReplyMatch::Duplicate) => (&self.counts.duplicate, None),
            Some(ReplyMatch::Late) => (&self.counts.late, None),
            Some(ReplyMatch::Unknown) | None => (&self.counts.unknown, None),
        };
        count.fetch_add(1, Ordering::Relaxed);
        arrived
    }

    /// Adds what was counted.
    pub(super) fn add_to(&self, figures: &mut BrokerStats) {
        self.counts.add_to(figures);
    }

    fn end(&self, id: CorrelationId, is_answered: bool) -> ReplyMatch {
        let mut slots = self.slots();
        let Some(slot) = slots.all.get_mut(id.slot as usize) else { return ReplyMatch::Unknown };
        if slot.generation == id.generation
            && let Some(asker) = slot.end(is_answered)
        {
            slots.free.push(id.slot);
            self.counts.pending.fetch_sub(1, Ordering::Relaxed);
            return ReplyMatch::Now(asker);
        }
        match slot.generation.wrapping_sub(id.generation) {
            0 => ReplyMatch::Unknown,
            1 if slot.was_answered => ReplyMatch::Duplicate,
            // Of a call longer ago it is no more known how it ended.
            _ => ReplyMatch::Late,
        }
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What happens to calls by a broker that is elsewhere.
#[cfg(feature = "amqp")]
impl PendingCalls {
    /// Those of a channel beside others, which count together.
    pub(super) fn counted(counts: Arc<ReplyCounters>) -> Self {
        Self { slots: Mutex::default(), counts }
    }

    /// Ends a call that cannot be answered.
    pub(super) fn fail(&self, id: CorrelationId, error: BusError) {
        if let ReplyMatch::Now(asker) = self.end(id, false) {
            let _ = asker.told.send(Err(error));
        }
    }

    /// The broker has the message of this call, if the call still waits.
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

    /// Ends all of them.
    pub(super) fn fail_all(&self, error: &BusError) {
        let mut slots = self.slots();
        let Slots { all, free } = &mut *slots;
        for (number, slot) in all.iter_mut().enumerate() {
            if let Some(asker) = slot.end(false) {
                free.push(u32::try_from(number).unwrap_or(u32::MAX));
                self.counts.pending.fetch_sub(1, Ordering::Relaxed);
                let _ = asker.told.send(Err(error.clone()));
            }
        }
    }

    /// Whether no call waits.
    pub(super) fn is_empty(&self) -> bool {
        let slots = self.slots();
        slots.all.len() == slots.free.len()
    }
}

impl CallSlot {
    /// Ends the call that waits here, if one does; the slot is free then.
    fn end(&mut self, is_answered: bool) -> Option<ReplyWaiter> {
        let asker = self.waiting.take()?;
        self.generation = self.generation.wrapping_add(1);
        self.was_answered = is_answered;
        Some(asker)
    }
}

/// How a call has ended that an answer was for.
enum ReplyMatch {
    Now(ReplyWaiter),
    Duplicate,
    Late,
    Unknown,
}

/// A call that waits for its answer; one that is dropped waits no more.
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
    /// Whether the broker has said that it has the message.
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
        // It has ended by itself, or does so now.
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
    async fn the_first_answer_counts_and_the_others_are_counted() {
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
    async fn an_answer_never_reaches_the_call_that_has_the_slot_now() {
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
    async fn all_that_wait_fail_together() {
        let pending = Arc::new(PendingCalls::default());
        let calls = [pending.begin(None), pending.begin(None)];
        pending.fail_all(&BusError::new(BusErrorKind::ChannelLost, "cut"));
        for call in calls {
            assert_eq!(call.await.unwrap_err().kind(), BusErrorKind::ChannelLost);
        }
        assert_eq!(figures(&pending).pending, 0);
    }
}
