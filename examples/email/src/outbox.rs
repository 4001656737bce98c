//! The messages that the service has sent since it started, in memory.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use gateway_runtime::{BuildContext, prelude::*};

use crate::message::{Accepted, State, Status};

/// The maximum number of messages; beyond it the oldest are dropped.
const MAX_MESSAGES: usize = 10_000;

/// The messages that were sent last.
#[derive(Debug, Default)]
pub struct Outbox(Mutex<Messages>);

#[derive(Debug, Default)]
struct Messages {
    by_id: HashMap<String, Status>,
    oldest_first: VecDeque<String>,
}

impl Outbox {
    /// Adds a message.
    pub fn add(&self, accepted: Accepted) {
        let mut messages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let id = accepted.message_id.clone();
        let status = Status { accepted, state: State::Accepted, reason: None };
        if messages.by_id.insert(id.clone(), status).is_none() {
            messages.oldest_first.push_back(id);
        }
        if messages.oldest_first.len() > MAX_MESSAGES
            && let Some(oldest) = messages.oldest_first.pop_front()
        {
            messages.by_id.remove(&oldest);
        }
    }

    /// Records the state of a message. Unknown ids are ignored: an error would only make the
    /// provider repeat the event.
    pub fn note(&self, id: &str, state: State, reason: Option<String>) {
        let mut messages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(status) = messages.by_id.get_mut(id) {
            (status.state, status.reason) = (state, reason);
        }
    }

    /// Returns the status of a message.
    pub fn status(&self, id: &str) -> Option<Status> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).by_id.get(id).cloned()
    }
}

/// Injection creates a new, empty outbox for each service with such a field.
impl FromApp for Outbox {
    fn from_app(_: &BuildContext<'_>) -> Result<Self, StartError> {
        Ok(Self::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oldest_messages_are_dropped_when_full() {
        let outbox = Outbox::default();
        for number in 0..=MAX_MESSAGES {
            outbox.add(Accepted { message_id: number.to_string(), provider: "smtp".to_owned() });
        }
        outbox.note("0", State::Delivered, None);
        assert_eq!(outbox.status("0"), None);
        outbox.note("1", State::Delivered, None);
        assert_eq!(outbox.status("1").unwrap().state, State::Delivered);
    }
}
