//! The clocks of an exchange, and the reasons why it has no response.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::Request;
use tokio::time::{Instant, Sleep};

use crate::edge::proxy::upload::{Progress, Upload};

/// The clocks of an exchange until the head of its response.
#[derive(Clone, Copy, Debug)]
pub(in crate::edge::proxy) struct Clocks {
    /// The maximum time for which the instance neither takes bytes nor answers.
    pub(in crate::edge::proxy) first_byte: Duration,
    /// The maximum time for which the client sends no bytes of its request.
    pub(in crate::edge::proxy) idle: Duration,
}

/// The reason why an exchange has no response.
pub(in crate::edge::proxy) enum ExchangeError {
    /// The connection had closed, and the request, which is returned, was not sent.
    NotSent(Box<Request<Upload>>),
    /// A new connection had closed before the request was sent.
    ClosedAtOnce,
    /// The instance has not processed the request (RFC 9113 §8.7), none of whose body was sent: the
    /// body is returned.
    NotProcessed(Upload),
    /// The connection ended after the request had begun.
    Closed(String),
    /// The response is malformed.
    Malformed(String),
    /// The exchange failed after the request had begun.
    Failed(String),
    /// The instance is too slow.
    TooSlow,
    /// The client has stopped sending its request.
    StalledUpload,
}

impl Clocks {
    /// Polls the alarm of an exchange: ready with the reason when the exchange has lasted too long.
    /// The clock starts anew with each step of the upload.
    pub(super) fn poll_overdue(
        self,
        mut alarm: Pin<&mut Sleep>,
        progress: Option<&Arc<Progress>>,
        cx: &mut Context<'_>,
    ) -> Poll<ExchangeError> {
        while alarm.as_mut().poll(cx).is_ready() {
            let Some(progress) = progress else {
                return Poll::Ready(ExchangeError::TooSlow);
            };
            let is_client = progress.waits_for_client();
            let limit = if is_client { self.idle } else { self.first_byte };
            let due = progress.last() + limit;
            if due <= Instant::now() {
                return Poll::Ready(if is_client {
                    ExchangeError::StalledUpload
                } else {
                    ExchangeError::TooSlow
                });
            }
            alarm.as_mut().reset(due);
        }
        Poll::Pending
    }
}
