//! Frames (AMQP 0-9-1 §4.2.3): a type, a channel, a size, the payload and an end.
//!
//! Only content headers and methods are looked at, once they are whole; a body is passed on as it comes.

use std::mem;

use crate::bus::amqp::guard::{methods, properties};

/// The longest frame that is agreed on with a broker; it is RabbitMQ's default.
pub(in crate::bus::amqp) const MAX_FRAME_BYTES: u32 = 128 << 10;
/// Every broker can send frames of this length (AMQP 0-9-1, `frame-min-size`).
const MIN_FRAME_MAX: usize = 4096;

/// So many times the longest frame is held of one that is longer: the broker adds to properties less than they have.
const HELD_FRAMES: usize = 2;

/// Type, channel and size.
const HEAD: usize = 7;
const END: u8 = 0xCE;

const METHOD: u8 = 1;
const HEADER: u8 = 2;
const BODY: u8 = 3;
const HEARTBEAT: u8 = 8;

/// Replaces frames that the client library could not parse.
#[derive(Debug)]
pub(super) struct FrameFilter {
    /// The longest frame that the library accepts. A broker that adds to properties sends longer ones.
    frame_max: usize,
    /// The beginning of a frame that is looked at when it is whole, and how much of it is required.
    partial: Vec<u8>,
    required: usize,
    /// Bytes to come that belong to a frame which is passed on.
    passing: usize,
    /// Bytes to come that belong to a frame which was replaced.
    dropping: usize,
}

/// What becomes of the frame at the beginning of some bytes.
enum Step {
    /// More bytes of it are required, so many in all.
    Require(usize),
    /// It is passed on: so many bytes.
    Pass(usize),
    /// Another frame takes its place: so many bytes.
    Replace(usize, Vec<u8>),
}

impl FrameFilter {
    /// Creates a filter; `frame_max` is the most that the client will agree on, in bytes.
    pub(super) fn new(frame_max: u32) -> Self {
        let frame_max = usize::try_from(frame_max).unwrap_or(usize::MAX).max(MIN_FRAME_MAX);
        Self { frame_max, partial: Vec::new(), required: 0, passing: 0, dropping: 0 }
    }

    /// Returns how many bytes complete the frame that is held; none where none is.
    pub(super) fn missing(&self) -> Option<usize> {
        (!self.partial.is_empty()).then(|| self.required - self.partial.len())
    }

    /// Filters the next bytes. Returns how many of them, from the first, are passed on where they stand; `out` gets what follows
    /// those.
    pub(super) fn filter(&mut self, bytes: &mut [u8], out: &mut Vec<u8>) -> usize {
        let (mut in_place, mut done) = (0, 0);
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

    /// Looks at the frame that is held, if as much of it is here as was required.
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
            // The library ends a connection where it reads anything else.
            _ => Step::Pass(usize::MAX),
        }
    }
}

fn header_frame(channel: [u8; 2], payload: &[u8]) -> Vec<u8> {
    let size = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&[HEADER][..], &channel, &size, payload, &[END]].concat()
}
