//! The queues and topics of the in-process broker.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::mpsc, time::Instant};

use crate::bus::{
    Acknowledge, BusError, BusErrorKind, CallQueue, Deliveries, Delivery, DeliveryReceipt,
    Disposition, Message, ShortStr, pending_calls::PendingCalls, topic_pattern,
};

/// The routing key of replies to calls; no queue can have this name.
pub(super) const REPLY_TO: &str = "amq.gateway.reply-to";

#[derive(Debug, Default)]
pub(super) struct MemoryState {
    pub(super) state: Mutex<MemoryQueues>,
    pub(super) pending: Arc<PendingCalls>,
    pub(super) published: AtomicU64,
    pub(super) received: AtomicU64,
}

#[derive(Debug, Default)]
pub(super) struct MemoryQueues {
    queues: HashMap<ShortStr, Queue>,
    pub(super) topics: Vec<Topic>,
    consumers: u64,
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    ready: VecDeque<Queued>,
    unacked: HashMap<u64, Queued>,
    consumers: VecDeque<Consumer>,
    last_delivery_tag: u64,
    /// The delay after which messages move to another queue, and the name of that queue.
    dead_letter_after: Option<(Duration, ShortStr)>,
}

#[derive(Debug)]
struct Queued {
    message: Message,
    unacked: u32,
    expires: Option<Instant>,
}

#[derive(Debug)]
struct Consumer {
    id: u64,
    deliveries: mpsc::Sender<Delivery>,
    /// The number of further deliveries that the consumer accepts.
    room: usize,
}

#[derive(Debug)]
pub(super) struct Topic {
    pub(super) exchange: ShortStr,
    pub(super) pattern: ShortStr,
    pub(super) deliveries: mpsc::Sender<Delivery>,
}

/// The acknowledgement of deliveries to one consumer.
#[derive(Debug)]
struct MemoryAcker {
    broker: Weak<MemoryState>,
    queue: ShortStr,
    consumer: u64,
}

impl MemoryQueues {
    /// Declares a call queue with its retry queues and its dead-letter queue, and returns it.
    pub(super) fn declare(&mut self, calls: &CallQueue) -> &mut Queue {
        for delay in &calls.delays {
            self.queues.entry(calls.retry_queue(*delay)).or_default().dead_letter_after =
                Some((*delay, calls.name.clone()));
        }
        self.queues.entry(calls.dead_letter_queue()).or_default();
        self.queues.entry(calls.name.clone()).or_default()
    }
}

impl MemoryState {
    pub(super) fn state(&self) -> MutexGuard<'_, MemoryQueues> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn publish(self: &Arc<Self>, message: Message) -> Result<(), BusError> {
        if [&message.exchange, &message.routing_key]
            .iter()
            .any(|name| name.len() > Message::MAX_NAME_BYTES)
        {
            return Err(BusError::new(
                BusErrorKind::InvalidMessage,
                "an exchange or a key is longer than 255 bytes",
            ));
        }
        let mandatory = message.mandatory;
        if self.route(message) || !mandatory {
            self.published.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        Err(BusError::new(
            BusErrorKind::Unroutable,
            "unroutable: no queue is bound to this routing key",
        ))
    }

    /// Routes a message; returns whether a queue or a subscriber receives it.
    fn route(self: &Arc<Self>, message: Message) -> bool {
        match &*message.exchange {
            "" if message.routing_key == REPLY_TO => {
                if let Some(arrived) = self.pending.answer(message) {
                    arrived.deliver();
                }
                true
            }
            "" => self.enqueue(message.routing_key.clone(), message),
            CallQueue::DEAD_LETTERS => {
                self.route_to_topics(&message);
                self.enqueue(format!("{}.dead", message.routing_key).into(), message)
            }
            _ => self.route_to_topics(&message),
        }
    }

