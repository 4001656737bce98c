//! The bus to methods: calls that come by the queue `gateway.calls`, through the same pipeline as all others.
//!
//! `envelope` reads a message, `answer` writes what is answered, `fate` decides what becomes of the message: done with, tried
//! again after a while, or dead. A message is settled when all that follows from it is with the broker; what dies before is
//! given again, and its key (`message_id`) keeps it from being carried out twice.

mod answer;
mod envelope;
mod fate;

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{
    sync::{Semaphore, oneshot},
    task::{JoinHandle, JoinSet},
    time::{Instant, timeout},
};

use self::{envelope::Envelope, fate::Fate};
use crate::{
    bus::{Broker, BusError, CallQueue, CallsSettings, Deliveries, Delivery, Fault, Message, Subscription},
    call::{Arrival, Call, CallRequest, Input, Origin, RequestId},
    error::{Code, Error},
    extract::AnswerShape,
    pipeline::Pipeline,
    registry::{Method, Registry},
    spec::{Effect, Idempotency},
};

/// So many messages are taken at once from those that are here.
const BATCH: usize = 64;

/// What carries out the calls that come by the bus.
#[derive(Debug)]
pub struct Consumer {
    stop: oneshot::Sender<()>,
    consuming: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    broker: Arc<dyn Broker>,
    queue: CallQueue,
    /// By `service.vN.method`; webhooks are none.
    methods: HashMap<Box<str>, Arc<Method>, foldhash::fast::RandomState>,
    pipeline: Pipeline,
    /// How long a call may take whose method does not say.
    timeout: Duration,
    /// Whether a `message_id` keeps a call from being carried out twice.
    honours_keys: bool,
}

impl Consumer {
    /// Begins to carry out calls, each within `timeout` where its method does not say, by tasks of the runtime in which this is
    /// called.
    ///
    /// # Errors
    ///
    /// When the queue cannot be declared.
    pub async fn start(
        broker: Arc<dyn Broker>,
        settings: &CallsSettings,
        registry: &Registry,
        pipeline: Pipeline,
        timeout: Duration,
        honours_keys: bool,
    ) -> Result<Self, BusError> {
        let queue = settings.call_queue();
        let deliveries = broker.consume(Subscription::Calls(queue.clone())).await?;
        let methods = registry.methods().filter(|method| method.spec.webhook.is_none());
        let methods = methods.map(|method| (envelope::name_of(method), Arc::clone(method))).collect();
        let shared = Arc::new(Shared { broker, queue, methods, pipeline, timeout, honours_keys });
        let (stop, stopped) = oneshot::channel();
        let consuming = tokio::spawn(consume(shared, deliveries, settings.concurrency.get().into(), stopped));
        Ok(Self { stop, consuming })
    }

    /// Takes no more messages, and waits until those that were begun are settled, or `patience` is over: the others go back to
    /// the queue.
    pub async fn stop(mut self, patience: Duration) {
        drop(self.stop);
        if timeout(patience, &mut self.consuming).await.is_err() {
            tracing::warn!("calls that came by the bus were cut, and go back to their queue");
            self.consuming.abort();
        }
    }
}

async fn consume(shared: Arc<Shared>, mut deliveries: Deliveries, most: usize, mut stopped: oneshot::Receiver<()>) {
    let slots = Arc::new(Semaphore::new(most));
    let mut running = JoinSet::new();
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let taken = tokio::select! {
            // Also when nobody is left who could tell.
            _ = &mut stopped => break,
            taken = deliveries.next_many(&mut batch, BATCH) => taken,
            Some(_) = running.join_next() => continue,
        };
        if taken == 0 {
            break;
        }
        for delivery in batch.drain(..) {
            let slot = tokio::select! {
                _ = &mut stopped => break,
                slot = Arc::clone(&slots).acquire_owned() => slot,
            };
            let shared = Arc::clone(&shared);
            running.spawn(async move {
                let _slot = slot;
                shared.carry_out(delivery).await;
            });
        }
    }
    drop((batch, deliveries));
    while running.join_next().await.is_some() {}
}

