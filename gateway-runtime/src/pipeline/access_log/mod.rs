//! The access log: one log line for each call that has ended, also for those that were refused, cut
//! or cancelled by their client.

#[cfg(test)]
mod tests;

use std::{
    borrow::Cow,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::Stream;
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use crate::{
    base::{
        call::Call,
        call_metrics::CallStatus,
        error::Error,
        reply::{Chunks, Reply},
    },
    pipeline::invocation::Invocation,
    service::registry::Method,
};

/// The target of the lines, for filters: `LOG_LEVEL=info,gateway::request=off`.
pub(crate) const REQUEST_TARGET: &str = "gateway::request";

/// The layer that adds [`AccessLog`].
#[derive(Clone, Copy, Debug)]
pub(super) struct TraceLayer;

impl<S> Layer<S> for TraceLayer {
    type Service = AccessLog<S>;

    fn layer(&self, inner: S) -> AccessLog<S> {
        AccessLog { inner }
    }
}

/// The service that logs each call at its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct AccessLog<S> {
    inner: S,
}

impl<S> Service<Invocation> for AccessLog<S>
where
    S: Service<Invocation, Response = Reply, Error = Error>,
{
    type Response = Reply;
    type Error = Error;
    type Future = TraceFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, invocation: Invocation) -> Self::Future {
        let line = Some(AccessLogEntry::begin(&invocation));
        TraceFuture { inner: self.inner.call(invocation), line }
    }
}

pin_project! {
    /// A call, and its log entry.
    pub(super) struct TraceFuture<F> {
        #[pin]
        inner: F,
        line: Option<AccessLogEntry>,
    }
}

impl<F: Future<Output = Result<Reply, Error>>> Future for TraceFuture<F> {
    type Output = Result<Reply, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let outcome = ready!(this.inner.poll(context));
        let Some(line) = this.line.take() else { return Poll::Ready(outcome) };
        Poll::Ready(match outcome {
            // A stream has only begun; the line is written when it ends.
            Ok(Reply::Items(chunks)) => Ok(Reply::Items(LoggedStream::over(chunks, line))),
            Ok(Reply::RawStream(media, chunks)) => {
                Ok(Reply::RawStream(media, LoggedStream::over(chunks, line)))
            }
            Ok(reply) => {
                line.end(if matches!(reply, Reply::Empty) { 204 } else { 200 }, None);
                Ok(reply)
            }
            Err(error) => {
                line.end(error.code().status(), Some(&error));
                Err(error)
            }
        })
    }
}

/// A stream that owns the log entry of its call.
struct LoggedStream {
    chunks: Chunks,
    line: Option<AccessLogEntry>,
}

impl LoggedStream {
    fn over(chunks: Chunks, line: AccessLogEntry) -> Chunks {
        Box::pin(Self { chunks, line: Some(line) })
    }
}

impl Stream for LoggedStream {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let chunk = ready!(self.chunks.as_mut().poll_next(context));
        let end = match &chunk {
            Some(Ok(_)) => return Poll::Ready(chunk),
            Some(Err(error)) => Some(error),
            None => None,
        };
        if let Some(line) = self.line.take() {
            line.end(200, end);
        }
        Poll::Ready(chunk)
    }
}

/// The log entry of one call, which also counts it in the metrics. Dropped without an end, it logs
/// that the client disconnected.
struct AccessLogEntry {
    method: Arc<Method>,
    call: Call,
    /// The state of the log filter: whether the line is enabled.
    is_read: bool,
    ended: bool,
}

impl AccessLogEntry {
    fn begin(invocation: &Invocation) -> Self {
        let is_read = tracing::enabled!(target: REQUEST_TARGET, tracing::Level::ERROR);
        let (method, call) = (Arc::clone(&invocation.method), invocation.request.call.clone());
        method.counts.begin();
        Self { method, call, is_read, ended: false }
    }

    fn count(&self, end: CallStatus) {
        let call = &self.call;
        let counts = &self.method.counts;
        counts.end();
        counts.count(end, call.started().elapsed(), call.is_cache_hit(), call.is_replayed());
        if let Some(price) = call.charge().filter(|price| price.nanos() > 0) {
            counts.charge(price);
        }
        call.with_attempts(|attempts| {
            let executed = attempts.iter().filter(|attempt| attempt.may_have_cost());
            executed.for_each(|attempt| counts.spend(attempt.cost));
        });
    }

    fn end(mut self, status: u16, error: Option<&Error>) {
        self.ended = true;
        self.count(error.map_or(CallStatus::Done, |error| CallStatus::Failed(error.code())));
        if !self.is_read {
            return;
        }
        let code = error.map_or("", |error| error.code().name());
        let detail = error.map(|error| match error.log_message() {
            Some(internal) => Cow::Owned(format!("{}: {internal}", error.detail())),
            None => Cow::Borrowed(error.detail()),
        });
        // Internal errors are errors, failures of providers and time-outs warnings, and refusals
        // information.
        match status {
            500 => self.write(status, code, detail.as_deref(), Severity::Error),
            501.. => self.write(status, code, detail.as_deref(), Severity::Warn),
            _ => self.write(status, code, detail.as_deref(), Severity::Info),
        }
    }

    fn write(&self, status: u16, code: &'static str, detail: Option<&str>, severity: Severity) {
        let call = &self.call;
        let attempts = call.with_attempts(|attempts| {
            (!attempts.is_empty()).then(|| serde_json::to_string(attempts).unwrap_or_default())
        });
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    target: REQUEST_TARGET,
                    request_id = call.id().as_str(),
                    trace_id = call.trace_id(),
                    origin = call.origin().as_str(),
                    service = call.service().name,
                    version = call.service().version,
                    method = call.method().name,
                    status,
                    code,
                    duration_us = u64::try_from(call.started().elapsed().as_micros())
                        .unwrap_or(u64::MAX),
                    peer = call.peer().map(tracing::field::display),
                    account = call.caller().account(),
                    detail,
                    // The prefix `json.` tells the JSON format that the value is JSON already.
                    "json.attempts" = attempts.as_deref(),
                    "call"
                )
            };
        }
        match severity {
            Severity::Info => line!(info),
            Severity::Warn => line!(warn),
            Severity::Error => line!(error),
        }
    }
}

enum Severity {
    Info,
    Warn,
    Error,
}

impl Drop for AccessLogEntry {
    fn drop(&mut self) {
        if !self.ended {
            self.count(CallStatus::Cancelled);
            if !self.is_read {
                return;
            }
            // nginx logs 499 for a client that disconnects before the response.
            self.write(499, "cancelled", None, Severity::Info);
        }
    }
}
