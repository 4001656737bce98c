//! Calls over the bus: encodes a request as a message to the call queue, and decodes the reply.

mod connection;

use std::{fmt, sync::Arc, time::Duration};

use ::http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{AUTHORIZATION, RETRY_AFTER},
};
use futures_util::future::BoxFuture;
use serde_json::json;
use tokio::time::{Instant, timeout_at};

use crate::{
    bus::{Broker, BusError, BusErrorKind, CallsSettings, Message, MessageHeader},
    edge::client::{
        ClientError, Expected, Transport, TransportRequest, TransportResponse,
        bus::connection::BusConnection,
        decode,
        headers::{bearer, field},
    },
    provider::parse_idempotency_key,
};

/// A limit that is practically infinite, and still representable by clocks.
const MAX_CALL_TIME: Duration = Duration::from_secs(365 * 24 * 3600);

/// A transport over the bus: calls go to the queue that gateways consume, and any of them executes
/// them. Clones of a client share its connection.
///
/// ```
/// use std::time::Duration;
///
/// use gateway_runtime::client::Bus;
///
/// let bus = Bus::to("amqp://gateway:secret@rabbit.internal:5672")
///     .bearer("a token")
///     .timeout(Duration::from_secs(5));
/// # let _ = bus;
/// ```
pub struct Bus {
    /// The connection, or the reason why calls cannot be sent, which each of them returns.
    connection: Result<BusConnection, ClientError>,
    queue: String,
    headers: HeaderMap,
    timeout: Duration,
}

impl Bus {
    /// Creates a transport over RabbitMQ at a URL (`amqp://user:password@host:5672/vhost`, or
    /// `amqps://…` for TLS), for programs with the feature `amqp`.
    ///
    /// The first call connects, and the tasks of the connection run in the runtime of that call. An
    /// invalid URL is reported by the first call too, as [`ClientError::InvalidRequest`]. A call
    /// has 30 seconds, connecting included.
    #[must_use]
    pub fn to(url: impl AsRef<str>) -> Self {
        Self::by(BusConnection::to(url.as_ref()))
    }

    /// Creates a transport over an open broker;
    /// [`RunningGateway::bus`](crate::RunningGateway::bus) is one over the broker of a gateway.
    #[doc(hidden)]
    #[must_use]
    pub fn over(broker: Arc<dyn Broker>) -> Self {
        Self::by(Ok(BusConnection::over(broker)))
    }

    fn by(connection: Result<BusConnection, ClientError>) -> Self {
        let queue = CallsSettings::default().queue;
        Self { connection, queue, headers: HeaderMap::new(), timeout: Duration::from_secs(30) }
    }

    /// Sets the queue for calls, if gateways consume another than `gateway.calls`.
    #[must_use]
    pub fn queue(mut self, name: impl Into<String>) -> Self {
        self.queue = name.into();
        self
    }

    /// Authenticates calls with a bearer token.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.with(bearer(token).map(|value| (AUTHORIZATION, value)))
    }

    /// Authenticates calls with an API key.
    #[must_use]
    pub fn api_key(self, key: &str) -> Self {
        self.header("x-api-key", key)
    }

    /// Sets a header field for every call that does not set it itself.
    #[must_use]
    pub fn header(self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.with(field(name.as_ref(), value.as_ref()))
    }

    /// Sets the time limit for a reply, for calls without their own.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    fn with(mut self, field: Result<(HeaderName, HeaderValue), ClientError>) -> Self {
        match field {
            Ok((name, value)) => {
                self.headers.insert(name, value);
            }
            Err(error) => self.connection = self.connection.and(Err(error)),
        }
        self
    }

    /// Creates the message of a call.
    fn message(&self, request: &TransportRequest) -> Result<Message, ClientError> {
        let TransportRequest { service, method, input, .. } = request;
        if request.expected == Expected::Items {
            return Err(ClientError::invalid(format!(
                "`{method}` replies with a stream, and the bus carries whole messages; call it \
                 over HTTP, by `Http::to(…)`"
            )));
        }
        let envelope =
            json!({ "service": service.name, "version": service.version, "method": method });
        let mut body = envelope.to_string().into_bytes();
        if !input.is_empty() {
            // The input is JSON already, so it is inserted as text.
            body.pop();
            body.extend_from_slice(b",\"payload\":");
            body.extend_from_slice(input);
            body.push(b'}');
        }
        let mut headers = self.headers.clone();
        // Fields of the call win.
        headers.extend(request.headers.clone());
        let mut message = Message {
            content_type: Some("application/json".into()),
            // The consumer recognizes a duplicate by this id. A malformed key is sent as a field,
            // and refused by the gateway as over HTTP.
            message_id: parse_idempotency_key(&headers).ok().flatten().map(Into::into),
            body: body.into(),
            ..Message::to_queue(self.queue.clone())
        };
        for (name, value) in &headers {
            message.headers.set(
                name.as_str().to_owned(),
                MessageHeader::Text(value.as_bytes().to_vec().into()),
            );
        }
        Ok(message)
    }
}

impl Transport for Bus {
    fn call(
        &self,
        request: TransportRequest,
    ) -> BoxFuture<'static, Result<TransportResponse, ClientError>> {
        let timeout = request.timeout.unwrap_or(self.timeout);
        let expected = request.expected;
        let connection = self.connection.clone();
        let prepared = connection.and_then(|connection| Ok((connection, self.message(&request)?)));
        Box::pin(async move {
            let (connection, message) = prepared?;
            let deadline = Instant::now() + timeout.min(MAX_CALL_TIME);
            let late = |_| {
                let reason = format!("no connection to the bus within {timeout:?}");
                Err(ClientError::NotSent(reason))
            };
            let broker = timeout_at(deadline, connection.broker()).await.unwrap_or_else(late);
            let answered = broker?.call(message, deadline).await;
            read(answered.map_err(|error| unanswered(&error, timeout))?, expected)
        })
    }
}

/// Decodes a reply.
fn read(answer: Message, expected: Expected) -> Result<TransportResponse, ClientError> {
    if let Some(reason) = answer.unreadable() {
        return Err(ClientError::unreadable(format!(
            "the properties of the reply cannot be read: {reason}"
        )));
    }
    let status = answer
        .status()
        .ok_or_else(|| ClientError::unreadable("the reply has an invalid status"))?;
    let media = answer.content_type.as_deref().unwrap_or_default();
    let retry_after = answer.headers.text(RETRY_AFTER.as_str()).unwrap_or_default();
    decode::decode_reply(status, media, retry_after, answer.body, expected)
}

/// Returns the client error for a bus error.
fn unanswered(error: &BusError, timeout: Duration) -> ClientError {
    match error.kind() {
        BusErrorKind::Disconnected
        | BusErrorKind::Blocked
        | BusErrorKind::Unroutable
        | BusErrorKind::Nacked => ClientError::NotSent(error.to_string()),
        BusErrorKind::InvalidMessage => ClientError::InvalidRequest(error.to_string()),
        BusErrorKind::ReplyTimeout => ClientError::TimedOut(timeout),
        BusErrorKind::ConfirmTimeout | BusErrorKind::ChannelLost => {
            ClientError::Ambiguous(error.to_string())
        }
    }
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus")
            .field("connection", &self.connection)
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}