impl Shared {
    /// Carries out what a message asks for, and settles it.
    async fn carry_out(&self, delivery: Delivery) {
        let Delivery { message, redelivered, receipt } = delivery;
        let arrived = Arrived::of(&message);
        let (outcome, headers) = match self.begin(&message, redelivered, &arrived) {
            Ok((method, request)) => {
                let call = request.call.clone();
                let outcome = self.pipeline.call(&method, request).await;
                (answer::whole(outcome).await, call.take_response_headers())
            }
            Err(error) => {
                arrived.log(&error);
                (Err(error), None)
            }
        };
        let fate = Fate::of(&message, &outcome, &self.queue);
        if let Some(to) = message.reply_to.clone().filter(|_| fate.is_final()) {
            let answer = answer::message(&outcome, headers, &message, to, &arrived.id);
            // Who does not wait any more does not miss it.
            self.hand_over(answer, |fault| matches!(fault, Fault::Unroutable | Fault::Unfit)).await;
        }
        let next = fate.message(message, &outcome, &self.queue, &arrived.id);
        let is_settled = match next {
            // The queues are declared: one that was deleted is again soon.
            Some(next) => self.hand_over(next, |fault| fault == Fault::Unfit).await,
            None => true,
        };
        if is_settled {
            receipt.done();
        }
    }

    /// The call that a message asks for.
    fn begin(
        &self,
        message: &Message,
        redelivered: bool,
        arrived: &Arrived,
    ) -> Result<(Arc<Method>, CallRequest), Error> {
        let envelope = Envelope::read(&message.body)?;
        let method = self.methods.get(&*envelope.name()).ok_or_else(|| {
            Error::not_found("there is no such method; `GET /meta` lists them with their service, version and name")
        })?;
        if let AnswerShape::Items(_) = method.answer {
            let detail = format!("this method answers with a stream; call it at {}", method.path());
            return Err(Error::new(Code::NOT_ACCEPTABLE, detail));
        }
        let honours_keys = self.honours_keys && method.spec.idempotency != Idempotency::None;
        let protected = honours_keys && message.message_id.is_some();
        let once = matches!(method.spec.effect, Effect::Once | Effect::Keyed);
        // Who had it first may have carried it out, and nothing was written down by which that could be known.
        if redelivered && once && !protected {
            return Err(Error::new(
                Code::OUTCOME_UNKNOWN,
                "this message was given before, and whether it was carried out is not known; with a `message_id` it would be",
            ));
        }
        let patience = method.spec.timeout.unwrap_or(self.timeout);
        let patience = message.expiration.map_or(patience, |left| left.min(patience));
        let arrival = Arrival {
            id: arrived.id.clone(),
            origin: Origin::Bus,
            peer: None,
            country: None,
            headers: envelope::headers(message),
            started: arrived.at.into_std(),
            deadline: arrived.at.into_std() + patience,
        };
        let input = match envelope.payload {
            Some(payload) if method.input.is_some() => Input::Value(payload),
            _ => Input::None,
        };
        Ok((Arc::clone(method), CallRequest { call: Call::new(method.service, method.spec, arrival), input }))
    }

    /// Gives a message to the broker, however long that takes: what it follows from is settled only then. False where it is
    /// given up.
    async fn hand_over(&self, message: Message, is_hopeless: impl Fn(Fault) -> bool) -> bool {
        let mut pause = Duration::from_millis(50);
        loop {
            let error = match self.broker.publish(message.clone()).await {
                Ok(()) => return true,
                Err(error) => error,
            };
            if is_hopeless(error.fault()) {
                tracing::info!(%error, to = &*message.key, "a message is given up");
                return false;
            }
            tracing::warn!(%error, to = &*message.key, "a message cannot be handed over; it is tried again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    }
}

/// When a message came, and what its call is called.
struct Arrived {
    at: Instant,
    id: RequestId,
}

impl Arrived {
    fn of(message: &Message) -> Self {
        let named = message.headers.text("x-request-id").or(message.message_id.as_deref());
        let id = named.and_then(|name| http::HeaderValue::from_str(name).ok());
        let id = id.and_then(|name| RequestId::from_header(&name)).unwrap_or_else(RequestId::generate);
        Self { at: Instant::now(), id }
    }

    /// The line of a message that did not become a call; calls have the pipeline's.
    fn log(&self, error: &Error) {
        tracing::info!(
            target: "gateway::request",
            request_id = self.id.as_str(),
            origin = Origin::Bus.as_str(),
            status = error.code().status(),
            code = error.code().name(),
            detail = error.detail(),
            "refused"
        );
    }
}

/// The reading of calls, for its fuzz target.
#[cfg(fuzzing)]
pub mod mapping {
    use http::HeaderMap;

    use super::envelope::{self, Envelope};
    use crate::{bus::Message, error::Error};

    /// Reads the envelope of a call: the name of its method, and its header fields.
    ///
    /// # Errors
    ///
    /// As such a call is answered.
    pub fn call(message: &Message) -> Result<(String, HeaderMap), Error> {
        let envelope = Envelope::read(&message.body)?;
        Ok((envelope.name(), envelope::headers(message)))
    }
}
