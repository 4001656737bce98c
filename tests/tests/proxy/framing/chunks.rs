//! Chunked bodies.

use super::{
    Fate::{Cut, Forwarded},
    check, post,
};

fn chunked(body: &str) -> String {
    post(&format!("Transfer-Encoding: chunked\r\n\r\n{body}"))
}

#[tokio::test]
async fn chunk_sizes_that_are_no_hexadecimal_number_are_refused() {
    let sizes = [
        ("hexadecimal prefix", "0x5"),
        ("plus sign", "+5"),
        ("minus sign", "-5"),
        ("empty", ""),
        ("an extension alone", ";a=b"),
        ("a space before", " 5"),
        ("a tab before", "\t5"),
        ("a space after", "5 "),
        ("a tab after", "5\t"),
        ("a space between", "0 5"),
        ("a vertical tab after", "5\u{b}"),
        ("a NUL after", "5\0"),
        ("a letter after", "5g"),
        ("a letter", "g"),
        ("an underscore", "0_5"),
        ("a comma", "5,5"),
        ("quotes", "\"5\""),
        ("a fraction", "5.0"),
        ("17 digits, beyond any body", "fffffffffffffffff"),
        ("17 digits, 5 modulo 2^64", "10000000000000005"),
        ("a digit of another script", "\u{d9}\u{a5}"),
        ("a bare CR after", "5\r"),
        ("a bare CR before", "\r5"),
        ("a bare CR in the extension", "5;a\rb"),
        ("a bare CR at the end of the extension", "5;a\r"),
        ("a bare LF in the extension", "5;a\nb"),
        ("a bare LF in a quoted extension", "5;a=\"\n\""),
        ("an empty line before", "\r\n5"),
    ];
    let long = format!("5;{}", "a".repeat(20_000));
    let sizes = sizes.into_iter().chain([("an extension of 20,000 bytes", &*long)]);
    check(
        sizes.map(|(what, size)| {
            (what, chunked(&format!("{size}\r\nhello\r\n0\r\n\r\n")), Cut(400))
        }),
    )
    .await;
}

