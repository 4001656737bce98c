//! The retry decision for a message whose call has ended: acknowledged, published again to a retry
//! queue with a delay, or published to the dead-letter queue (SEMANTICS §11).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::{
    base::{call::RequestId, error::Error, problem::ProblemDetails, reply::Reply},
    bus::{CallQueue, Message, ShortStr},
    edge::bus_consumer::reply::INSTANCE,
};

/// The header with the number of earlier attempts. Reserved for the gateway.
pub(super) const ATTEMPT: &str = "x-gateway-attempt";
/// The headers of a dead letter: the problem as JSON, and its code.
pub(super) const PROBLEM: &str = "x-gateway-problem";
pub(super) const CODE: &str = "x-gateway-code";

/// The header with the time at which a retried message expires, in milliseconds since 1970. Its
/// `expiration` would end it in the retry queue.
const EXPIRES: &str = "x-gateway-expires";
/// The broker's own headers, which it would take for its own when they are published again.
const BROKER_HEADERS: [&str; 5] = [
    "x-death",
    "x-delivery-count",
    "x-first-death-queue",
    "x-first-death-reason",
    "x-first-death-exchange",
];

/// The retry decision for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RetryDecision {
    /// Acknowledged: the call was executed, or a waiting caller receives the error.
    Ack,
    /// Retried after this delay.
    RetryAfter(Duration),
    /// Published to the dead-letter queue, for an operator.
    DeadLetter,
}

impl RetryDecision {
    /// Decides about a message that expires at `expires`, if at all.
    pub(super) fn of(
        message: &Message,
        expires: Option<Instant>,
        outcome: &Result<Reply, Error>,
        queue: &CallQueue,
    ) -> Self {
        let Err(error) = outcome else { return Self::Ack };
        // A caller waits for a limited time: it receives the error, and decides itself.
        if message.reply_to.is_some() && message.expiration.is_some() {
            return Self::Ack;
        }
        let attempts = attempts(message);
        let mut delays = queue.delays.iter().skip(attempts);
        match delays.next() {
            Some(next) if error.is_retryable() => {
                // Not before `Retry-After`, if the error has one.
                let retry_after = error.retry_after().unwrap_or_default();
                let long_enough =
                    std::iter::once(next).chain(delays).find(|delay| **delay >= retry_after);
                let delay = *long_enough.or(queue.delays.last()).unwrap_or(next);
                let is_in_time = expires.is_none_or(|expires| Instant::now() + delay < expires);
                if is_in_time { Self::RetryAfter(delay) } else { Self::DeadLetter }
            }
            _ => Self::DeadLetter,
        }
    }

    /// Returns whether the call has ended for good.
    pub(super) fn is_final(self) -> bool {
        !matches!(self, Self::RetryAfter(_))
    }

    /// Returns the message to publish in place of the original: a retry, a dead letter, or none.
    pub(super) fn message(
        self,
        message: Message,
        expires: Option<Instant>,
        outcome: &Result<Reply, Error>,
        queue: &CallQueue,
        id: &RequestId,
    ) -> Option<Message> {
        let (exchange, key): (ShortStr, ShortStr) = match self {
            Self::Ack => return None,
            Self::RetryAfter(delay) => ("".into(), queue.retry_queue(delay)),
            Self::DeadLetter => (CallQueue::DEAD_LETTERS.into(), queue.name.clone()),
        };
        let attempts = i64::try_from(attempts(&message)).unwrap_or(i64::MAX).saturating_add(1);
        let mut next = message.sent_on(exchange, key);
        remove_broker_headers(&mut next);
        next.headers.remove(EXPIRES);
        if let (Self::RetryAfter(_), Some(expires)) = (self, expires) {
            next.headers.set(EXPIRES, to_unix_millis(expires));
        }
        next.headers.set(ATTEMPT, attempts);
        if let Err(error) = outcome {
            next.headers.set(CODE, error.code().name());
            next.headers.set(PROBLEM, ProblemDetails::new(error, INSTANCE, id).to_json());
        }
        Some(next)
    }
}

