//! Frames (AMQP 0-9-1 §4.2.3): a type, a channel, a size, the payload and an end octet.
//!
//! Only content headers and methods are inspected, once they are complete; a body is passed on as
//! it arrives.

use std::mem;

use crate::bus::amqp::guard::{methods, properties};

/// The longest frame that is negotiated with a broker, in bytes; RabbitMQ's default.
pub(in crate::bus::amqp) const MAX_FRAME_BYTES: u32 = 128 << 10;
/// The length of a frame that every broker may send, in bytes (AMQP 0-9-1, `frame-min-size`).
const MIN_FRAME_MAX: usize = 4096;

/// The multiple of the longest frame that is buffered of a longer one: the broker adds less to
/// properties than twice their size.
const HELD_FRAMES: usize = 2;

/// The length of type, channel and size, in bytes.
const HEAD: usize = 7;
const END: u8 = 0xCE;

const METHOD: u8 = 1;
const HEADER: u8 = 2;
const BODY: u8 = 3;
const HEARTBEAT: u8 = 8;

/// A filter that replaces frames which the client library could not parse.
#[derive(Debug)]
pub(super) struct FrameFilter {
    /// The longest frame that the library accepts, in bytes. A broker that adds to properties sends
    /// longer ones.
    frame_max: usize,
    /// The beginning of a frame that is inspected when it is complete; `required` is its length
    /// then.
    partial: Vec<u8>,
    required: usize,
    /// The number of bytes to come of a frame that is passed on.
    passing: usize,
    /// The number of bytes to come of a frame that was replaced.
    dropping: usize,
}

/// The decision about the frame at the beginning of a buffer.
enum Step {
    /// More bytes are required: this many in all.
    Require(usize),
    /// The frame is passed on; its length in bytes.
    Pass(usize),
    /// The frame of this length is replaced by another.
    Replace(usize, Vec<u8>),
}

impl FrameFilter {
    /// Creates a filter; `frame_max` is the largest frame size that the client negotiates, in
    /// bytes.
    pub(super) fn new(frame_max: u32) -> Self {
        let frame_max = usize::try_from(frame_max).unwrap_or(usize::MAX).max(MIN_FRAME_MAX);
        Self { frame_max, partial: Vec::new(), required: 0, passing: 0, dropping: 0 }
    }

    /// Returns how many bytes complete the buffered frame, if there is one.
    pub(super) fn missing(&self) -> Option<usize> {
        (!self.partial.is_empty()).then(|| self.required - self.partial.len())
    }

    /// Filters the next bytes. Returns how many of them, from the first, are passed on in place;
    /// `out` receives the bytes that follow those.
    pub(super) fn filter(&mut self, bytes: &mut [u8], out: &mut Vec<u8>) -> usize {
        let mut in_place = 0;
        let mut done = 0;
        while done < bytes.len() {
            let rest = &mut bytes[done..];
            if self.passing > 0 {
                let length = self.passing.min(rest.len());
                if in_place == done {
                    in_place += length;
                } else {
                    out.extend_from_slice(&rest[..length]);
                }
                (self.passing, done) = (self.passing - length, done + length);
            } else if self.dropping > 0 {
                let length = self.dropping.min(rest.len());
                (self.dropping, done) = (self.dropping - length, done + length);
            } else if let Some(missing) = self.missing() {
                let length = missing.min(rest.len());
                self.partial.extend_from_slice(&rest[..length]);
                done += length;
                self.look_at_partial(out);
            } else {
                match self.look(rest) {
                    Step::Require(length) => {
                        self.required = length;
                        self.partial.extend_from_slice(rest);
                        done = bytes.len();
                    }
                    Step::Pass(length) => self.passing = length,
                    Step::Replace(length, frame) => {
                        self.dropping = length;
                        out.extend(frame);
                    }
                }
            }
        }
        in_place
    }

    /// Inspects the buffered frame, once the required bytes have arrived.
    fn look_at_partial(&mut self, out: &mut Vec<u8>) {
        if self.partial.len() < self.required {
            return;
        }
        let mut partial = mem::take(&mut self.partial);
        match self.look(&mut partial) {
            Step::Require(length) => (self.required, self.partial) = (length, partial),
            Step::Pass(length) => {
                self.passing = length - partial.len();
                out.append(&mut partial);
                self.partial = partial;
            }
            Step::Replace(length, frame) => {
                self.dropping = length - partial.len();
                out.extend(frame);
                partial.clear();
                self.partial = partial;
            }
        }
    }

    fn look(&mut self, bytes: &mut [u8]) -> Step {
        let Some([kind, channel @ .., a, b, c, d]) = bytes.first_chunk::<HEAD>().copied() else {
            return Step::Require(HEAD);
        };
        let size = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        let whole = size.saturating_add(HEAD + 1);
        let required = whole.min(HELD_FRAMES * self.frame_max);
        match kind {
            METHOD | HEADER if bytes.len() < required => Step::Require(required),
            METHOD => {
                let payload = &mut bytes[HEAD..required - 1];
                if let Some(frame_max) = methods::frame_max(payload) {
                    self.frame_max = self.frame_max.min(frame_max).max(MIN_FRAME_MAX);
                }
                methods::make_utf8(payload);
                Step::Pass(whole)
            }
            HEADER => match properties::mend(&bytes[HEAD..required - 1], self.frame_max - HEAD - 1)
            {
                Some(mended) => Step::Replace(whole, header_frame(channel, &mended)),
                None => Step::Pass(whole),
            },
            BODY | HEARTBEAT => Step::Pass(whole),
            // The library closes the connection on any other frame type.
            _ => Step::Pass(usize::MAX),
        }
    }
}

fn header_frame(channel: [u8; 2], payload: &[u8]) -> Vec<u8> {
    let size = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&[HEADER][..], &channel, &size, payload, &[END]].concat()
}
