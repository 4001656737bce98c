//! What becomes of a message once its call has ended: done with, tried again after a while, or dead.

use std::time::Duration;

use super::answer::INSTANCE;
use crate::{
    bus::{CallQueue, Message, Name},
    call::RequestId,
    error::Error,
    problem::Problem,
    reply::Reply,
};

/// How often a message was tried before; ours, and taken away from what a caller sends by being counted anew.
pub(super) const ATTEMPT: &str = "x-gateway-attempt";
/// Why a message is dead: the problem as JSON, and its code.
pub(super) const PROBLEM: &str = "x-gateway-problem";
pub(super) const CODE: &str = "x-gateway-code";

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It was carried out, or whoever waits for the answer reads why not.
    Done,
    /// It comes back after this time.
    Again(Duration),
    /// It goes where somebody must look at it.
    Dead,
}

impl Fate {
    pub(super) fn of(message: &Message, outcome: &Result<Reply, Error>, queue: &CallQueue) -> Self {
        let Err(error) = outcome else { return Self::Done };
        // Somebody waits, for so long: they read the error, and decide.
        if message.reply_to.is_some() && message.expiration.is_some() {
            return Self::Done;
        }
        let attempts = attempts(message);
        let mut delays = queue.delays.iter().skip(attempts);
        match delays.next() {
            Some(next) if error.is_retryable() => {
                // Not before it can help, if that is known.
                let wanted = error.retry_delay().unwrap_or_default();
                let enough = std::iter::once(next).chain(delays).find(|delay| **delay >= wanted);
                Self::Again(*enough.or(queue.delays.last()).unwrap_or(next))
            }
            _ => Self::Dead,
        }
    }

    /// Whether nothing more will come of it.
    pub(super) fn is_final(self) -> bool {
        !matches!(self, Self::Again(_))
    }

    /// What is sent because of it, in place of the message.
    pub(super) fn message(
        self,
        message: Message,
        outcome: &Result<Reply, Error>,
        queue: &CallQueue,
        id: &RequestId,
    ) -> Option<Message> {
        let (exchange, key): (Name, Name) = match self {
            Self::Done => return None,
            Self::Again(delay) => ("".into(), queue.retry(delay)),
            Self::Dead => (CallQueue::DEAD_LETTERS.into(), queue.name.clone()),
        };
        let attempts = i64::try_from(attempts(&message)).unwrap_or(i64::MAX).saturating_add(1);
        let mut next = message.sent_on(exchange, key);
        // What the broker notes is the broker's.
        for name in
            ["x-death", "x-delivery-count", "x-first-death-queue", "x-first-death-reason", "x-first-death-exchange"]
        {
            next.headers.remove(name);
        }
        next.headers.set(ATTEMPT, attempts);
        if let Err(error) = outcome {
            next.headers.set(CODE, error.code().name());
            next.headers.set(PROBLEM, Problem::new(error, INSTANCE, id).to_json());
        }
        Some(next)
    }
}

fn attempts(message: &Message) -> usize {
    message.headers.number(ATTEMPT).and_then(|attempts| usize::try_from(attempts).ok()).unwrap_or(0)
}
