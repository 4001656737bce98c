//! Request lines.

use super::{
    Case,
    Fate::{Answered, Forwarded, Last, Refused},
    check, check_with, get,
};

/// Returns a request with this first line.
fn line(line: &str) -> String {
    format!("{line}\r\nHost: a\r\n\r\n")
}

#[tokio::test]
async fn request_lines_that_are_not_three_words_are_refused() {
    let cases = [
        ("two spaces after the method", "GET  /foo/x HTTP/1.1", 400),
        ("two spaces before the version", "GET /foo/x  HTTP/1.1", 400),
        ("a tab after the method", "GET\t/foo/x HTTP/1.1", 400),
        ("a tab before the version", "GET /foo/x\tHTTP/1.1", 400),
        ("a tab in the target", "GET /foo/x\ty HTTP/1.1", 400),
        ("a space in the target", "GET /foo/x y HTTP/1.1", 400),
        ("a space before", " GET /foo/x HTTP/1.1", 400),
        ("a space after", "GET /foo/x HTTP/1.1 ", 400),
        ("a tab after", "GET /foo/x HTTP/1.1\t", 400),
        ("a word after", "GET /foo/x HTTP/1.1 HTTP/1.1", 400),
        ("no version", "GET /foo/x", 400),
        ("no version, and a space", "GET /foo/x ", 400),
        ("no target", "GET HTTP/1.1", 400),
        ("no target, two spaces", "GET  HTTP/1.1", 400),
        ("no method", "/foo/x HTTP/1.1", 400),
        ("no method, and a space", " /foo/x HTTP/1.1", 400),
        ("one word", "GET", 400),
        ("HTTP/1.2", "GET /foo/x HTTP/1.2", 505),
        ("HTTP/2.0", "GET /foo/x HTTP/2.0", 505),
        ("HTTP/3.0", "GET /foo/x HTTP/3.0", 505),
        ("HTTP/0.9", "GET /foo/x HTTP/0.9", 505),
        ("HTTP/2", "GET /foo/x HTTP/2", 400),
        ("HTTP/1", "GET /foo/x HTTP/1", 400),
        ("HTTP/1.10", "GET /foo/x HTTP/1.10", 400),
        ("HTTP/01.1", "GET /foo/x HTTP/01.1", 400),
        ("HTTP/1.1.1", "GET /foo/x HTTP/1.1.1", 400),
        ("HTTP/1,1", "GET /foo/x HTTP/1,1", 400),
        ("lower case", "GET /foo/x http/1.1", 400),
        ("mixed case", "GET /foo/x Http/1.1", 400),
        ("another protocol", "GET /foo/x RTSP/1.0", 400),
        ("HTTPS", "GET /foo/x HTTPS/1.1", 400),
        ("a colon in the method", "G:T /foo/x HTTP/1.1", 400),
        ("quotes in the method", "\"GET\" /foo/x HTTP/1.1", 400),
        ("a slash in the method", "GET/ /foo/x HTTP/1.1", 400),
    ];
    let lines = cases.map(|(what, text, status)| (what, line(text), Refused(status)));
    let others: [Case; 2] = [
        ("HTTP/0.9, whole", "GET /foo/x\r\n".to_owned(), Refused(400)),
        ("the preface of HTTP/2, later", line("PRI * HTTP/2.0").replace("Host", "X"), Refused(505)),
    ];
    check(lines.into_iter().chain(others)).await;
}

#[tokio::test]
async fn control_bytes_and_bare_line_ends_in_the_request_line_are_refused() {
    let cases = [
        ("a NUL in the method", "GE\0T /foo/x HTTP/1.1"),
        ("a byte over 127 in the method", "G\u{c9}T /foo/x HTTP/1.1"),
        ("a NUL in the target", "GET /foo/x\0 HTTP/1.1"),
        ("a control byte in the target", "GET /foo/\u{1}x HTTP/1.1"),
        ("DEL in the target", "GET /foo/x\u{7f} HTTP/1.1"),
        ("a vertical tab in the target", "GET /foo/x\u{b} HTTP/1.1"),
        ("a target that is no UTF-8", "GET /foo/x\u{ff} HTTP/1.1"),
        ("a NUL in the version", "GET /foo/x HTTP/1.1\0"),
        ("a bare CR in the target", "GET /foo/x\ry HTTP/1.1"),
        ("a bare CR after", "GET /foo/x HTTP/1.1\r"),
        ("a bare CR before", "\rGET /foo/x HTTP/1.1"),
        ("a bare CR for a space", "GET /foo/x\rHTTP/1.1"),
        ("a bare LF in the target", "GET /foo/x\ny HTTP/1.1"),
        ("a bare LF before", "\nGET /foo/x HTTP/1.1"),
        ("a bare LF for the line end", "GET /foo/x HTTP/1.1\nX: a"),
        ("an empty line with a bare LF before", "\r\n\nGET /foo/x HTTP/1.1"),
        ("a line with a space before", " \r\nGET /foo/x HTTP/1.1"),
        ("a TLS handshake", "\u{16}\u{3}\u{1}\0\u{a5}\u{1}\0\0\u{a1}\u{3}\u{3}"),
    ];
    check(cases.map(|(what, text)| (what, line(text), Refused(400)))).await;
}

