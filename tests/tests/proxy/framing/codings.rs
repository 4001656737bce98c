//! `Transfer-Encoding`, alone and with `Content-Length`.

use super::{
    Fate::{Forwarded, Refused},
    check, post,
};

/// A chunked body.
const HELLO: &str = "\r\n5\r\nhello\r\n0\r\n\r\n";

#[tokio::test]
async fn codings_other_than_chunked_are_refused() {
    let cases = [
        ("a name that ends alike", "xchunked", 400),
        ("a name that begins alike", "chunkedx", 400),
        ("a part of the name", "chunk", 400),
        ("a space in the name", "chun ked", 400),
        ("a word after", "chunked x", 400),
        ("a word before", "x chunked", 400),
        ("a parameter", "chunked;q=1", 400),
        ("quotes", "\"chunked\"", 400),
        ("identity", "identity", 400),
        ("gzip", "gzip", 400),
        ("empty", "", 400),
        ("a comma", ",", 400),
        ("twice", "chunked, chunked", 400),
        ("an empty element after", "chunked,", 400),
        ("an empty element before", ", chunked", 501),
        ("gzip before", "gzip, chunked", 501),
        ("gzip before, without a space", "gzip,chunked", 501),
        ("identity before", "identity, chunked", 501),
        ("gzip after", "chunked, gzip", 400),
        ("identity after", "chunked, identity", 400),
        ("a vertical tab before", "\u{b}chunked", 400),
        ("a vertical tab after", "chunked\u{b}", 400),
        ("a form feed before", "\u{c}chunked", 400),
        ("a NUL after", "chunked\0", 400),
        ("a no-break space before", "\u{a0}chunked", 400),
        ("a no-break space after", "chunked\u{a0}", 400),
        ("a letter with a look-alike", "chun\u{e2}\u{84}\u{aa}ed", 400),
        ("folded", "\r\n chunked", 400),
        ("folded after", "chunked\r\n , gzip", 400),
        ("a bare CR before", "\rchunked", 400),
        ("two lines", "chunked\r\nTransfer-Encoding: chunked", 400),
        ("two lines, gzip first", "gzip\r\nTransfer-Encoding: chunked", 501),
        ("two lines, identity first", "identity\r\nTransfer-Encoding: chunked", 501),
        ("two lines, an empty one first", "\r\nTransfer-Encoding: chunked", 501),
        ("two lines, gzip second", "chunked\r\nTransfer-Encoding: gzip", 400),
        ("two lines, identity second", "chunked\r\nTransfer-Encoding: identity", 400),
        ("two lines, an unknown one second", "chunked\r\ntransfer-encoding: cow", 400),
    ];
    check(cases.map(|(what, value, status)| {
        let request = post(&format!("Transfer-Encoding: {value}\r\n{HELLO}"));
        (what, request, Refused(status))
    }))
    .await;
}

#[tokio::test]
async fn a_coding_with_a_length_or_in_an_invalid_field_is_refused() {
    let cases = [
        ("a length before", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
        ("a length after", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
        ("the length of the bytes", "Content-Length: 15\r\nTransfer-Encoding: chunked\r\n"),
        ("length 0", "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"),
        ("an invalid length before", "Content-Length: x\r\nTransfer-Encoding: chunked\r\n"),
        ("an invalid length after", "Transfer-Encoding: chunked\r\nContent-Length: x\r\n"),
        (
            "two lengths around",
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        ),
        ("a length and identity", "Content-Length: 15\r\nTransfer-Encoding: identity\r\n"),
        ("a length and xchunked", "Content-Length: 15\r\nTransfer-Encoding: xchunked\r\n"),
        ("a length and an empty coding", "Content-Length: 15\r\nTransfer-Encoding:\r\n"),
        ("a space before the colon", "Transfer-Encoding : chunked\r\n"),
        ("a tab before the colon", "Transfer-Encoding\t: chunked\r\n"),
        ("a vertical tab before the colon", "Transfer-Encoding\u{b}: chunked\r\n"),
        ("a space before the name", " Transfer-Encoding: chunked\r\n"),
        ("a NUL in the name", "Transfer\0-Encoding: chunked\r\n"),
        ("without a colon", "Transfer-Encoding chunked\r\n"),
        ("after a bare CR", "X: a\rTransfer-Encoding: chunked\r\n"),
        ("after a bare LF", "X: a\nTransfer-Encoding: chunked\r\n"),
        ("a bare LF at its end", "Transfer-Encoding: chunked\nX: a\r\n"),
    ];
    let one = cases.map(|(what, fields)| (what, post(&format!("{fields}{HELLO}")), Refused(400)));
    let old = |fields: &str| format!("POST /foo/x HTTP/1.0\r\nHost: a\r\n{fields}{HELLO}");
    let others = [
        ("HTTP/1.0", old("Transfer-Encoding: chunked\r\n"), Refused(400)),
        (
            "HTTP/1.0 with a length",
            old("Content-Length: 15\r\nTransfer-Encoding: chunked\r\n"),
            Refused(400),
        ),
        (
            "HTTP/1.0 with keep-alive",
            old("Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n"),
            Refused(400),
        ),
    ];
    check(one.into_iter().chain(others)).await;
}

#[tokio::test]
async fn chunked_in_any_spelling_is_forwarded_as_chunked() {
    let cases = [
        ("plain", "Transfer-Encoding: chunked"),
        ("without a space", "transfer-encoding:chunked"),
        ("upper case", "TRANSFER-ENCODING: CHUNKED"),
        ("a tab before and after", "Transfer-Encoding:\tchunked\t"),
    ];
    let fate = Forwarded(("POST /x HTTP/1.1", "transfer-encoding: chunked", "hello"));
    check(cases.map(|(what, field)| (what, post(&format!("{field}\r\n{HELLO}")), fate))).await;
}
