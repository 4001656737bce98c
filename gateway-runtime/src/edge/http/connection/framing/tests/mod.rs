//! The guard alone. Each stream of bytes is read whole, in two pieces for each place of a split,
//! and byte by byte.

mod heads;
mod messages;
mod properties;
mod reference;

use super::{FramingGuard, Standing, Violation};
use crate::edge::http::limits::HttpLimits;

/// The state of a guard behind a stream of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Outcome {
    admitted: usize,
    requests: u32,
    standing: Standing,
}

/// Reads `bytes` in pieces that end at `ends`.
fn read(bytes: &[u8], ends: impl IntoIterator<Item = usize>) -> Outcome {
    let mut guard = FramingGuard::new(&HttpLimits::default(), 0);
    let mut start = 0;
    let mut admitted = 0;
    for end in ends.into_iter().chain([bytes.len()]) {
        admitted += guard.admit(&bytes[start..end]);
        start = end;
    }
    Outcome { admitted, requests: guard.requests(), standing: guard.standing() }
}

/// Returns the outcome of a stream, and asserts that it does not depend on splits.
fn outcome(bytes: &[u8]) -> Outcome {
    let whole = read(bytes, []);
    for end in 0..=bytes.len() {
        assert_eq!(read(bytes, [end]), whole, "{end} {:?}", String::from_utf8_lossy(bytes));
    }
    assert_eq!(read(bytes, 0..bytes.len()), whole, "{:?}", String::from_utf8_lossy(bytes));
    whole
}

/// Asserts that the guard stops at the first byte of `rest`.
fn assert_stops(admitted: &str, rest: &str, standing: Standing) {
    let found = outcome(format!("{admitted}{rest}").as_bytes());
    let found = (found.admitted, found.standing);
    assert_eq!(found, (admitted.len(), standing), "{admitted:?} {rest:?}");
}

/// Asserts that a head is refused at the first byte of `rest`.
fn assert_head_refused(admitted: &str, rest: &str, violation: Violation) {
    assert_stops(admitted, rest, Standing::HeadRefused(violation));
}
