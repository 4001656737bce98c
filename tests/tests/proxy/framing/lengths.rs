//! `Content-Length`.

use super::{
    Case,
    Fate::{Forwarded, Refused},
    check, post,
};

const LINE: &str = "POST /x HTTP/1.1";

#[tokio::test]
async fn lengths_that_are_no_one_number_are_refused() {
    let refused = [
        ("two that differ", "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
        ("two that differ, in other case", "content-length: 5\r\nCONTENT-LENGTH: 0\r\n\r\nhello"),
        ("two that are equal", "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
        ("two that are equal as numbers", "Content-Length: 5\r\nContent-Length: 05\r\n\r\nhello"),
        ("the second invalid", "Content-Length: 5\r\nContent-Length: x\r\n\r\nhello"),
        ("the second empty", "Content-Length: 5\r\nContent-Length:\r\n\r\nhello"),
        ("a list of two that are equal", "Content-Length: 5, 5\r\n\r\nhello"),
        ("a list of two that differ", "Content-Length: 5, 6\r\n\r\nhello"),
        ("a list with an empty element after", "Content-Length: 5,\r\n\r\nhello"),
        ("a list with an empty element before", "Content-Length: ,5\r\n\r\nhello"),
        ("a plus sign", "Content-Length: +5\r\n\r\nhello"),
        ("a minus sign", "Content-Length: -5\r\n\r\nhello"),
        ("minus zero", "Content-Length: -0\r\n\r\n"),
        ("hexadecimal", "Content-Length: 0x5\r\n\r\nhello"),
        ("a hexadecimal digit", "Content-Length: a\r\n\r\nhellohello"),
        ("a fraction", "Content-Length: 5.0\r\n\r\nhello"),
        ("an exponent", "Content-Length: 5e0\r\n\r\nhello"),
        ("an underscore", "Content-Length: 0_5\r\n\r\nhello"),
        ("two numbers", "Content-Length: 0 5\r\n\r\nhello"),
        ("quotes", "Content-Length: \"5\"\r\n\r\nhello"),
        ("a parameter", "Content-Length: 5;a=b\r\n\r\nhello"),
        ("empty", "Content-Length:\r\n\r\nhello"),
        ("spaces alone", "Content-Length:   \r\n\r\nhello"),
        ("words", "Content-Length: five\r\n\r\nhello"),
        ("digits of another script", "Content-Length: \u{d9}\u{a5}\r\n\r\nhello"),
        ("2^64 - 1", "Content-Length: 18446744073709551615\r\n\r\nhello"),
        ("2^64 + 5", "Content-Length: 18446744073709551621\r\n\r\nhello"),
        ("a thousand digits", &*format!("Content-Length: {}\r\n\r\nhello", "9".repeat(1000))),
        ("a vertical tab before", "Content-Length: \u{b}5\r\n\r\nhello"),
        ("a form feed after", "Content-Length: 5\u{c}\r\n\r\nhello"),
        ("a NUL after", "Content-Length: 5\0\r\n\r\nhello"),
        ("a no-break space before", "Content-Length: \u{a0}5\r\n\r\nhello"),
        ("a space before the colon", "Content-Length : 5\r\n\r\nhello"),
        ("a tab before the colon", "Content-Length\t: 5\r\n\r\nhello"),
        ("a space before the name", " Content-Length: 5\r\n\r\nhello"),
        ("folded", "Content-Length:\r\n 5\r\n\r\nhello"),
        ("folded after a digit", "Content-Length: 0\r\n 5\r\n\r\nhello"),
    ];
    let one = refused.map(|(what, rest)| (what, post(rest), Refused(400)));
    let get = "GET /foo/x HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n";
    let old =
        "POST /foo/x HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello";
    let others: [Case; 2] = [
        ("of a GET, invalid", get.to_owned(), Refused(400)),
        ("two that differ, HTTP/1.0", old.to_owned(), Refused(400)),
    ];
    check(one.into_iter().chain(others)).await;
}

#[tokio::test]
async fn lengths_that_are_one_number_are_forwarded_in_their_plain_form() {
    let five = Forwarded((LINE, "content-length: 5", "hello"));
    let cases = [
        ("plain", "Content-Length: 5\r\n\r\nhello", five),
        ("without a space", "Content-Length:5\r\n\r\nhello", five),
        ("spaces and tabs around", "Content-Length: \t 5 \t \r\n\r\nhello", five),
        ("leading zeros", "Content-Length: 0005\r\n\r\nhello", five),
        (
            "more leading zeros than digits of 2^64",
            "Content-Length: 0000000000000000000000000000000000000005\r\n\r\nhello",
            five,
        ),
        ("another case", "cOnTeNt-LeNgTh: 5\r\n\r\nhello", five),
        ("zero", "Content-Length: 0\r\n\r\n", Forwarded((LINE, "content-length: 0", ""))),
        ("none", "\r\n", Forwarded((LINE, "", ""))),
    ];
    check(cases.map(|(what, rest, fate)| (what, post(rest), fate))).await;
}
