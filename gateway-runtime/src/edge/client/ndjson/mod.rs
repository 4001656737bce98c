//! NDJSON as a gateway writes it: one value on each line. A stream that fails ends with its problem
//! as the last line, and an aborted connection.

#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use serde::Deserialize;

use crate::edge::client::{ClientError, Problem, transport::ByteStream};

/// The media type of NDJSON.
pub(super) const NDJSON: &str = "application/x-ndjson";

/// The maximum length of a line, in bytes.
const MAX_LINE: usize = 16 << 20;

/// A decoder of pieces that are cut anywhere, into whole lines. Empty lines, which keep a
/// connection alive, are left out.
///
/// An item may look like a problem, so a line that does is held back until the next event. Before
/// an aborted connection it is the problem with which the stream failed, otherwise an item.
pub(super) struct NdjsonDecoder {
    pieces: ByteStream,
    /// The complete lines.
    lines: VecDeque<Bytes>,
    /// The beginning of the next line.
    partial: BytesMut,
    /// The end of the pieces, once reached.
    end: Option<Result<(), ClientError>>,
}

/// The last line of a stream that failed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ErrorLine {
    error: Problem,
}

impl NdjsonDecoder {
    pub(super) fn new(pieces: ByteStream) -> Self {
        Self { pieces, lines: VecDeque::new(), partial: BytesMut::new(), end: None }
    }

    /// Returns the next line, as soon as it is certain that it is an item.
    fn next_line(&mut self) -> Option<Bytes> {
        match (self.lines.front()?, self.lines.len(), &self.end) {
            (line, 1, None) if looks_like_failure(line) => None,
            _ => self.lines.pop_front(),
        }
    }

    fn take_in(&mut self, piece: &[u8]) {
        let mut rest = piece;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.partial.extend_from_slice(&rest[..end]);
            self.finish_line();
            rest = &rest[end + 1..];
        }
        self.partial.extend_from_slice(rest);
        if self.partial.len() > MAX_LINE {
            self.end = Some(Err(ClientError::unreadable("a line of more than 16 MiB")));
        }
    }

    fn finish_line(&mut self) {
        let line = self.partial.split().freeze();
        if !line.trim_ascii().is_empty() {
            self.lines.push_back(line);
        }
    }

    /// Ends the stream with an error. The last line may contain the problem.
    fn fail(&mut self, error: ClientError) {
        let failure =
            self.lines.back().and_then(|line| serde_json::from_slice::<ErrorLine>(line).ok());
        let error = match failure {
            Some(ErrorLine { error: problem }) => {
                self.lines.pop_back();
                ClientError::Problem(Box::new(problem))
            }
            None => error,
        };
        self.end = Some(Err(error));
    }
}

/// Returns whether a line may be a problem. Cheap, since it runs for each line that is the last so
/// far.
fn looks_like_failure(line: &[u8]) -> bool {
    line.starts_with(b"{\"error\":{")
}

impl Stream for NdjsonDecoder {
    type Item = Result<Bytes, ClientError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(line) = this.next_line() {
                return Poll::Ready(Some(Ok(line)));
            }
            if let Some(end) = &mut this.end {
                return Poll::Ready(std::mem::replace(end, Ok(())).err().map(Err));
            }
            match ready!(this.pieces.as_mut().poll_next(context)) {
                Some(Ok(piece)) => this.take_in(&piece),
                Some(Err(error)) => this.fail(error),
                None => {
                    this.finish_line();
                    this.end = Some(Ok(()));
                }
            }
        }
    }
}
