//! Makes a call of a message, executes it, and settles the message.

use std::{collections::HashMap, sync::Arc, time::Duration};

use http::HeaderMap;
use tokio::time::{Instant, sleep};

use crate::{
    base::{
        call::{Call, CallContext, CallRequest, Input, Origin, RequestId},
        error::{Code, Error},
        spec::{Effect, IdempotencyMode},
    },
    bus::{Broker, BusErrorKind, CallQueue, CallsSettings, CallsStatus, Delivery, Message},
    edge::bus_consumer::{
        ConsumerOptions,
        envelope::{self, Envelope},
        reply,
        retry::{self, RetryDecision},
        workers::TakenDelivery,
    },
    pipeline::Pipeline,
    provider::has_idempotency_key,
    service::{
        argument::ReplyShape,
        registry::{Method, Registry},
    },
};

/// For so long is a reply tried again that the broker nacks: the caller's queue is full.
const REFUSED_TIMEOUT: Duration = Duration::from_secs(1);
/// For so long is a reply tried again while the broker takes nothing, where the caller does not say how long it waits.
const REPLY_TIMEOUT: Duration = Duration::from_secs(30);
/// The delay before a first further try to publish; each is twice the one before.
const MIN_DELAY: Duration = Duration::from_millis(50);
const MAX_DELAY: Duration = Duration::from_secs(1);
/// What a slot may be taken for besides the time of a call, before `/readyz` tells.
const STUCK_GRACE_TIMEOUT: Duration = Duration::from_secs(5);

/// Executes calls that come by the bus.
#[derive(Debug)]
pub(super) struct Executor {
    broker: Arc<dyn Broker>,
    queue: CallQueue,
    /// By `service.vN.method`; webhooks are none.
    methods: HashMap<Box<str>, Arc<Method>, foldhash::fast::RandomState>,
    pipeline: Pipeline,
    timeout: Duration,
    honours_keys: bool,
    body_bytes: usize,
    status: Arc<CallsStatus>,
}

/// What is known of a message that is to be executed.
struct ReceivedCall {
    delivered_before: u32,
    expires: Option<Instant>,
    id: RequestId,
}

impl Executor {
    pub(super) fn new(
        broker: Arc<dyn Broker>,
        settings: &CallsSettings,
        registry: &Registry,
        pipeline: Pipeline,
        options: ConsumerOptions,
    ) -> Self {
        let methods = || registry.methods().filter(|method| method.spec.webhook.is_none());
        let ConsumerOptions { timeout, honours_keys, status, .. } = options;
        let longest = methods().map(|method| method.spec.timeout.unwrap_or(timeout)).max();
        status.set_longest(longest.unwrap_or(timeout) + STUCK_GRACE_TIMEOUT);
        Self {
            broker,
            queue: settings.call_queue(),
            methods: methods()
                .map(|method| (envelope::name_of(method), Arc::clone(method)))
                .collect(),
            pipeline,
            timeout,
            honours_keys,
            body_bytes: settings.body_bytes,
            status,
        }
    }

    /// Executes what a message asks for, and settles it. The slot is free as soon as the method has ended: what follows waits for
    /// queues that may be others'. So much of it is under way at once as there are messages that are not settled (`prefetch`).
    pub(super) async fn execute(&self, delivery: Delivery, taken: TakenDelivery) {
        let Delivery { message, delivered_before, arrived, receipt } = delivery;
        let headers = envelope::headers(&message);
        let id = envelope::request_id(&message, headers.as_ref().ok());
        let arrived =
            ReceivedCall { delivered_before, expires: retry::expires(&message, arrived), id };
        if arrived.expires.is_some_and(|expires| expires <= Instant::now()) {
            drop(taken);
            self.expire(message, &arrived).await;
            return receipt.done();
        }
        let (outcome, headers) =
            match headers.and_then(|headers| self.call(&message, headers, &arrived)) {
                Ok((method, request)) => {
                    let call = request.call.clone();
                    let outcome = self.pipeline.call(&method, request).await;
                    (
                        reply::whole(outcome, Instant::from_std(call.deadline())).await,
                        call.take_response_headers(),
                    )
                }
                Err(error) => {
                    arrived.log(&error);
                    (Err(error), None)
                }
            };
        drop(taken);
        let fate = RetryDecision::of(&message, arrived.expires, &outcome, &self.queue);
        let reply = message.reply_to.clone().filter(|_| fate.is_final());
        let reply = reply.map(|to| reply::message(&outcome, headers, &message, to, &arrived.id));
        let next = fate.message(message, arrived.expires, &outcome, &self.queue, &arrived.id);
        if let Some(reply) = reply {
            self.reply(reply, arrived.expires).await;
        }
        let is_settled = match next {
            Some(next) => self.publish(next).await,
            None => true,
        };
        if is_settled {
            receipt.done();
        }
    }

    /// Ends a message that has expired: it is not executed. The caller, if there is one, may still wait; nobody else does.
    async fn expire(&self, message: Message, arrived: &ReceivedCall) {
        let error =
            Error::new(Code::TIMEOUT, "the call expired before it began; it was not executed");
        arrived.log(&error);
        if let Some(to) = message.reply_to.clone() {
            let reply = reply::message(&Err(error), None, &message, to, &arrived.id);
            self.reply(reply, None).await;
        }
    }

