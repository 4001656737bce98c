//! The body of a response on its way to the client. It drives the connection to the instance while
//! the client reads, and gives it back at the end.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use crate::{
    base::body::BoxError,
    edge::proxy::{
        connection::ResponseBody,
        driver::{Driver, Source},
        trailers,
        upload::Progress,
    },
};

/// The body of a response.
pub(super) struct Download {
    body: ResponseBody,
    /// None after the end.
    driver: Option<Driver>,
    /// The upload that goes on beside the response.
    upload: Option<Arc<Progress>>,
    idle: Duration,
    /// The start of the wait for the next bytes.
    waiting_since: Option<Instant>,
    /// The alarm of the wait, created by the first one.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Download {
    /// Creates the body of a response from its source. A connection whose upload goes on is driven
    /// by a task of its own.
    pub(super) fn new(
        body: ResponseBody,
        source: Source,
        upload: Option<Arc<Progress>>,
        idle: Duration,
    ) -> Self {
        let upload = upload.filter(|upload| !upload.has_ended());
        let is_whole = body.is_end_stream();
        let driver = match upload {
            Some(_) if !is_whole => Driver::spawn(source),
            _ => Driver::Response(source),
        };
        let mut download =
            Self { body, driver: Some(driver), upload, idle, waiting_since: None, alarm: None };
        if is_whole {
            download.end();
        }
        download
    }

    /// Ends the exchange.
    fn end(&mut self) {
        if let Some(driver) = self.driver.take() {
            driver.end();
        }
    }

    /// Drives the connection, and polls the body.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, String>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if polled.is_ready() {
            return polled;
        }
        if let Some(driver) = &mut self.driver {
            driver.drive(cx);
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }

    /// Returns whether the instance has been silent for too long. An upload that moves is a sign
    /// of life.
    fn is_overdue(&mut self, cx: &mut Context<'_>) -> bool {
        let now = Instant::now();
        let waiting_since = *self.waiting_since.get_or_insert(now);
        let moved_at = self.upload.as_ref().map(|upload| upload.last());
        let due =
            moved_at.map_or(waiting_since, |moved_at| moved_at.max(waiting_since)) + self.idle;
        let idle = self.idle;
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep(idle)));
        while alarm.as_mut().poll(cx).is_ready() {
            if due <= now {
                return true;
            }
            alarm.as_mut().reset(due);
        }
        false
    }
}

impl Body for Download {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        match this.poll_next(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                this.waiting_since = None;
                // Nobody polls a body on after its trailers.
                if frame.is_trailers() || this.body.is_end_stream() {
                    this.end();
                }
                Poll::Ready(Some(Ok(trailers::filtered(frame))))
            }
            Poll::Ready(Some(Err(error))) => {
                this.driver = None;
                let reason = format!("the instance cut its response: {error}");
                Poll::Ready(Some(Err(reason.into())))
            }
            Poll::Ready(None) => {
                this.end();
                Poll::Ready(None)
            }
            Poll::Pending if this.is_overdue(cx) => {
                this.driver = None;
                Poll::Ready(Some(Err("the instance sent no more bytes in time".into())))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
