//! Heads.

use super::{Standing, Violation, assert_head_refused, assert_stops, outcome};

#[test]
fn head_is_refused_at_the_byte_that_violates() {
    use Violation::{
        Field, Length, LengthAndCoding, LineEnd, NotHttp, OldCoding, RequestLine, Target, Version,
    };
    let cases = [
        ("", "\nGET / HTTP/1.1\r\n\r\n", RequestLine),
        ("\r\n", "\nGET / HTTP/1.1\r\n\r\n", RequestLine),
        ("\r", "GET / HTTP/1.1\r\n\r\n", LineEnd),
        ("", " GET / HTTP/1.1\r\n\r\n", RequestLine),
        ("GET", "\t/ HTTP/1.1\r\n\r\n", RequestLine),
        ("GET ", " / HTTP/1.1\r\n\r\n", RequestLine),
        ("GET /", "#f HTTP/1.1\r\n\r\n", Target),
        ("GET /a?b", "\0 HTTP/1.1\r\n\r\n", Target),
        ("GET ", "://a/ HTTP/1.1\r\n\r\n", Target),
        ("GET /", "\r\n\r\n", RequestLine),
        ("GET / ", " HTTP/1.1\r\n\r\n", RequestLine),
        ("GET / HTTP/1.1", "\n\r\n", LineEnd),
        ("GET / HTTP/1.1", " \r\n\r\n", RequestLine),
        ("GET / HTTP/1.1\r", "a: b\r\n\r\n", LineEnd),
        ("GET / HTTP/1.2", "\r\n\r\n", Version),
        ("GET / HTTP/1.", "x\r\n\r\n", RequestLine),
        ("GET /a ", "b HTTP/1.1\r\n\r\n", RequestLine),
        ("INVALID CONNECTION ", "PREFACE\r\n\r\n", NotHttp),
        ("GET / HTTP/1.1\r\na", " : b\r\n\r\n", Field),
        ("GET / HTTP/1.1\r\n", " a: b\r\n\r\n", Field),
        ("GET / HTTP/1.1\r\n", ": b\r\n\r\n", Field),
        ("GET / HTTP/1.1\r\n", "\n\r\n", Field),
        ("GET / HTTP/1.1\r\na: b", "\n\r\n", LineEnd),
        ("GET / HTTP/1.1\r\na: b\r", "\r\n\r\n", LineEnd),
        ("GET / HTTP/1.1\r\na: b\r", "c: d\r\n\r\n", LineEnd),
        ("GET / HTTP/1.1\r\na: 12345678901\t", "\u{7f}\r\n\r\n", Field),
        ("GET / HTTP/1.1\r\na: b\r\n\r", "\r\n", LineEnd),
        ("GET / HTTP/1.1\r\nContent-Length: 5", ", 5\r\n\r\n", Length),
        ("GET / HTTP/1.1\r\nContent-Length: 5 ", "5\r\n\r\n", Length),
        ("GET / HTTP/1.1\r\nContent-Length: ", "\r\n\r\n", Length),
        ("GET / HTTP/1.1\r\nContent-Length:5\r\ncontent-length", ":5\r\n\r\n", Length),
        ("GET / HTTP/1.1\r\nContent-Length: 922337203685477580", "8\r\n\r\n", Length),
        (
            "GET / HTTP/1.1\r\nContent-Length:5\r\nTransfer-Encoding: chunked\r\n\r",
            "\n",
            LengthAndCoding,
        ),
        (
            "GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\nContent-Length:5\r\n\r",
            "\n",
            LengthAndCoding,
        ),
        ("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r", "\n", OldCoding),
    ];
    for (admitted, rest, violation) in cases {
        assert_head_refused(admitted, rest, violation);
    }
}

#[test]
fn head_with_another_coding_is_admitted_alone() {
    for codings in [
        "gzip",
        "",
        "chunked x",
        "chunked;a=b",
        "chunked, chunked",
        "chunked\r\nTransfer-Encoding: chunked",
        "gzip\r\nTransfer-Encoding: chunked",
        "chunkedchunkedchunkedchunked",
    ] {
        let head = format!("POST / HTTP/1.1\r\nTransfer-Encoding: {codings}\r\n\r\n");
        assert_stops(&head, "GET / HTTP/1.1\r\n\r\n", Standing::Ended);
    }
}

#[test]
fn chunked_is_recognised_with_whitespace_and_in_any_case() {
    for coding in ["chunked", "", "CHUNKED \t", "\t chunked                               "] {
        let head = format!("POST / HTTP/1.1\r\nTransfer-Encoding:{coding}\r\n\r\n");
        let expected = if coding.is_empty() { Standing::Ended } else { Standing::Body };
        assert_stops(&head, "", expected);
    }
}

#[test]
fn bytes_behind_an_offered_upgrade_wait() {
    for head in [
        "CONNECT a:80 HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nUPGRADE: websocket\r\n\r\n",
        "POST / HTTP/1.1\r\nUpgrade: h2c\r\nContent-Length: 5\r\n\r\nhello",
    ] {
        assert_stops(head, "\0\0", Standing::Undecided);
    }
}

#[test]
fn limits_of_lengths_are_those_of_signed_numbers() {
    let length = "000000000000000000000000000009223372036854775807";
    let head = format!("PUT / HTTP/1.1\r\ncontent-length: {length}\r\n\r\n");
    assert_eq!(outcome(head.as_bytes()).standing, Standing::Body);
}
