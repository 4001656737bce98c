//! A streamed reply on its way to the edge. It owns the open record of its call, which is completed
//! when the stream has ended: at its end, by a failure, or by the client's disconnect.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::Stream;

use crate::{
    base::{error::Error, money::Money, reply::Chunks},
    pipeline::request_log::{OpenRecord, record::Status},
};

/// A stream, and the open record of its call.
pub(in crate::pipeline) struct Streamed {
    /// The chunks; none when the stream has ended.
    chunks: Option<Chunks>,
    page: OpenRecord,
    /// The charge of the call, captured when the stream began.
    charge: Option<Money>,
}

impl Streamed {
    pub(in crate::pipeline) fn new(
        chunks: Chunks,
        page: OpenRecord,
        charge: Option<Money>,
    ) -> Self {
        Self { chunks: Some(chunks), page, charge }
    }

    fn end(&mut self, status: Status) {
        // Dropped first, so that the attempt of the stream ends and its cost is in the record.
        if self.chunks.take().is_some() {
            self.page.complete(status, self.charge);
        }
    }
}

impl Stream for Streamed {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(chunks) = &mut self.chunks else { return Poll::Ready(None) };
        let chunk = ready!(chunks.as_mut().poll_next(context));
        let code = match &chunk {
            Some(Ok(_)) => return Poll::Ready(chunk),
            Some(Err(error)) => Some(error.code().name()),
            None => None,
        };
        self.end(Status { status: 200, code });
        Poll::Ready(chunk)
    }
}

impl Drop for Streamed {
    fn drop(&mut self) {
        self.end(Status::CANCELLED);
    }
}