    /// Sends back a message that was not begun, as never delivered.
    ///
    /// The broker marks what is requeued, and counts it: where that mark would be taken for a call whose outcome is unknown, the
    /// message is published anew, and acknowledged when the broker has it.
    pub(super) async fn return_unbegun(&self, delivery: Delivery) {
        let Delivery { message, delivered_before, arrived, receipt } = delivery;
        if delivered_before > 0 || !self.depends_on_deliveries(&message) {
            // Dropping the receipt requeues it.
            return;
        }
        let expires = retry::expires(&message, arrived);
        let anew = retry::anew(message, expires, &self.queue);
        match self.broker.publish(anew).await {
            Ok(()) => receipt.done(),
            Err(error) => {
                tracing::warn!(%error, "a call that was not begun goes back as delivered before")
            }
        }
    }

    /// Whether it makes a difference that a message was delivered before.
    fn depends_on_deliveries(&self, message: &Message) -> bool {
        let (Ok(headers), Ok(envelope)) =
            (envelope::headers(message), Envelope::read(&message.body))
        else {
            return false;
        };
        self.methods.get(&*envelope.name()).is_some_and(|method| !self.may_repeat(method, &headers))
    }

    /// Whether a call that may have been executed can be executed again: it does no harm, or its key tells.
    fn may_repeat(&self, method: &Method, headers: &HeaderMap) -> bool {
        let honours_keys = self.honours_keys && method.spec.idempotency != IdempotencyMode::None;
        let once = matches!(method.spec.effect, Effect::Once | Effect::Keyed);
        !once || (honours_keys && has_idempotency_key(headers))
    }

    /// The call that a message asks for.
    fn call(
        &self,
        message: &Message,
        headers: HeaderMap,
        arrived: &ReceivedCall,
    ) -> Result<(Arc<Method>, CallRequest), Error> {
        if arrived.delivered_before >= self.queue.delivery_limit.max(1) {
            let times = arrived.delivered_before;
            let detail = format!(
                "this message was delivered {times} times, and the gateways that had it were lost"
            );
            return Err(Error::new(Code::OUTCOME_UNKNOWN, detail));
        }
        if message.body.len() > self.body_bytes {
            let detail = format!(
                "the message is longer than the {} bytes that are accepted",
                self.body_bytes
            );
            return Err(Error::new(Code::PAYLOAD_TOO_LARGE, detail));
        }
        let envelope = Envelope::read(&message.body)?;
        let method = self.methods.get(&*envelope.name()).ok_or_else(|| {
            Error::not_found("there is no such method; `GET /meta` lists them with their service, version and name")
        })?;
        if let ReplyShape::Items(_) = method.answer {
            let detail = format!("this method answers with a stream; call it at {}", method.path());
            return Err(Error::new(Code::NOT_ACCEPTABLE, detail));
        }
        // Who had it first may have executed it, and nothing was written down by which that could be known.
        if arrived.delivered_before > 0 && !self.may_repeat(method, &headers) {
            return Err(Error::new(
                Code::OUTCOME_UNKNOWN,
                "this message was delivered before, and whether it was executed is not known; with a `message_id` it would be",
            ));
        }
        let now = Instant::now();
        let deadline = now + method.spec.timeout.unwrap_or(self.timeout);
        let arrival = CallContext {
            id: arrived.id.clone(),
            origin: Origin::Bus,
            peer: None,
            country: None,
            headers,
            started: now.into_std(),
            deadline: arrived.expires.map_or(deadline, |expires| expires.min(deadline)).into_std(),
        };
        let input = match envelope.payload {
            Some(payload) if method.input.is_some() => Input::Value(payload),
            _ => Input::None,
        };
        Ok((
            Arc::clone(method),
            CallRequest { call: Call::new(method.service, method.spec, arrival), input },
        ))
    }

    /// Publishes a reply. What the broker refuses is dropped and counted after a bounded time.
    async fn reply(&self, reply: Message, expires: Option<Instant>) {
        let began = Instant::now();
        let awaited = began + REPLY_TIMEOUT;
        let awaited = expires.map_or(awaited, |expires| expires.min(awaited));
        let mut delay = MIN_DELAY;
        loop {
            let Err(error) = self.broker.reply(reply.clone()).await else { return };
            let until = match error.kind() {
                BusErrorKind::Nacked => began + REFUSED_TIMEOUT,
                BusErrorKind::Disconnected | BusErrorKind::Blocked | BusErrorKind::ChannelLost => {
                    awaited
                }
                BusErrorKind::Unroutable
                | BusErrorKind::InvalidMessage
                | BusErrorKind::ConfirmTimeout
                | BusErrorKind::ReplyTimeout => began,
            };
            if Instant::now() + delay > until {
                tracing::info!(%error, to = &*reply.routing_key, "a reply is dropped");
                return self.status.drop_reply(error.kind().into());
            }
            sleep(delay).await;
            delay = (delay * 2).min(MAX_DELAY);
        }
    }

    /// Publishes a retry or a dead letter, however long that takes: the message that it follows from is settled only then. Header fields
    /// that no frame holds together with ours are left out, or the message would come back for ever. False where it can never be
    /// sent.
    async fn publish(&self, mut message: Message) -> bool {
        let mut delay = MIN_DELAY;
        let mut is_whole = true;
        loop {
            let Err(error) = self.broker.publish(message.clone()).await else { return true };
            if error.kind() == BusErrorKind::InvalidMessage {
                if std::mem::take(&mut is_whole) {
                    message = retry::without_header_fields(message);
                    continue;
                }
                tracing::info!(%error, to = &*message.routing_key, "a message is given up");
                return false;
            }
            // Once for each message, however long it takes.
            if delay == MIN_DELAY {
                tracing::warn!(%error, to = &*message.routing_key, "a message cannot be published; it is tried again");
            }
            sleep(delay).await;
            delay = (delay * 2).min(MAX_DELAY);
        }
    }
}

impl ReceivedCall {
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