fn attempts(message: &Message) -> usize {
    message.headers.number(ATTEMPT).and_then(|attempts| usize::try_from(attempts).ok()).unwrap_or(0)
}

/// Removes all headers but the gateway's, for a broker that cannot carry all of them in one frame.
pub(super) fn without_header_fields(mut message: Message) -> Message {
    const MAX_PROBLEM_BYTES: usize = 32 << 10;

    let ours = [ATTEMPT, CODE, PROBLEM, EXPIRES, Message::UNREADABLE];
    let ours = ours.into_iter().filter_map(|name| Some((name, message.headers.remove(name)?)));
    let short = ours
        .filter(|(_, field)| field.as_bytes().is_none_or(|text| text.len() <= MAX_PROBLEM_BYTES));
    message.headers = short.collect();
    if message.unreadable().is_none() {
        message.headers.add(
            Message::UNREADABLE,
            "the header fields and those of the gateway did not fit into a frame",
        );
    }
    message
}

/// Returns a copy of a message that was not begun, for its own queue, as never delivered.
pub(super) fn copy_of(message: Message, expires: Option<Instant>, queue: &CallQueue) -> Message {
    let mut copy = message.sent_on("", queue.name.clone());
    remove_broker_headers(&mut copy);
    copy.expiration = expires.map(|expires| expires.saturating_duration_since(Instant::now()));
    copy
}

/// Removes the broker's own headers from a message that is published again.
fn remove_broker_headers(message: &mut Message) {
    for name in BROKER_HEADERS {
        message.headers.remove(name);
    }
}

/// Returns when a message expires. Its `expiration` counts from its arrival (SEMANTICS §11); an
/// earlier attempt may have recorded a time, and the earlier of the two wins.
pub(super) fn expires(message: &Message, arrived: Instant) -> Option<Instant> {
    let by_expiration = message.expiration.and_then(|left| arrived.checked_add(left));
    let by_earlier_attempt = message.headers.number(EXPIRES).map(from_unix_millis);
    by_expiration.into_iter().chain(by_earlier_attempt).min()
}

fn to_unix_millis(at: Instant) -> i64 {
    let at = SystemTime::now() + at.saturating_duration_since(Instant::now());
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Returns the current time for a time in the past.
fn from_unix_millis(at: i64) -> Instant {
    const MAX_REMAINING: Duration = Duration::from_secs(365 * 24 * 3600);

    let since = Duration::from_millis(u64::try_from(at).unwrap_or(0));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Instant::now() + since.saturating_sub(now).min(MAX_REMAINING)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::error::Code;

    fn queue() -> CallQueue {
        let delays = [1, 60].map(Duration::from_secs).to_vec();
        CallQueue { name: "calls".into(), prefetch: 1, delivery_limit: 20, delays }
    }

    #[test]
    fn message_that_expires_before_its_next_retry_becomes_a_dead_letter() {
        let failed = || Err(Error::new(Code::OVERLOADED, "busy"));
        let message = Message { expiration: Some(Duration::from_secs(30)), ..Message::default() };
        let arrived = Instant::now();
        let queue = queue();
        let expires = super::expires(&message, arrived);
        let decision = RetryDecision::of(&message, expires, &failed(), &queue);
        assert_eq!(decision, RetryDecision::RetryAfter(Duration::from_secs(1)));
        let second =
            decision.message(message, expires, &failed(), &queue, &RequestId::generate()).unwrap();
        assert_eq!(second.expiration, None);
        let left =
            super::expires(&second, Instant::now()).unwrap().saturating_duration_since(arrived);
        assert!(left > Duration::from_secs(29) && left < Duration::from_secs(31), "{left:?}");
        assert_eq!(
            RetryDecision::of(&second, super::expires(&second, arrived), &failed(), &queue),
            RetryDecision::DeadLetter
        );
        assert_eq!(
            RetryDecision::of(&second, None, &failed(), &queue),
            RetryDecision::RetryAfter(Duration::from_secs(60))
        );
    }
}
