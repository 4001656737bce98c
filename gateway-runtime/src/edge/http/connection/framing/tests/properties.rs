//! Streams of valid pieces with faults in between, against the reference.

use proptest::prelude::*;

use super::{
    Standing, outcome, read,
    reference::{Judgement, judge},
};

/// Pieces of requests. Many orders of them are valid.
const PIECES: [&str; 34] = [
    "GET / HTTP/1.1\r\n",
    "POST /a?b HTTP/1.1\r\n",
    "PUT http://a/b HTTP/1.0\r\n",
    "Host: a\r\n",
    "X-Longer-Name-Than-Any: a b\tc, \"d\" 0123456789\r\n",
    "Content-Length: 5\r\n",
    "content-length:0\r\n",
    "Content-Length: \t05 \r\n",
    "Transfer-Encoding: chunked\r\n",
    "transfer-encoding:Chunked \r\n",
    "Transfer-Encoding: gzip, chunked\r\n",
    "\r\n",
    "hello",
    "5\r\nhello\r\n",
    "05;a=b; c ;d=\"\\\"\"\r\nhello\r\n",
    "0\r\n\r\n",
    "0\r\nA: b\r\n\r\n",
    "0;a\r\n",
    "\n",
    "\r",
    " ",
    "\t",
    "\0",
    ":",
    ";",
    "#",
    "\"",
    "\\",
    "=",
    ",",
    "1",
    "f",
    "\u{7f}",
    "\u{e4}",
];

/// A request with at most one fault: a piece at any place.
fn request() -> impl Strategy<Value = Vec<u8>> {
    let line = prop::sample::select(&PIECES[..3]);
    let fields = prop::collection::vec(prop::sample::select(&PIECES[3..11]), 0..4);
    let body = prop::sample::select(&["", "hello", "5\r\nhello\r\n0\r\n\r\n", PIECES[14]][..]);
    let fault = prop::option::of((any::<prop::sample::Index>(), prop::sample::select(&PIECES[..])));
    (line, fields, body, fault).prop_map(|(line, fields, body, fault)| {
        let mut bytes = format!("{line}{}\r\n{body}", fields.concat()).into_bytes();
        if let Some((place, piece)) = fault {
            let place = place.index(bytes.len() + 1);
            bytes.splice(place..place, piece.bytes());
        }
        bytes
    })
}

/// Compares the guard with the reference.
fn compare(bytes: &[u8]) {
    let found = outcome(bytes);
    let (requests, judgement) = judge(bytes);
    let is_refused = matches!(
        found.standing,
        Standing::HeadRefused(_) | Standing::BodyRefused(_) | Standing::Ended
    );
    let text = String::from_utf8_lossy(bytes);
    assert_eq!(found.requests, requests, "{text:?} {found:?} {judgement:?}");
    // The guard refuses a request before its end, which the reference waits for.
    assert!(is_refused || judgement == Judgement::Open, "{text:?} {found:?}");
    assert!(found.admitted == bytes.len() || is_refused, "{text:?} {found:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn guard_agrees_with_the_reference(requests in prop::collection::vec(request(), 1..4)) {
        compare(&requests.concat());
    }

    #[test]
    fn guard_agrees_with_the_reference_on_any_pieces(
        pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..12),
    ) {
        compare(pieces.concat().as_bytes());
    }

    #[test]
    fn any_bytes_are_read_alike_in_any_pieces(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        ends in prop::collection::vec(0_usize..200, 0..20),
    ) {
        let bytes = [b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", &*bytes].concat();
        let mut ends: Vec<_> = ends.into_iter().filter(|end| *end <= bytes.len()).collect();
        ends.sort_unstable();
        prop_assert_eq!(read(&bytes, ends), read(&bytes, []));
    }
}
