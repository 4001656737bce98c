//! Detection of HTTP/2 floods: frames that cost the gateway work and advance no request. These are
//! PING, SETTINGS, PRIORITY, empty DATA, and frames of extensions.
//!
//! h2 handles them one by one and without a queue, so that a flood takes no memory; it limits only
//! resets, CONTINUATION and empty DATA. SEMANTICS §10 requires that floods "end that connection,
//! cheaply". Therefore the frames are counted where they are read: against a bucket of [`BURST`]
//! tokens, which refills with time and with each step of a request or response. WINDOW_UPDATE is
//! not counted: its frequency depends on how the client reads.

use tokio::time::Instant;

/// Number of counted frames that may come in a row.
const BURST: u32 = 1000;
const PER_SECOND: f32 = 10.0;
const PER_STEP: u32 = 10;

/// Length of the client's preface (RFC 9113 §3.4), which is not a frame.
const PREFACE_BYTES: usize = 24;
const HEADER_BYTES: usize = 9;

/// A meter of the frames of one connection.
pub(super) struct FrameMeter {
    /// Number of bytes to the next frame header.
    skipped: usize,
    /// The part of a frame header that has arrived: the first `filled` bytes.
    header: [u8; HEADER_BYTES],
    filled: usize,
    tokens: u32,
    refilled: Instant,
    steps: u32,
}

impl FrameMeter {
    /// Creates the meter of a new connection, with a full bucket.
    pub(super) fn new() -> Self {
        let header = [0; HEADER_BYTES];
        Self {
            skipped: PREFACE_BYTES,
            header,
            filled: 0,
            tokens: BURST,
            refilled: Instant::now(),
            steps: 0,
        }
    }

    /// Counts the frames in `bytes`, and returns whether they fit into the bucket. `steps` is the
    /// step count of the connection's requests.
    pub(super) fn admits(&mut self, bytes: &[u8], steps: u32) -> bool {
        let frames = self.count(bytes);
        if frames == 0 {
            return true;
        }
        let now = Instant::now();
        // A fraction of a token is not lost: the next refill includes its time.
        let by_time = ((now - self.refilled).as_secs_f32() * PER_SECOND) as u32;
        if by_time > 0 {
            self.refilled = now;
        }
        let by_steps = steps.wrapping_sub(self.steps).saturating_mul(PER_STEP);
        self.steps = steps;
        let tokens = self.tokens.saturating_add(by_time).saturating_add(by_steps).min(BURST);
        self.tokens = tokens.saturating_sub(frames);
        frames <= tokens
    }

    /// Returns the number of counted frames whose headers end in `bytes`.
    fn count(&mut self, bytes: &[u8]) -> u32 {
        let mut rest = bytes;
        let mut frames = 0;
        while !rest.is_empty() {
            let skipped = self.skipped.min(rest.len());
            self.skipped -= skipped;
            rest = &rest[skipped..];
            let taken = rest.len().min(HEADER_BYTES - self.filled);
            self.header[self.filled..self.filled + taken].copy_from_slice(&rest[..taken]);
            self.filled += taken;
            rest = &rest[taken..];
            if self.filled == HEADER_BYTES {
                self.filled = 0;
                let [high, middle, low, kind, flags, ..] = self.header;
                self.skipped = u32::from_be_bytes([0, high, middle, low]) as usize;
                frames += u32::from(is_counted(kind, flags, self.skipped));
            }
        }
        frames
    }
}

/// Returns whether a frame counts against the bucket.
fn is_counted(kind: u8, flags: u8, length: usize) -> bool {
    const END_STREAM: u8 = 1;
    match kind {
        0 => length == 0 && flags & END_STREAM == 0,
        // HEADERS, RST_STREAM, PUSH_PROMISE, WINDOW_UPDATE and CONTINUATION.
        1 | 3 | 5 | 8 | 9 => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const PING: [u8; 17] = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];

    fn open() -> FrameMeter {
        let mut meter = FrameMeter::new();
        assert!(meter.admits(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0));
        meter
    }

    #[tokio::test(start_paused = true)]
    async fn meter_detects_a_flood_in_reads_of_any_size() {
        for cut in [1, 7, 17, 4096] {
            let mut meter = open();
            let flood = PING.repeat(BURST as usize);
            assert!(flood.chunks(cut).all(|piece| meter.admits(piece, 0)), "{cut}");
            assert!(!PING.chunks(cut).all(|piece| meter.admits(piece, 0)), "{cut}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn bucket_refills_with_time_and_requests() {
        let mut meter = open();
        assert!(meter.admits(&PING.repeat(1000), 0) && !meter.admits(&PING, 0));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(meter.admits(&PING.repeat(10), 0) && !meter.admits(&PING, 0));
        assert!(meter.admits(&PING.repeat(30), 3) && !meter.admits(&PING, 3));
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert!(
            meter.admits(&PING.repeat(1000), 3) && !meter.admits(&PING, 3),
            "a burst, however long the pause was"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn frames_of_requests_are_not_counted() {
        let mut meter = open();
        let data = [&[0, 0, 5, 0, 0, 0, 0, 0, 1][..], b"hello"].concat();
        let end = [0, 0, 0, 0, 1, 0, 0, 0, 1];
        let update = [0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        for _ in 0..5 * BURST {
            assert!(meter.admits(&data, 0) && meter.admits(&end, 0) && meter.admits(&update, 0));
        }
        for counted in [2, 4, 6, 7, 16, 255] {
            let mut meter = open();
            let frames = [0, 0, 0, counted, 0, 0, 0, 0, 0].repeat(1001);
            assert!(!meter.admits(&frames, 0), "{counted}");
        }
    }
}
