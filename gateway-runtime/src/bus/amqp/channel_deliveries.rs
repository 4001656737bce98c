//! The deliveries of one channel: received, acknowledged, and returned when the consumer ends.

use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Waker},
    time::Duration,
};

use futures_util::StreamExt;
use lapin::{
    Channel, Consumer,
    options::{BasicAckOptions, BasicCancelOptions, BasicNackOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use tokio::time::{Instant, sleep, timeout};

use crate::bus::{
    Delivery, DeliveryReceipt, Disposition, ShortStr, Subscription,
    amqp::{
        acks::{AckCommand, AckQueue, UnackedDeliveries},
        convert,
        subscriber::{Leaving, Subscriber},
    },
};

/// The number of topic messages that are acknowledged with one `basic.ack`.
const TOPIC_BATCH: u64 = 128;

/// The silence after which the broker is assumed to have nothing more to send.
const SETTLE_QUIET: Duration = Duration::from_millis(300);

/// The time limit of the wait for that silence.
const QUIET_TIMEOUT: Duration = Duration::from_secs(3);

/// The time limit of the wait for a queue to apply acknowledgements before the channel closes.
const APPLIED_TIMEOUT: Duration = Duration::from_secs(2);

const APPLIED_POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The deliveries of one channel.
pub(super) struct ChannelDeliveries {
    channel: Channel,
    pub(super) acks: Arc<AckQueue>,
    unacked: UnackedDeliveries,
    /// The buffers of `settle`, reused for their capacity.
    dispositions: Vec<(u64, Disposition)>,
    commands: Vec<AckCommand>,
}

impl ChannelDeliveries {
    pub(super) fn new(channel: Channel) -> Self {
        let acks = Arc::default();
        let unacked = UnackedDeliveries::default();
        Self { channel, acks, unacked, dispositions: Vec::new(), commands: Vec::new() }
    }

    pub(super) fn receive(&mut self, delivery: lapin::message::Delivery) -> Delivery {
        let delivery_tag = delivery.delivery_tag;
        self.unacked.add(delivery_tag);
        received(delivery, DeliveryReceipt::new(delivery_tag, Arc::clone(&self.acks) as _))
    }

    /// Receives a delivery that the subscriber does not acknowledge; acknowledged in batches. The
    /// last, incomplete batch is dropped with its queue.
    pub(super) fn receive_and_settle(&mut self, delivery: lapin::message::Delivery) -> Delivery {
        let delivery_tag = delivery.delivery_tag;
        if delivery_tag.is_multiple_of(TOPIC_BATCH) {
            begin(self.channel.basic_ack(delivery_tag, BasicAckOptions { multiple: true }));
        }
        received(delivery, DeliveryReceipt::none())
    }

    /// Sends the acknowledgements that have accumulated to the broker.
    pub(super) fn settle(&mut self) {
        self.acks.take(&mut self.dispositions);
        self.unacked.settle(&mut self.dispositions, &mut self.commands);
        for command in self.commands.drain(..) {
            let requeue = BasicNackOptions { multiple: false, requeue: true };
            match command {
                AckCommand::Ack(delivery_tag) => {
                    begin(self.channel.basic_ack(delivery_tag, BasicAckOptions { multiple: false }))
                }
                AckCommand::AckMultiple(delivery_tag) => {
                    begin(self.channel.basic_ack(delivery_tag, BasicAckOptions { multiple: true }))
                }
                AckCommand::Requeue(delivery_tag) => {
                    begin(self.channel.basic_nack(delivery_tag, requeue))
                }
            }
        }
    }

    /// Receives, and acknowledges nothing, until the prefetch is exhausted or the broker has
    /// nothing to send.
    ///
    /// A quorum queue may deliver while `basic.cancel` is on its way. Such a delivery is lost to
    /// this consumer and returns to the queue with an increased delivery count. Acknowledgements
    /// make room for deliveries, and so make this likely.
    pub(super) async fn receive_all(
        &mut self,
        consumer: &mut Consumer,
        prefetch: usize,
        subscriber: &Subscriber,
    ) {
        let end = Instant::now() + QUIET_TIMEOUT;
        while self.unacked.open() < prefetch && Instant::now() < end {
            let Ok(Some(Ok(delivery))) = timeout(SETTLE_QUIET, consumer.next()).await else {
                return;
            };
            subscriber.send(self.receive(delivery)).await;
        }
    }

    /// Cancels the consumer. Deliveries that the broker had sent by then go to a subscriber that
    /// still receives; otherwise they are requeued.
    pub(super) async fn cancel(
        &mut self,
        consumer: &mut Consumer,
        most: Duration,
        subscriber: &mut Subscriber,
        how: Leaving,
    ) {
        let cancelling = self.channel.basic_cancel(consumer.tag(), BasicCancelOptions::default());
        if matches!(timeout(most, cancelling).await, Ok(Ok(()))) {
            while let Some(Ok(delivery)) = consumer.next().await {
                let delivery = self.receive(delivery);
                match how {
                    // The channel has capacity for all that the broker may have sent.
                    Leaving::Cancelled => subscriber.send(delivery).await,
                    Leaving::Dropped => drop(delivery),
                }
            }
        }
        subscriber.end();
    }

    pub(super) async fn settle_remaining(&mut self, subscription: &Subscription) {
        self.settle();
        while self.unacked.open() > 0 {
            self.acks.wait().await;
            self.settle();
        }
        if let Subscription::Calls(calls) = subscription {
            self.wait_until_applied(calls.name.clone()).await;
        }
        let _ = self.channel.close(200, "OK".into()).await;
    }

    /// Waits until the queue has applied the acknowledgements.
    ///
    /// A quorum queue applies acknowledgements after the channel has accepted them. While the queue
    /// is slow, the channel holds some of them back, and they are lost when it closes. A cancelled
    /// consumer is counted until its deliveries are acknowledged, so a falling count shows that
    /// they are. Where other gateways consume, the count may fall before it is first read.
    async fn wait_until_applied(&self, queue: ShortStr) {
        let end = Instant::now() + APPLIED_TIMEOUT;
        let mut first = None;
        while Instant::now() < end {
            let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
            let Ok(name) = convert::short(queue.clone()) else { return };
            let declared = self.channel.queue_declare(name, passive, FieldTable::default());
            let Ok(Ok(declared)) = timeout(APPLIED_TIMEOUT, declared).await else { return };
            let consumers = declared.consumer_count();
            if consumers < *first.get_or_insert(consumers) || consumers == 0 {
                return;
            }
            sleep(APPLIED_POLL_INTERVAL).await;
        }
    }
}

fn received(delivery: lapin::message::Delivery, receipt: DeliveryReceipt) -> Delivery {
    let delivered_before = delivered_before(&delivery);
    Delivery {
        message: convert::message(delivery),
        delivered_before,
        arrived: Instant::now(),
        receipt,
    }
}

/// Returns how often a message was delivered before. Quorum queues count deliveries, and RabbitMQ
/// overwrites a value that the publisher set in the header.
fn delivered_before(delivery: &lapin::message::Delivery) -> u32 {
    if !delivery.redelivered {
        return 0;
    }
    let count = delivery
        .properties
        .headers()
        .as_ref()
        .and_then(|headers| headers.inner().get("x-delivery-count"));
    let count = match count {
        Some(AMQPValue::LongLongInt(count)) => u32::try_from(*count).unwrap_or(u32::MAX),
        Some(AMQPValue::LongInt(count)) => u32::try_from(*count).unwrap_or(u32::MAX),
        Some(AMQPValue::LongUInt(count)) => *count,
        _ => 1,
    };
    count.max(1)
}

/// Starts an operation that the library completes by itself: the first poll queues the frame, and
/// nothing has to wait until it is written.
fn begin(sending: impl Future<Output = lapin::Result<()>>) {
    let _ = pin!(sending).poll(&mut Context::from_waker(Waker::noop()));
}