    fn route_to_topics(&self, message: &Message) -> bool {
        let mut state = self.state();
        state.topics.retain(|topic| !topic.deliveries.is_closed());
        let fits = |topic: &&Topic| {
            topic.exchange == message.exchange
                && topic_pattern::matches(&topic.pattern, &message.routing_key)
        };
        let delivered = state.topics.iter().filter(fits).map(|topic| {
            let message = message.clone();
            let receipt = DeliveryReceipt::none();
            let delivery =
                Delivery { message, delivered_before: 0, arrived: Instant::now(), receipt };
            let sent = topic.deliveries.try_send(delivery);
            self.received.fetch_add(u64::from(sent.is_ok()), Ordering::Relaxed);
        });
        delivered.count() > 0
    }

    fn enqueue(self: &Arc<Self>, name: ShortStr, mut message: Message) -> bool {
        let mut state = self.state();
        let Some(queue) = state.queues.get_mut(&name) else { return false };
        if let Some((delay, back)) = queue.dead_letter_after.clone() {
            drop(state);
            let this = Arc::downgrade(self);
            tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                if let Some(this) = this.upgrade() {
                    message.exchange = "".into();
                    message.routing_key = back.clone();
                    this.enqueue(back, message);
                }
            });
            return true;
        }
        let expires = message.expiration.and_then(|left| Instant::now().checked_add(left));
        queue.ready.push_back(Queued { message, unacked: 0, expires });
        self.deliver(&name, queue);
        true
    }

    /// Delivers ready messages to consumers with free capacity, in round-robin order.
    fn deliver(self: &Arc<Self>, name: &ShortStr, queue: &mut Queue) {
        let now = Instant::now();
        queue.ready.retain(|queued| queued.expires.is_none_or(|expires| now < expires));
        queue.consumers.retain(|consumer| !consumer.deliveries.is_closed());
        while let Some(index) = queue.consumers.iter().position(|consumer| consumer.room > 0) {
            queue.consumers.rotate_left(index);
            let Some(consumer) = queue.consumers.front_mut() else { return };
            // A free slot of the consumer is free in its channel too, unless the consumer has just
            // left.
            let Ok(permit) = consumer.deliveries.try_reserve() else {
                consumer.room = 0;
                continue;
            };
            let Some(mut queued) = queue.ready.pop_front() else { return };
            queue.last_delivery_tag += 1;
            let acker = MemoryAcker {
                broker: Arc::downgrade(self),
                queue: name.clone(),
                consumer: consumer.id,
            };
            let receipt = DeliveryReceipt::new(queue.last_delivery_tag, Arc::new(acker));
            permit.send(Delivery {
                message: queued.message.clone(),
                delivered_before: queued.unacked,
                arrived: now,
                receipt,
            });
            consumer.room -= 1;
            queued.unacked += 1;
            self.received.fetch_add(1, Ordering::Relaxed);
            queue.unacked.insert(queue.last_delivery_tag, queued);
            queue.consumers.rotate_left(1);
        }
    }

    pub(super) fn consume(self: &Arc<Self>, calls: &CallQueue) -> Deliveries {
        let room = usize::from(calls.prefetch);
        let (sender, received) = mpsc::channel(room);
        let mut state = self.state();
        state.consumers += 1;
        let consumer = Consumer { id: state.consumers, deliveries: sender, room };
        let queue = state.declare(calls);
        queue.consumers.push_back(consumer);
        self.deliver(&calls.name, queue);
        Deliveries::new(received)
    }
}

impl Acknowledge for MemoryAcker {
    fn settle(&self, delivery_tag: u64, disposition: Disposition) {
        let Some(broker) = self.broker.upgrade() else { return };
        let mut state = broker.state();
        let Some(queue) = state.queues.get_mut(&self.queue) else { return };
        if let Some(consumer) =
            queue.consumers.iter_mut().find(|consumer| consumer.id == self.consumer)
        {
            consumer.room += 1;
        }
        if let Some(queued) =
            queue.unacked.remove(&delivery_tag).filter(|_| disposition == Disposition::Requeue)
        {
            queue.ready.push_front(queued);
        }
        broker.deliver(&self.queue, queue);
    }
}
