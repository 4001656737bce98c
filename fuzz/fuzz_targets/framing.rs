//! Arbitrary bytes of an HTTP/1.1 connection: the framing guard reads them alike in any pieces, and
//! `httparse` finds each head that it admits, with the same end and at most one framing.
#![no_main]

use gateway_runtime::http::{FramingGuard, HttpLimits, Standing};
use libfuzzer_sys::fuzz_target;

/// Reads `bytes` in pieces, and returns the state behind them.
fn read<'b>(pieces: impl Iterator<Item = &'b [u8]>) -> (u32, Standing) {
    let mut guard = FramingGuard::new(&HttpLimits::default(), 0);
    for piece in pieces {
        guard.admit(piece);
    }
    (guard.requests(), guard.standing())
}

/// Asserts that `httparse` reads a head to the same end.
fn check_head(head: &[u8]) {
    let mut fields = [httparse::EMPTY_HEADER; 2000];
    let mut request = httparse::Request::new(&mut fields);
    let parsed = request.parse(head);
    if parsed == Err(httparse::Error::Token) && std::str::from_utf8(head).is_err() {
        // `httparse` requires UTF-8 of a target, which is no matter of framing.
        return;
    }
    assert_eq!(parsed, Ok(httparse::Status::Complete(head.len())));
    let count = |name: &str| {
        request.headers.iter().filter(|field| field.name.eq_ignore_ascii_case(name)).count()
    };
    let (lengths, codings) = (count("content-length"), count("transfer-encoding"));
    assert!(lengths == 0 || lengths == 1 && codings == 0);
    assert!(!request.path.unwrap_or_default().contains('#'));
    assert_eq!(head.iter().filter(|byte| **byte == b'\r').count(), lines(head));
}

/// Returns the number of LFs.
fn lines(head: &[u8]) -> usize {
    head.iter().filter(|byte| **byte == b'\n').count()
}

fuzz_target!(|input: (u8, &[u8])| {
    let (piece, bytes) = input;
    let whole = read([bytes].into_iter());
    assert_eq!(read(bytes.chunks(usize::from(piece) + 1)), whole);

    let mut guard = FramingGuard::new(&HttpLimits::default(), 0);
    let mut start = 0;
    for (at, byte) in bytes.chunks(1).enumerate() {
        let requests = guard.requests();
        let was_body = guard.standing() == Standing::Body;
        guard.admit(byte);
        guard.decline_upgrade();
        if guard.requests() != requests {
            check_head(&bytes[start..=at]);
        }
        let is_next = was_body && guard.standing() == Standing::Head;
        if is_next || guard.requests() != requests {
            start = at + 1;
        }
    }
});
