//! Bodies, and requests one after the other.

use super::{Standing, Violation, assert_stops, outcome};

const HEAD: &str = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn requests_follow_one_another() {
    let stream = "\r\n\r\nGET /?a=b HTTP/1.1\r\nHost: a\r\nX:\r\nY: \u{e4} \t\r\n\r\n\
                  GET http://a/ HTTP/1.0\r\n\r\n\
                  POST * HTTP/1.1\r\nContent-Length: 32\r\n\r\n\
                  GET /hidden HTTP/1.1\nHost: a\r\n\r\n\
                  POST [::1]:80 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\
                  5\r\nhello\r\n00000000a;a=b;c ; d = \"\\\"\u{e4}\"\r\n";
    let stream = format!("{stream}0123456789\r\n0;z\r\nA: b\r\nC:\r\n\r\nHEAD / HTTP/1.1\r\n\r\n");
    let found = outcome(stream.as_bytes());
    let found = (found.admitted, found.requests, found.standing);
    assert_eq!(found, (stream.len(), 5, Standing::Head));
}

#[test]
fn chunks_are_refused_at_the_byte_that_violates() {
    let cases = [
        ("", "\r\n"),
        ("", " 5\r\n"),
        ("", "+5\r\n"),
        ("0", "x5\r\n"),
        ("5 ", "\r\nhello"),
        ("5", "\nhello"),
        ("5\r", "hello"),
        ("5\r\nhello", "\n"),
        ("5\r\nhello\r", "0"),
        ("5\r\nhello", "0\r\n"),
        ("5;", "\r\n"),
        ("5;a=", "\r\n"),
        ("5;a ", "\r\n"),
        ("5;a=b ", "\r\n"),
        ("5;a=b", "=c\r\n"),
        ("5;a=\"", "\r\n"),
        ("5;a=\"\\", "\n"),
        ("5;a=\"b\"", "c\r\n"),
        ("5;a", "\n"),
        ("7fffffffffffffff\r\na", ""),
        ("800000000000000", "0\r\n"),
        ("00000000000000000000000000000000", "0\r\n"),
    ];
    for (admitted, rest) in cases {
        let standing =
            if rest.is_empty() { Standing::Body } else { Standing::BodyRefused(Violation::Chunk) };
        assert_stops(&format!("{HEAD}{admitted}"), rest, standing);
    }
}

#[test]
fn trailers_are_refused_at_the_byte_that_violates() {
    let cases = [
        ("", "\n"),
        ("", " a: b\r\n"),
        ("", ": b\r\n"),
        ("a", " : b\r\n"),
        ("a: b", "\n"),
        ("a: b\r", "\r\n"),
        ("a: b\r\n", " c\r\n"),
        ("a: b", "\0\r\n"),
        ("\r", "\r\n"),
        ("GET", " / HTTP/1.1\r\n"),
    ];
    for (admitted, rest) in cases {
        let admitted = format!("{HEAD}0\r\n{admitted}");
        assert_stops(&admitted, rest, Standing::BodyRefused(Violation::Trailer));
    }
}

#[test]
fn extensions_and_trailers_are_bounded() {
    let standing = |body: String| super::read(format!("{HEAD}{body}").as_bytes(), []).standing;
    let chunk = format!("1;a=\"{}\"\r\na\r\n", "b".repeat(1000));
    assert_eq!(standing(chunk.repeat(15)), Standing::Body);
    assert_eq!(standing(chunk.repeat(16)), Standing::BodyRefused(Violation::Chunk));
    let trailers = |count: usize| standing(format!("0\r\n{}", "a:\r\n".repeat(count)));
    assert_eq!(trailers(100), Standing::Body);
    assert_eq!(trailers(101), Standing::BodyRefused(Violation::Trailer));
    let trailer = |bytes: usize| standing(format!("0\r\na: {}", "b".repeat(bytes)));
    assert_eq!(trailer(16_000), Standing::Body);
    assert_eq!(trailer(17_000), Standing::BodyRefused(Violation::Trailer));
}
