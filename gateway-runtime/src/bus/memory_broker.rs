//! The in-process broker: messages reach consumers in the same process, and are lost when it ends.

use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

use crate::bus::{
    Acknowledge, Broker, BrokerStats, BusError, BusErrorKind, BusFuture, CallQueue, Deliveries,
    Delivery, DeliveryReceipt, Disposition, Message, ShortStr, Subscription,
    pending_calls::PendingCalls, topic_pattern,
};

/// The routing key of replies to calls; no queue can have this name.
const REPLY_TO: &str = "amq.gateway.reply-to";

/// The in-process broker. Clones share one state.
#[derive(Clone, Debug, Default)]
pub struct MemoryBroker(Arc<MemoryState>);

#[derive(Debug, Default)]
struct MemoryState {
    state: Mutex<State>,
    pending: Arc<PendingCalls>,
    published: AtomicU64,
    received: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    queues: HashMap<ShortStr, Queue>,
    topics: Vec<Topic>,
    consumers: u64,
}

#[derive(Debug, Default)]
struct Queue {
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
struct Topic {
    exchange: ShortStr,
    pattern: ShortStr,
    deliveries: mpsc::Sender<Delivery>,
}

/// The acknowledgement of deliveries to one consumer.
#[derive(Debug)]
struct MemoryAcker {
    broker: Weak<MemoryState>,
    queue: ShortStr,
    consumer: u64,
}

impl Broker for MemoryBroker {
    fn publish(&self, message: Message) -> BusFuture<()> {
        let published = self.0.publish(message);
        Box::pin(async move { published })
    }

    fn reply(&self, message: Message) -> BusFuture<()> {
        self.publish(message)
    }

    fn call(&self, mut message: Message, deadline: Instant) -> BusFuture<Message> {
        let waiting = self.0.pending.begin(None);
        message.mandatory = true;
        message.expiration = Some(deadline.saturating_duration_since(Instant::now()));
        (message.reply_to, message.correlation_id) =
            (Some(REPLY_TO.into()), Some(waiting.id().text().into()));
        let published = self.0.publish(message);
        Box::pin(async move {
            published?;
            let late = |_| Err(BusError::new(BusErrorKind::ReplyTimeout, "no answer came in time"));
            timeout_at(deadline, waiting).await.unwrap_or_else(late)
        })
    }

    fn declare_topic(&self, _: ShortStr) -> BusFuture<()> {
        Box::pin(async { Ok(()) })
    }

    fn declare(&self, queue: &CallQueue) -> BusFuture<()> {
        self.0.state().declare(queue);
        Box::pin(async { Ok(()) })
    }

    fn consume(&self, subscription: Subscription) -> BusFuture<Deliveries> {
        let deliveries = match subscription {
            Subscription::Calls(calls) => self.0.consume(&calls),
            Subscription::Topic { exchange, pattern } => {
                let (sender, received) = mpsc::channel(Subscription::TOPIC_BACKLOG);
                self.0.state().topics.push(Topic { exchange, pattern, deliveries: sender });
                Deliveries::new(received)
            }
        };
        Box::pin(async move { Ok(deliveries) })
    }

    fn state(&self) -> Result<(), BusError> {
        Ok(())
    }

    fn figures(&self) -> BrokerStats {
        let MemoryState { pending, published, received, .. } = &*self.0;
        let (published, received) =
            (published.load(Ordering::Relaxed), received.load(Ordering::Relaxed));
        let mut figures = BrokerStats { published, received, ..BrokerStats::default() };
        pending.add_to(&mut figures);
        figures
    }

    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async {})
    }
}

impl State {
    /// Declares a call queue with its retry queues and its dead-letter queue, and returns it.
    fn declare(&mut self, calls: &CallQueue) -> &mut Queue {
        for delay in &calls.delays {
            self.queues.entry(calls.retry_queue(*delay)).or_default().dead_letter_after =
                Some((*delay, calls.name.clone()));
        }
        self.queues.entry(calls.dead_letter_queue()).or_default();
        self.queues.entry(calls.name.clone()).or_default()
    }
}

impl MemoryState {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(self: &Arc<Self>, message: Message) -> Result<(), BusError> {
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
        Err(BusError::new(BusErrorKind::Unroutable, "nobody consumes what is sent there"))
    }

    /// Routes a message; returns whether a queue or a subscriber receives it.
    fn route(self: &Arc<Self>, message: Message) -> bool {
        match &*message.exchange {
            "" if message.routing_key == REPLY_TO => {
                if let Some(arrived) = self.pending.answer(message) {
                    arrived.tell();
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
            let (message, receipt) = (message.clone(), DeliveryReceipt::none());
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
                    (message.exchange, message.routing_key) = ("".into(), back.clone());
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

    fn consume(self: &Arc<Self>, calls: &CallQueue) -> Deliveries {
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
            queue.unacked.remove(&delivery_tag).filter(|_| disposition == Disposition::Again)
        {
            queue.ready.push_front(queued);
        }
        broker.deliver(&self.queue, queue);
    }
}