#[tokio::test]
async fn targets_of_other_forms_do_not_reach_the_instance() {
    check([
        ("a fragment", get("/foo/x#y"), Refused(400)),
        ("an empty fragment", get("/foo/x#"), Refused(400)),
        ("a fragment after a query", get("/foo/x?q#y"), Refused(400)),
        ("dot segments behind a fragment", get("/foo/x#/../../y"), Refused(400)),
        ("a fragment in an absolute target", get("http://a/foo/x#y"), Refused(400)),
        ("no slash before", get("foo/x"), Refused(400)),
        ("a query alone", get("?foo/x"), Refused(400)),
        ("a fragment alone", get("#/foo/x"), Refused(400)),
        ("a host alone", get("a"), Answered(404)),
        ("host and port alone", get("a:80"), Answered(404)),
        ("no host in an absolute target", get("http:///foo/x"), Refused(400)),
        ("no scheme in an absolute target", get("://a/foo/x"), Refused(400)),
        ("no slashes in an absolute target", get("http:foo/x"), Refused(400)),
        ("no service", get("/"), Answered(200)),
        ("an empty service", get("//foo/x"), Answered(404)),
        ("an asterisk with GET", get("*"), Answered(404)),
        ("an asterisk with OPTIONS", line("OPTIONS * HTTP/1.1"), Answered(204)),
        ("CONNECT with an authority", line("CONNECT a:80 HTTP/1.1"), Answered(400)),
        ("CONNECT with a path", line("CONNECT /foo/x HTTP/1.1"), Answered(400)),
        ("CONNECT with an absolute target", line("CONNECT http://a/foo/x HTTP/1.1"), Answered(400)),
        (
            "CONNECT with a length",
            line("CONNECT /foo/x HTTP/1.1\r\nContent-Length: 0"),
            Answered(400),
        ),
    ])
    .await;
}

#[tokio::test]
async fn targets_over_the_limits_are_refused() {
    let long = |length: usize| get(&format!("/foo/{}", "x".repeat(length)));
    check([("17,000 bytes", long(17_000), Refused(431))]).await;
    check_with("header_bytes = 100000", [("66,000 bytes", long(66_000), Refused(414))]).await;
}

#[tokio::test]
async fn unusual_request_lines_are_forwarded() {
    let forwarded = |line: &'static str| Forwarded((line, "", ""));
    check([
        ("an empty line before", line("\r\nGET /foo/x HTTP/1.1"), forwarded("GET /x HTTP/1.1")),
        (
            "two empty lines before",
            line("\r\n\r\nGET /foo/x HTTP/1.1"),
            forwarded("GET /x HTTP/1.1"),
        ),
        ("a method of WebDAV", line("PROPFIND /foo/x HTTP/1.1"), forwarded("PROPFIND /x HTTP/1.1")),
        ("an unknown method", line("M-SEARCH /foo/x HTTP/1.1"), forwarded("M-SEARCH /x HTTP/1.1")),
        (
            "a method of all token bytes",
            line("!#$%&'*+-.^_`|~0aZ /foo/x HTTP/1.1"),
            forwarded("!#$%&'*+-.^_`|~0aZ /x HTTP/1.1"),
        ),
        ("a method in lower case", line("get /foo/x HTTP/1.1"), forwarded("get /x HTTP/1.1")),
        (
            "a long method",
            line(&format!("{} /foo/x HTTP/1.1", "M".repeat(64))),
            forwarded(
                "MMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM /x HTTP/1.1",
            ),
        ),
        ("OPTIONS of a path", line("OPTIONS /foo/x HTTP/1.1"), forwarded("OPTIONS /x HTTP/1.1")),
        ("TRACE", line("TRACE /foo/x HTTP/1.1"), forwarded("TRACE /x HTTP/1.1")),
        ("HTTP/1.0", line("GET /foo/x HTTP/1.0"), Last(("GET /x HTTP/1.1", "", ""))),
        (
            "HTTP/1.0 with keep-alive",
            line("GET /foo/x HTTP/1.0\r\nConnection: keep-alive"),
            forwarded("GET /x HTTP/1.1"),
        ),
        ("an absolute target", get("http://a/foo/x?q"), forwarded("GET /x?q HTTP/1.1")),
        ("an absolute target, upper case", get("HTTP://A/foo/x"), forwarded("GET /x HTTP/1.1")),
        ("an absolute target without a path", get("http://a"), Answered(200)),
        ("an absolute target with a query only", get("http://a?/foo/x"), Answered(200)),
        ("an empty query", get("/foo/x?"), forwarded("GET /x? HTTP/1.1")),
        ("two question marks", get("/foo/x??y?z"), forwarded("GET /x??y?z HTTP/1.1")),
        ("a URL as the query", get("/foo/x?http://b/y"), forwarded("GET /x?http://b/y HTTP/1.1")),
        ("a URL as the path", get("/foo/http://b/y"), forwarded("GET /http://b/y HTTP/1.1")),
    ])
    .await;
}
