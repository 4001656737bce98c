//! The executor: turns a message into a call, executes it and acknowledges the message; the ack
//! follows once the result is durable (SEMANTICS §11).

use std::{collections::HashMap, sync::Arc, time::Duration};

use http::HeaderMap;
use tokio::time::Instant;

use crate::{
    base::{
        call::{Call, CallContext, CallRequest, Input, Origin, RequestId},
        error::{Code, Error},
        spec::{Effect, IdempotencyMode},
    },
    bus::{Broker, CallQueue, CallsSettings, Delivery, Message},
    edge::bus_consumer::{
        envelope::{self, Envelope},
        options::ConsumerOptions,
        publish::CallPublisher,
        reply,
        retry::{self, RetryDecision},
        slot::TakenDelivery,
    },
    pipeline::Pipeline,
    provider::has_idempotency_key,
    service::{
        into_reply::ReplyShape,
        registry::{Method, Registry},
    },
};

/// The time for which a slot may be taken beyond the timeout of a call before `/readyz` reports it.
const STUCK_GRACE_TIMEOUT: Duration = Duration::from_secs(5);

/// Executes calls that arrive over the bus.
#[derive(Debug)]
pub(super) struct Executor {
    publisher: CallPublisher,
    queue: CallQueue,
    /// The exposed methods by `service.vN.method`, without webhooks.
    methods: HashMap<Box<str>, Arc<Method>, foldhash::fast::RandomState>,
    pipeline: Pipeline,
    timeout: Duration,
    honours_keys: bool,
    body_bytes: usize,
}

/// The state of a received message that is to be executed.
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
            publisher: CallPublisher { broker, status },
            queue: settings.call_queue(),
            methods: methods()
                .map(|method| (envelope::name_of(method), Arc::clone(method)))
                .collect(),
            pipeline,
            timeout,
            honours_keys,
            body_bytes: settings.body_bytes,
        }
    }

    /// Executes the call in a message, and acknowledges the message.
    ///
    /// The slot is free as soon as the method has ended, since the steps after it wait for queues
    /// that may be others'. `prefetch` limits how many messages are in these steps at once.
    pub(super) async fn execute(&self, delivery: Delivery, taken: TakenDelivery) {
        let Delivery { message, delivered_before, arrived, receipt } = delivery;
        let headers = envelope::headers(&message);
        let id = envelope::request_id(&message, headers.as_ref().ok());
        let arrived =
            ReceivedCall { delivered_before, expires: retry::expires(&message, arrived), id };
        if arrived.expires.is_some_and(|expires| expires <= Instant::now()) {
            drop(taken);
            self.expire(message, &arrived).await;
            return receipt.ack();
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
        let decision = RetryDecision::of(&message, arrived.expires, &outcome, &self.queue);
        let reply = message.reply_to.clone().filter(|_| decision.is_final());
        let reply = reply.map(|to| reply::message(&outcome, headers, &message, to, &arrived.id));
        let next = decision.message(message, arrived.expires, &outcome, &self.queue, &arrived.id);
        if let Some(reply) = reply {
            self.publisher.reply(reply, arrived.expires).await;
        }
        let is_published = match next {
            Some(next) => self.publisher.publish_until_confirmed(next).await,
            None => true,
        };
        if is_published {
            receipt.ack();
        }
    }

    /// Ends an expired message without executing it. A caller may still wait for a reply; nothing
    /// is retried, and there is no dead letter.
    async fn expire(&self, message: Message, arrived: &ReceivedCall) {
        let error =
            Error::new(Code::TIMEOUT, "the call expired before it began; it was not executed");
        arrived.log(&error);
        if let Some(to) = message.reply_to.clone() {
            let reply = reply::message(&Err(error), None, &message, to, &arrived.id);
            self.publisher.reply(reply, None).await;
        }
    }

    /// Returns a message that was not begun to its queue, as never delivered (SEMANTICS §11).
    ///
    /// The broker marks and counts requeued messages. If that mark would turn the call into one
    /// with an unknown outcome, the message is published again instead, and acknowledged when the
    /// broker has confirmed the copy.
    pub(super) async fn return_unbegun(&self, delivery: Delivery) {
        let Delivery { message, delivered_before, arrived, receipt } = delivery;
        if delivered_before > 0 || !self.depends_on_deliveries(&message) {
            // Dropping the receipt requeues it.
            return;
        }
        let expires = retry::expires(&message, arrived);
        let copy = retry::copy_of(message, expires, &self.queue);
        match self.publisher.broker.publish(copy).await {
            Ok(()) => receipt.ack(),
            Err(error) => {
                tracing::warn!(%error, "call that was not begun requeued as a redelivery")
            }
        }
    }

    /// Returns whether an earlier delivery changes the outcome of a message.
    fn depends_on_deliveries(&self, message: &Message) -> bool {
        let (Ok(headers), Ok(envelope)) =
            (envelope::headers(message), Envelope::read(&message.body))
        else {
            return false;
        };
        self.methods.get(&*envelope.name()).is_some_and(|method| !self.may_repeat(method, &headers))
    }

    /// Returns whether a call that may have been executed can be executed again: it has no further
    /// effect, or its key prevents a second execution.
    fn may_repeat(&self, method: &Method, headers: &HeaderMap) -> bool {
        let honours_keys = self.honours_keys && method.spec.idempotency != IdempotencyMode::None;
        let once = matches!(method.spec.effect, Effect::Once | Effect::Keyed);
        !once || (honours_keys && has_idempotency_key(headers))
    }

    /// Returns the call in a message, and its method.
    fn call(
        &self,
        message: &Message,
        headers: HeaderMap,
        arrived: &ReceivedCall,
    ) -> Result<(Arc<Method>, CallRequest), Error> {
        if arrived.delivered_before >= self.queue.delivery_limit.max(1) {
            let times = arrived.delivered_before;
            let detail = format!(
                "the message was delivered {times} times, and the gateways that received it were \
                 lost"
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
            Error::not_found(
                "method not found; `GET /meta` lists the methods with their service, version and \
                 name",
            )
        })?;
        if let ReplyShape::Items(_) = method.answer {
            let detail = format!("the method replies with a stream; call it at {}", method.path());
            return Err(Error::new(Code::NOT_ACCEPTABLE, detail));
        }
        // The first receiver may have executed it, and without a key no record of that exists.
        if arrived.delivered_before > 0 && !self.may_repeat(method, &headers) {
            return Err(Error::new(
                Code::OUTCOME_UNKNOWN,
                "the message was delivered before, and the outcome is unknown; send a `message_id` \
                 with each call",
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
}

impl ReceivedCall {
    /// Logs a message that did not become a call. Calls are logged by the pipeline.
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
