//! A continuous load of calls, and their outcomes.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use gateway_runtime::bus::{Broker, BusErrorKind, Message, ShortStr, Subscription};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

/// The deadline of each call.
const DEADLINE: Duration = Duration::from_secs(2);
/// The time by which a call may exceed its deadline, on a busy machine.
const SLACK: Duration = Duration::from_millis(500);
/// The number of calls in flight.
const CALLERS: usize = 32;

/// A continuous load of calls.
pub(super) struct Load {
    seen: Arc<Seen>,
    is_over: Arc<AtomicBool>,
    callers: Vec<JoinHandle<()>>,
}

/// Counts of outcomes since the last reading.
#[derive(Default)]
struct Seen {
    counts: Mutex<Counts>,
    overdue: Mutex<Vec<String>>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub(super) answered: usize,
    /// The number of each fault, and the longest time that one took.
    pub(super) faults: BTreeMap<String, (usize, Duration)>,
}

impl Counts {
    pub(super) fn of(&self, fault: BusErrorKind) -> usize {
        self.faults.get(&format!("{fault:?}")).map_or(0, |(count, _)| *count)
    }

    /// Returns whether no other faults occurred.
    pub(super) fn only(&self, faults: &[BusErrorKind]) -> bool {
        self.faults.keys().all(|seen| faults.iter().any(|fault| *seen == format!("{fault:?}")))
    }
}

impl Load {
    pub(super) fn begin(broker: &Arc<dyn Broker>, exchange: ShortStr, key: ShortStr) -> Self {
        let (seen, is_over) = (Arc::<Seen>::default(), Arc::<AtomicBool>::default());
        let callers = (0..CALLERS).map(|_| {
            let (broker, seen, is_over) =
                (Arc::clone(broker), Arc::clone(&seen), Arc::clone(&is_over));
            let message =
                Message { body: "question".into(), ..Message::new(exchange.clone(), key.clone()) };
            tokio::spawn(async move {
                while !is_over.load(Ordering::Relaxed) {
                    seen.call(&*broker, message.clone()).await;
                    // Callers whose calls fail at once would use the whole machine.
                    sleep(Duration::from_millis(2)).await;
                }
            })
        });
        let callers = callers.collect();
        Self { seen, is_over, callers }
    }

    /// Returns and resets the counts.
    pub(super) fn take(&self) -> Counts {
        std::mem::take(&mut self.seen.counts.lock().unwrap())
    }

    /// Waits, up to a limit, until the condition holds for calls that end from now on; returns
    /// their counts.
    pub(super) async fn until(
        &self,
        most: Duration,
        what: &str,
        is_so: impl Fn(&Counts) -> bool,
    ) -> Counts {
        self.take();
        let began = Instant::now();
        loop {
            let counts = self.seen.counts.lock().unwrap().clone();
            if is_so(&counts) {
                println!("{what}: after {:?}: {counts:?}", began.elapsed());
                return counts;
            }
            assert!(began.elapsed() < most, "not {what} within {most:?}: {counts:?}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Ends the load; asserts that each call ended within its deadline.
    pub(super) async fn end(self) {
        self.is_over.store(true, Ordering::Relaxed);
        for caller in self.callers {
            timeout(DEADLINE + SLACK, caller).await.expect("a call never ended").unwrap();
        }
        let overdue = self.seen.overdue.lock().unwrap();
        assert!(
            overdue.is_empty(),
            "{} calls ended too late: {:?}",
            overdue.len(),
            overdue.first()
        );
    }
}

impl Seen {
    async fn call(&self, broker: &dyn Broker, message: Message) {
        let began = Instant::now();
        let answer = broker.call(message, began + DEADLINE).await;
        let took = began.elapsed();
        if took > DEADLINE + SLACK {
            self.overdue.lock().unwrap().push(format!("{took:?}: {answer:?}"));
        }
        let mut counts = self.counts.lock().unwrap();
        match answer {
            Ok(answer) => {
                assert_eq!(answer.body, "answer");
                counts.answered += 1;
            }
            Err(error) => {
                let (count, longest) =
                    counts.faults.entry(format!("{:?}", error.kind())).or_default();
                *count += 1;
                *longest = took.max(*longest);
            }
        }
    }
}

/// Replies to each call, for ever.
pub(super) async fn answer(broker: Arc<dyn Broker>, subscription: Subscription) -> JoinHandle<()> {
    let mut deliveries = broker.consume(subscription).await.unwrap();
    tokio::spawn(async move {
        while let Some(delivery) = deliveries.next().await {
            let mut answer = Message::to_queue(delivery.message.reply_to.unwrap());
            answer.correlation_id = delivery.message.correlation_id;
            answer.body = "answer".into();
            let (publishing, receipt) = (broker.publish(answer), delivery.receipt);
            tokio::spawn(async move {
                // While the broker is unavailable no reply can be sent; nobody waits for it when
                // the broker is back.
                let _ = publishing.await;
                receipt.ack();
            });
        }
    })
}
