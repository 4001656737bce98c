//! The framing guard: follows the requests of an HTTP/1.1 connection on their way to hyper, and
//! ends the connection at the first byte that could be read two ways.
//!
//! SEMANTICS §10: "what could be read two ways (length against encoding, odd encodings, bare CR or
//! LF, spaces before colons, folded lines, bad chunk sizes) gets 400 and a close". hyper accepts
//! some of it before a handler sees the request: a length beside `chunked`, the same length twice,
//! a bare LF at the end of a line, a fragment.
//!
//! The guard holds no byte and copies none but the name that it compares. Where a read is split
//! has no influence.
//!
//! - [`head`] and [`declared`]: the request line, the fields, and the framing that they declare.
//! - [`chunks`] and [`extension`]: a chunked body. A body with a length is skipped.
//! - [`scan`] and [`word`]: the classes of bytes, and words that arrive in pieces.

mod chunks;
mod declared;
mod extension;
mod head;
mod scan;
#[cfg(test)]
mod tests;
mod violation;
mod word;

pub use crate::edge::http::connection::framing::violation::Violation;
use crate::edge::http::{
    connection::framing::{
        chunks::{Chunks, TrailerLimits},
        declared::BodyFraming,
        head::Head,
        scan::Input,
    },
    limits::HttpLimits,
};

/// The state of a connection's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Within a head, or between two requests.
    Head,
    /// Within a body.
    Body,
    /// Behind a request that offers an upgrade: its response decides which protocol follows.
    Undecided,
    /// Behind a head with another transfer coding than `chunked`. The end of its body is unknown.
    Ended,
    /// At a violation in a head.
    HeadRefused(Violation),
    /// At a violation in a body, whose head was admitted.
    BodyRefused(Violation),
}

/// The part of the stream that the next byte belongs to.
enum Part {
    Head,
    Length(u64),
    Chunked(Chunks),
    /// No byte is admitted.
    Stopped(Standing),
}

/// A guard of the bytes that the client of one HTTP/1.1 connection sends.
pub struct FramingGuard {
    part: Part,
    head: Head,
    requests: u32,
    trailers: TrailerLimits,
}

impl FramingGuard {
    /// Creates the guard of a connection at the beginning of a request. `requests` is the number of
    /// requests before it.
    #[must_use]
    pub fn new(limits: &HttpLimits, requests: u32) -> Self {
        let count = u32::try_from(limits.header_count).unwrap_or(u32::MAX);
        let trailers = TrailerLimits { bytes: limits.header_bytes, count };
        Self { part: Part::Head, head: Head::new(), requests, trailers }
    }

    /// Reads the next bytes of the client, and returns how many of them are admitted. If some are
    /// not, [`standing`](Self::standing) says why.
    pub fn admit(&mut self, bytes: &[u8]) -> usize {
        let mut input = Input::new(bytes);
        while input.len() > 0 {
            match &mut self.part {
                Part::Head => match self.head.read(&mut input) {
                    Ok(None) => {}
                    Ok(Some(framing)) => self.begin_body(framing),
                    Err(violation) => self.stop(Standing::HeadRefused(violation)),
                },
                Part::Length(left) => {
                    *left -= input.skip(*left);
                    if *left == 0 {
                        self.end_request();
                    }
                }
                Part::Chunked(chunks) => match chunks.read(&mut input) {
                    Ok(false) => {}
                    Ok(true) => self.end_request(),
                    Err(violation) => self.stop(Standing::BodyRefused(violation)),
                },
                Part::Stopped(_) => break,
            }
        }
        bytes.len() - input.len()
    }

    /// Returns the state behind the admitted bytes.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match self.part {
            Part::Head => Standing::Head,
            Part::Length(_) | Part::Chunked(_) => Standing::Body,
            Part::Stopped(standing) => standing,
        }
    }

    /// Returns the number of requests whose head was admitted.
    #[must_use]
    pub fn requests(&self) -> u32 {
        self.requests
    }

    /// Continues with the next request, after the response to an offered upgrade has declined it.
    pub fn decline_upgrade(&mut self) {
        if matches!(self.part, Part::Stopped(Standing::Undecided)) {
            self.part = Part::Head;
            self.head = Head::new();
        }
    }

    fn begin_body(&mut self, framing: BodyFraming) {
        self.requests = self.requests.wrapping_add(1);
        match framing {
            BodyFraming::Length(0) => self.end_request(),
            BodyFraming::Length(length) => self.part = Part::Length(length),
            BodyFraming::Chunked => self.part = Part::Chunked(Chunks::new(self.trailers)),
            BodyFraming::Unknown => self.stop(Standing::Ended),
        }
    }

    fn end_request(&mut self) {
        if self.head.offers_upgrade() {
            self.stop(Standing::Undecided);
        } else {
            self.part = Part::Head;
            self.head = Head::new();
        }
    }

    fn stop(&mut self, standing: Standing) {
        self.part = Part::Stopped(standing);
    }
}
