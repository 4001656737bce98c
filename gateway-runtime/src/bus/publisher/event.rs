//! A single event, as CloudEvents 1.0 defines it. In binary mode of the AMQP binding, its
//! attributes are headers that begin with `cloudEvents:`, and its data is the body.

use std::{fmt, time::SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

#[cfg(feature = "sqlite")]
use crate::store::OutboxConnection;
use crate::{
    base::{call::sortable_id, error::Error},
    bus::{
        Message, MessageHeaders,
        publisher::{Publisher, failed},
    },
};

/// The prefix of attributes (CloudEvents AMQP Protocol Binding 1.0 §3.1.3.1).
const PREFIX: &str = "cloudEvents:";

/// An event that is not published yet.
#[must_use = "an event is for publishing, or for writing down"]
pub struct Event {
    publisher: Publisher,
    written: StoredEvent,
}

/// An event in the outbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoredEvent {
    id: String,
    topic: String,
    source: String,
    time: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ordering_key: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    headers: Vec<(String, String)>,
    data: String,
}

impl Event {
    pub(crate) fn new(publisher: Publisher, topic: &str, data: String) -> Result<Self, Error> {
        let is_topic = !topic.is_empty()
            && topic.len() <= Message::MAX_NAME_BYTES
            && !topic.contains(['*', '#']);
        if !is_topic {
            return Err(Error::internal(format!(
                "invalid topic {topic:?}; use 1 to 255 bytes, words separated by dots, without `*` \
                 and `#`"
            )));
        }
        let written = StoredEvent {
            id: String::from_utf8_lossy(&sortable_id()).into_owned(),
            topic: topic.to_owned(),
            source: publisher.0.source.clone(),
            time: DateTime::<Utc>::from(SystemTime::now())
                .to_rfc3339_opts(SecondsFormat::Micros, true),
            subject: None,
            ordering_key: None,
            headers: Vec::new(),
            data,
        };
        Ok(Self { publisher, written })
    }

    /// Sets the id, by which receivers recognize duplicates. The default is a new unique id.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.written.id = id.into();
        self
    }

    /// Sets the subject within the source: the number of an order, for example.
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.written.subject = Some(subject.into());
        self
    }

    /// Sets the ordering key: the number of an order, for example. [Stored](Self::store) events of
    /// one key reach the broker in the order in which they were stored; other keys do not wait for
    /// them. The default is the topic.
    pub fn ordering_key(mut self, key: impl Into<String>) -> Self {
        self.written.ordering_key = Some(key.into());
        self
    }

    /// Adds a header of the message. The prefix `cloudEvents:` is reserved for the event's
    /// attributes.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.written.headers.push((name.into(), value.into()));
        self
    }

    /// Publishes the event, and waits until the broker has confirmed it.
    ///
    /// # Errors
    ///
    /// As [`Publisher::publish`].
    pub async fn publish(self) -> Result<(), Error> {
        let Self { publisher, written } = self;
        let message = written.into_message(&publisher.0.exchange);
        publisher.broker().publish(message).await.map_err(|error| failed(&error))
    }

    /// Stores the event in the outbox by a connection to the configured database. In a transaction
    /// of the author's it is published if, and only if, that is committed, soon after the commit.
    /// It is published at least once: receivers recognize duplicates by the id.
    ///
    /// ```
    /// # use gateway_runtime::{Db, Publisher, prelude::*, sqlx};
    /// # async fn pay(db: &Db, publisher: &Publisher, order: i64) -> Result<()> {
    /// let mut transaction = db.sqlite()?.begin().await?;
    /// sqlx::query("UPDATE orders SET paid = 1 WHERE number = ?")
    ///     .bind(order)
    ///     .execute(&mut *transaction)
    ///     .await?;
    /// publisher.event("orders.paid", &order)?.store(&mut *transaction).await?;
    /// transaction.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the database refuses the event or is unavailable.
    #[cfg(feature = "sqlite")]
    pub async fn store(self, connection: &mut impl OutboxConnection) -> Result<(), Error> {
        connection.write(&serde_json::to_string(&self.written)?).await?;
        self.publisher.0.written.notify_one();
        Ok(())
    }
}

impl StoredEvent {
    /// Returns the key whose order the event keeps.
    pub(crate) fn ordering_key(&self) -> &str {
        self.ordering_key.as_deref().unwrap_or(&self.topic)
    }

    pub(crate) fn into_message(self, exchange: &str) -> Message {
        let mut headers = MessageHeaders::default();
        for (name, value) in self.headers {
            headers.set(name, value);
        }
        let attributes = [
            ("specversion", "1.0".to_owned()),
            ("id", self.id.clone()),
            ("source", self.source),
            ("type", self.topic.clone()),
            ("time", self.time),
        ];
        // The ordering key is the extension attribute `partitionkey` (CloudEvents extension
        // "partitioning").
        let optional = [("subject", self.subject), ("partitionkey", self.ordering_key)];
        let optional = optional.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let attributes = attributes.into_iter().chain(optional);
        for (name, value) in attributes {
            headers.set(format!("{PREFIX}{name}"), value);
        }
        Message {
            persistent: true,
            content_type: Some("application/json".into()),
            message_id: Some(self.id)
                .filter(|id| id.len() <= Message::MAX_NAME_BYTES)
                .map(Into::into),
            headers,
            body: self.data.into(),
            ..Message::new(exchange.to_owned(), self.topic)
        }
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Event").field(&self.written.id).field(&self.written.topic).finish()
    }
}
