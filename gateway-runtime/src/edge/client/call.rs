//! One call from the moment it is written down to the moment it is awaited.

use std::{
    fmt,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use ::http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};
use bytes::Bytes;
use serde::Serialize;

use crate::{
    base::spec::{ServiceSpec, Verb},
    edge::client::{
        ClientError, Expected, FromReply, Transport, TransportRequest, TransportResponse,
        headers::{bearer, field, idempotency_key},
    },
};

/// A service elsewhere: what a client made by the macro consists of.
#[derive(Clone)]
pub struct Remote {
    service: &'static ServiceSpec,
    transport: Arc<dyn Transport>,
}

impl Remote {
    /// The service behind `transport`.
    pub fn new(service: &'static ServiceSpec, transport: impl Transport) -> Self {
        Self { service, transport: Arc::new(transport) }
    }

    /// A call of one of its methods, which returns an `O`.
    pub fn call<'a, Q, O>(
        &'a self,
        verb: Verb,
        method: &'static str,
        input: &'a Q,
    ) -> PendingCall<'a, Q, O> {
        PendingCall {
            remote: self,
            verb,
            method,
            input,
            headers: HeaderMap::new(),
            timeout: None,
            invalid: None,
            sent: None,
            output: PhantomData,
        }
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("service", &self.service.name).finish_non_exhaustive()
    }
}

/// An input as a client sends it.
#[diagnostic::on_unimplemented(
    message = "the typed client cannot send a `{Self}`, which does not implement `Serialize`",
    label = "this input can be read and not written",
    note = "derive `serde::Serialize` for `{Self}` beside `Deserialize`, or put `#[model]` on it, which derives both"
)]
pub trait ClientInput {
    /// The JSON text.
    ///
    /// # Errors
    ///
    /// Why there is none: a map with keys that are no texts, or an error of the type's own.
    fn to_json(&self) -> Result<Vec<u8>, serde_json::Error>;
}

#[diagnostic::do_not_recommend]
impl<Q: Serialize> ClientInput for Q {
    fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }
}

/// A call that is sent when it is awaited.
///
/// `Q` is its input and `O` what the method returns: `Result<Rates>` gives a `Result<Rates, ClientError>`,
/// `Result<Streaming<Tick>>` an [`Items<Tick>`](crate::edge::client::Items), `Result<Raw<Pdf>>` a
/// [`Body`](crate::edge::client::Body).
#[must_use = "a call is sent when it is awaited"]
pub struct PendingCall<'a, Q, O> {
    remote: &'a Remote,
    verb: Verb,
    method: &'static str,
    input: &'a Q,
    headers: HeaderMap,
    timeout: Option<Duration>,
    /// What cannot be sent, told when the call is awaited.
    invalid: Option<String>,
    sent: Option<Sent>,
    output: PhantomData<fn() -> O>,
}

type Sent = Pin<Box<dyn Future<Output = Result<TransportResponse, ClientError>> + Send>>;

impl<Q, O> PendingCall<'_, Q, O> {
    /// Makes the call safe to send again: the gateway carries out one call for each key.
    pub fn idempotency_key(self, key: &str) -> Self {
        self.with(
            idempotency_key(key).map(|value| (HeaderName::from_static("idempotency-key"), value)),
        )
    }

    /// Says who is calling, by a token.
    pub fn bearer(self, token: &str) -> Self {
        self.with(bearer(token).map(|value| (AUTHORIZATION, value)))
    }

    /// Sets a header field.
    pub fn header(self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.with(field(name.as_ref(), value.as_ref()))
    }

    /// In which time the answer must be there, or have begun if it is streamed.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    fn with(mut self, field: Result<(HeaderName, HeaderValue), String>) -> Self {
        match field {
            Ok((name, value)) => {
                self.headers.insert(name, value);
            }
            Err(flaw) => {
                self.invalid.get_or_insert(flaw);
            }
        }
        self
    }
}

impl<Q: ClientInput, O> PendingCall<'_, Q, O> {
    fn request(&mut self, expected: Expected) -> Result<TransportRequest, ClientError> {
        if let Some(flaw) = self.invalid.take() {
            return Err(ClientError::InvalidRequest(flaw));
        }
        let input =
            self.input.to_json().map_err(|error| ClientError::InvalidRequest(error.to_string()))?;
        Ok(TransportRequest {
            service: self.remote.service,
            method: self.method,
            verb: self.verb,
            // `null` is how a method without an input is called: with nothing.
            input: if input == b"null" { Bytes::new() } else { input.into() },
            headers: std::mem::take(&mut self.headers),
            timeout: self.timeout,
            expected,
        })
    }
}

// A future itself, not an `IntoFuture`: of the two impls that trait would then have, the compiler could not say which
// bound is the one that is missing.
impl<Q: ClientInput, T: FromReply, E> Future for PendingCall<'_, Q, Result<T, E>> {
    type Output = Result<T::Received, ClientError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let sent = match &mut this.sent {
            Some(sent) => sent,
            None => {
                let request = this.request(T::EXPECTED)?;
                this.sent.insert(this.remote.transport.call(request))
            }
        };
        sent.as_mut().poll(context).map(|response| T::receive(response?))
    }
}

impl<Q, O> fmt::Debug for PendingCall<'_, Q, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingCall")
            .field("service", &self.remote.service.name)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}
