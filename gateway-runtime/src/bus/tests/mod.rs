//! Tests of every broker: each runs over the in-process broker, and over RabbitMQ if
//! `TEST_AMQP_URL` is set, as `./test` does.

mod calls;
mod events;
mod queues;

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, timeout};

use crate::bus::{
    Broker, BusError, CallQueue, Deliveries, Delivery, MemoryBroker, Message, ShortStr,
    Subscription,
};

/// A time limit longer than any awaited operation takes.
const LONG: Duration = Duration::from_secs(20);

/// A broker, and the data of its kind only.
struct Bus {
    broker: Arc<dyn Broker>,
    #[cfg(feature = "amqp")]
    url: Option<crate::base::secret::Secret>,
}

impl Bus {
    fn memory() -> Self {
        Self {
            broker: Arc::new(MemoryBroker::default()),
            #[cfg(feature = "amqp")]
            url: None,
        }
    }

    #[cfg(feature = "amqp")]
    async fn rabbitmq() -> Option<Self> {
        let Ok(url) = std::env::var("TEST_AMQP_URL") else {
            eprintln!("not run: TEST_AMQP_URL is not set");
            return None;
        };
        let url = crate::base::secret::Secret::new(url);
        let broker =
            crate::bus::AmqpBroker::open(&url, &crate::bus::BusSettings::default()).await.unwrap();
        Some(Self { broker: Arc::new(broker), url: Some(url) })
    }

    /// Returns a new queue and its deliveries.
    async fn queue(&self) -> (CallQueue, Deliveries) {
        let queue = queue();
        let deliveries = self.consume(&queue).await;
        (queue, deliveries)
    }

    async fn consume(&self, queue: &CallQueue) -> Deliveries {
        self.broker.consume(Subscription::Calls(queue.clone())).await.unwrap()
    }

    async fn call(&self, message: Message, most: Duration) -> Result<Message, BusError> {
        self.broker.call(message, Instant::now() + most).await
    }

    async fn publish(&self, message: Message) {
        self.broker.publish(message).await.unwrap();
    }

    async fn reply(&self, to: &Message, body: &'static str) {
        self.publish(answer(to, body)).await;
    }

    /// Takes a message from a queue without consumers; waits for one.
    async fn take(&self, queue: &ShortStr) -> Message {
        #[cfg(feature = "amqp")]
        if let Some(url) = &self.url {
            return timeout(LONG, crate::bus::amqp::take(url, queue)).await.unwrap();
        }
        let queue = CallQueue { name: queue.clone(), delays: vec![], ..crate::bus::tests::queue() };
        let delivery = next(&mut self.consume(&queue).await).await;
        delivery.receipt.ack();
        delivery.message
    }
}

/// Returns a queue with a name that no other test uses.
fn queue() -> CallQueue {
    CallQueue {
        name: name("queue"),
        prefetch: 100,
        delivery_limit: 2,
        delays: vec![Duration::from_millis(200)],
    }
}

fn name(what: &str) -> ShortStr {
    format!("test.{what}.{:016x}", fastrand::u64(..)).into()
}

async fn next(deliveries: &mut Deliveries) -> Delivery {
    timeout(LONG, deliveries.next()).await.unwrap().unwrap()
}

fn answer(to: &Message, body: &'static str) -> Message {
    let mut answer = Message::to_queue(to.reply_to.clone().unwrap());
    answer.correlation_id.clone_from(&to.correlation_id);
    answer.body = body.into();
    answer
}

/// Polls until the condition holds.
async fn until(mut is_so: impl FnMut() -> bool) {
    let waited = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LONG, waited).await.unwrap();
}

/// Declares these tests for each broker.
macro_rules! over_each_broker {
    ($($name:ident),+ $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::super::Bus::memory()).await;
            })+
        }

        #[cfg(feature = "amqp")]
        mod rabbitmq {
            $(#[tokio::test]
            async fn $name() {
                if let Some(bus) = super::super::Bus::rabbitmq().await {
                    super::$name(bus).await;
                }
            })+
        }
    };
}
use over_each_broker;