#[tokio::test]
async fn chunks_that_do_not_end_where_they_say_are_refused() {
    let cases = [
        ("LF after the size", "5\nhello\r\n0\r\n\r\n"),
        ("CR after the size", "5\rhello\r\n0\r\n\r\n"),
        ("LF after the extension", "5;a\nhello\r\n0\r\n\r\n"),
        ("LF after the data", "5\r\nhello\n0\r\n\r\n"),
        ("CR after the data", "5\r\nhello\r0\r\n\r\n"),
        ("nothing after the data", "5\r\nhello0\r\n\r\n"),
        ("a byte after the data", "5\r\nhello!\r\n0\r\n\r\n"),
        ("a request after the data", "5\r\nhelloGET /foo/y HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("less data", "5\r\nhell\r\n0\r\n\r\n"),
        ("LF after the last size", "5\r\nhello\r\n0\n\r\n"),
        ("LF at the end", "5\r\nhello\r\n0\r\n\n"),
        ("LF twice at the end", "5\r\nhello\r\n0\n\n"),
        ("CR at the end", "5\r\nhello\r\n0\r\n\r"),
        ("no end: the next request is no trailer", "5\r\nhello\r\n0\r\n"),
        ("a last size with a sign", "5\r\nhello\r\n-0\r\n\r\n"),
        ("a last size with a prefix", "5\r\nhello\r\n0x0\r\n\r\n"),
        ("bytes instead of a trailer", "5\r\nhello\r\n0\r\nabc\r\n\r\n"),
        ("a trailer with a space before the colon", "0\r\nX : a\r\n\r\n"),
        ("a folded trailer", "0\r\nX: a\r\n b\r\n\r\n"),
        ("a trailer that begins with a space", "0\r\n X: a\r\n\r\n"),
        ("a trailer without a name", "0\r\n: a\r\n\r\n"),
        ("a NUL in a trailer", "0\r\nX: a\0\r\n\r\n"),
        ("a bare CR in a trailer", "0\r\nX: a\rY: b\r\n\r\n"),
        ("a bare LF in a trailer", "0\r\nX: a\nY: b\r\n\r\n"),
        ("a bare LF at the end of the trailers", "0\r\nX: a\n\r\n"),
        ("a bare LF as the end of the trailers", "0\r\nX: a\r\n\n"),
    ];
    let mut cases: Vec<_> =
        cases.into_iter().map(|(what, body)| (what, chunked(body), Cut(400))).collect();
    let trailers = "X: a\r\n".repeat(101);
    cases.push(("101 trailers", chunked(&format!("0\r\n{trailers}\r\n")), Cut(400)));
    let large = "a".repeat(20_000);
    cases.push((
        "a trailer of 20,000 bytes",
        chunked(&format!("0\r\nX: {large}\r\n\r\n")),
        Cut(400),
    ));
    check(cases).await;
}

#[tokio::test]
async fn valid_chunks_are_forwarded_as_other_chunks() {
    let cases = [
        ("plain", "5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("more chunks", "1\r\nh\r\n3\r\nell\r\n1\r\no\r\n0\r\n\r\n", "hello"),
        ("leading zeros", "0005\r\nhello\r\n000\r\n\r\n", "hello"),
        ("17 digits with leading zeros", "00000000000000005\r\nhello\r\n0\r\n\r\n", "hello"),
        ("upper case", "A\r\nhellohello\r\n0\r\n\r\n", "hellohello"),
        ("lower case", "a\r\nhellohello\r\n0\r\n\r\n", "hellohello"),
        ("an extension", "5;a=b\r\nhello\r\n0\r\n\r\n", "hello"),
        ("an extension without a value", "5;a\r\nhello\r\n0\r\n\r\n", "hello"),
        ("a quoted extension", "5;a=\"b;c, 6\"\r\nhello\r\n0\r\n\r\n", "hello"),
        ("spaces around an extension", "5 ; a = b\r\nhello\r\n0\r\n\r\n", "hello"),
        ("more extensions", "5;a=b;c;d=\"\\\"\"\r\nhello\r\n0;last\r\n\r\n", "hello"),
        ("an extension with digits", "5;0\r\nhello\r\n0;5\r\n\r\n", "hello"),
        ("no content", "0\r\n\r\n", ""),
        ("line ends as data", "6\r\n\r\n0\r\n\r\r\n0\r\n\r\n", "\r\n0\r\n\r"),
        ("a trailer that was not announced", "5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n", "hello"),
        ("a length as a trailer", "5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n", "hello"),
        ("a coding as a trailer", "5\r\nhello\r\n0\r\nTransfer-Encoding: gzip\r\n\r\n", "hello"),
        ("a host as a trailer", "5\r\nhello\r\n0\r\nHost: b\r\n\r\n", "hello"),
    ];
    check(cases.map(|(what, body, content)| {
        let fate = Forwarded(("POST /x HTTP/1.1", "transfer-encoding: chunked", content));
        (what, chunked(body), fate)
    }))
    .await;
}

#[tokio::test]
async fn announced_trailers_are_forwarded_without_those_of_framing_and_routing() {
    let announced = "Trailer: X-Sum, Content-Length, Transfer-Encoding, Host, X-Forwarded-For\r\n";
    let trailers = "X-Sum: 7\r\nContent-Length: 9\r\nTransfer-Encoding: gzip\r\nHost: b\r\n\
                    X-Forwarded-For: 1.1.1.1\r\n";
    let request = post(&format!(
        "{announced}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n{trailers}\r\n"
    ));
    let content = "hello{x-sum: 7}";
    let fate = Forwarded(("POST /x HTTP/1.1", "transfer-encoding: chunked", content));
    check([("trailers", request, fate)]).await;
}
