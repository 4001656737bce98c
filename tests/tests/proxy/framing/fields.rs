//! Header fields: their syntax, their limits, and those that `Connection` names.

use super::{
    Bench, Fate,
    Fate::{Forwarded, Last, Refused},
    check, check_with, post,
};

const GET_X: &str = "GET /x HTTP/1.1";

fn with(fields: &str) -> String {
    format!("GET /foo/x HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
}

#[tokio::test]
async fn malformed_fields_are_refused() {
    let fields = [
        ("a space before the colon", "X : a\r\n"),
        ("a tab before the colon", "X\t: a\r\n"),
        ("a space in the name", "X Y: a\r\n"),
        ("a space before the name", " X: a\r\n"),
        ("a tab before the name", "\tX: a\r\n"),
        ("folded", "X: a\r\n b\r\n"),
        ("folded with a tab", "X: a\r\n\tb\r\n"),
        ("folded to nothing", "X: a\r\n \r\n"),
        ("folded after an empty value", "X:\r\n a\r\n"),
        ("no colon", "X\r\n"),
        ("no colon, two words", "X a\r\n"),
        ("an empty name", ": a\r\n"),
        ("a colon alone", ":\r\n"),
        ("a space as the name", " : a\r\n"),
        ("a line with a space alone", " \r\n"),
        ("a NUL in the name", "X\0: a\r\n"),
        ("a control byte in the name", "X\u{1}: a\r\n"),
        ("DEL in the name", "X\u{7f}: a\r\n"),
        ("a byte over 127 in the name", "X\u{e4}: a\r\n"),
        ("parentheses in the name", "X(a): a\r\n"),
        ("a comma in the name", "X,Y: a\r\n"),
        ("a slash in the name", "X/Y: a\r\n"),
        ("an at sign in the name", "X@Y: a\r\n"),
        ("quotes around the name", "\"X\": a\r\n"),
        ("a pseudo-field", ":method: POST\r\n"),
        ("a NUL in the value", "X: a\0b\r\n"),
        ("a NUL at the end of the value", "X: a\0\r\n"),
        ("a control byte in the value", "X: a\u{1}b\r\n"),
        ("a vertical tab in the value", "X: a\u{b}b\r\n"),
        ("a form feed in the value", "X: a\u{c}b\r\n"),
        ("a backspace in the value", "X: a\u{8}b\r\n"),
        ("an escape in the value", "X: \u{1b}[31m\r\n"),
        ("DEL in the value", "X: a\u{7f}b\r\n"),
        ("a bare CR in the value", "X: a\rb\r\n"),
        ("a bare CR at the end of the value", "X: a\r\r\n"),
        ("a bare CR before the value", "X: \ra\r\n"),
        ("a bare CR in the name", "X\rY: a\r\n"),
        ("a bare CR as the line end", "X: a\rY: b\r\n"),
        ("a bare LF as the line end", "X: a\nY: b\r\n"),
        ("a bare LF as the last line end", "X: a\n"),
        ("a bare LF in the name", "X\nY: a\r\n"),
        ("LF and CR as the line end", "X: a\n\rY: b\r\n"),
        ("a bare LF as an empty line", "X: a\r\n\nY: b\r\n"),
        ("a bare CR as an empty line", "X: a\r\n\rY: b\r\n"),
    ];
    let heads = [
        ("bare LFs alone", "GET /foo/x HTTP/1.1\nHost: a\n\n"),
        ("bare CRs alone", "GET /foo/x HTTP/1.1\rHost: a\r\r"),
        ("a bare LF as the end of the head", "GET /foo/x HTTP/1.1\r\nHost: a\r\n\n"),
        ("a field before the request line", "X: a\r\nGET /foo/x HTTP/1.1\r\nHost: a\r\n\r\n"),
    ];
    let fields = fields.map(|(what, fields)| (what, with(fields), Refused(400)));
    let heads = heads.map(|(what, head)| (what, head.to_owned(), Refused(400)));
    check(fields.into_iter().chain(heads)).await;
}

#[tokio::test]
async fn heads_over_the_limits_are_refused() {
    let many = |count: usize| with(&"X: a\r\n".repeat(count - 1));
    let large = |bytes: usize| with(&format!("X: {}\r\n", "a".repeat(bytes)));
    check([
        ("100 fields", many(100), Forwarded((GET_X, "", ""))),
        ("101 fields", many(101), Refused(431)),
        ("1,000 fields", many(1_000), Refused(431)),
        ("16,000 bytes", large(16_000), Forwarded((GET_X, "", ""))),
        ("16,400 bytes", large(16_400), Refused(431)),
        ("a name of 17,000 bytes", with(&format!("{}: a\r\n", "X".repeat(17_000))), Refused(431)),
        ("70,000 bytes", large(70_000), Refused(431)),
    ])
    .await;
    check_with("header_count = 2", [("3 fields", many(3), Refused(431))]).await;
}

#[tokio::test]
async fn valid_values_are_forwarded_byte_for_byte() {
    let bench = Bench::start("").await;
    for (sent, received) in [
        ("", ""),
        (" ", ""),
        (" \t a \t ", "a"),
        ("a\tb  c", "a\tb  c"),
        ("\u{e4}\u{ff}\u{80}", "\u{e4}\u{ff}\u{80}"),
        ("a: b, \"c;", "a: b, \"c;"),
        ("GET /foo/y HTTP/1.1", "GET /foo/y HTTP/1.1"),
    ] {
        let forwarded = bench.forwarded(&with(&format!("X:{sent}\r\n"))).await;
        assert_eq!(forwarded.values("x"), [received], "{sent:?}");
    }
    bench.stop().await;
}

#[tokio::test]
async fn connection_does_not_hide_the_fields_of_framing() {
    let five = Forwarded(("POST /x HTTP/1.1", "content-length: 5", "hello"));
    let chunked = Forwarded(("POST /x HTTP/1.1", "transfer-encoding: chunked", "hello"));
    let closed = Last(("POST /x HTTP/1.1", "content-length: 5", "hello"));
    let length = "Content-Length: 5\r\n\r\nhello";
    let coding = "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let cases: [(&str, String, Fate); 9] = [
        ("the length", format!("Connection: Content-Length\r\n{length}"), five),
        ("the length, and close", format!("Connection: close, Content-Length\r\n{length}"), closed),
        (
            "the length, after",
            length.replace("\r\n\r\n", "\r\nConnection: content-length\r\n\r\n"),
            five,
        ),
        ("the coding", format!("Connection: Transfer-Encoding\r\n{coding}"), chunked),
        ("itself", format!("Connection: Connection\r\n{length}"), five),
        ("no token", format!("Connection: \"a\", ,;, \r\n{length}"), five),
        ("close in two lines", format!("Connection: a\r\nConnection: close\r\n{length}"), closed),
        ("close before keep-alive", format!("Connection: close, keep-alive\r\n{length}"), closed),
        (
            "trailers",
            format!("Connection: TE\r\nTE: trailers\r\n{length}"),
            Forwarded((
                "POST /x HTTP/1.1",
                "connection: te; content-length: 5; te: trailers",
                "hello",
            )),
        ),
    ];
    check(cases.map(|(what, rest, fate)| (what, post(&rest), fate))).await;
}

#[tokio::test]
async fn connection_does_not_hide_the_fields_that_the_gateway_writes() {
    let bench = Bench::start("").await;
    let own = bench.recorder.address().to_string();
    let options = "host, x-forwarded-for, x-forwarded-host, x-forwarded-proto, x-request-id, via";
    let fields =
        format!("Connection: {options}\r\nX-Forwarded-For: 1.1.1.1\r\nX-Request-Id: mine\r\n");
    let received = bench.forwarded(&with(&fields)).await;
    assert_eq!(received.values("host"), [&*own]);
    assert_eq!(received.values("x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(received.values("x-forwarded-host"), ["a"]);
    assert_eq!(received.values("x-forwarded-proto"), ["http"]);
    assert_eq!(received.values("x-request-id"), ["mine"]);
    assert_eq!(received.values("via").len(), 1);
    bench.stop().await;
}
