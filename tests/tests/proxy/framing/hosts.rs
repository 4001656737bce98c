//! `Host`, and absolute targets.

use super::{
    Bench, Case,
    Fate::{Last, Refused},
    check,
};

#[tokio::test]
async fn requests_without_exactly_one_valid_host_are_refused() {
    let fields = [
        ("none", ""),
        ("two that are equal", "Host: a\r\nHost: a\r\n"),
        ("two that differ", "Host: a\r\nHost: b\r\n"),
        ("two in other case", "Host: a\r\nhOST: b\r\n"),
        ("the second empty", "Host: a\r\nHost:\r\n"),
        ("the first invalid", "Host: a b\r\nHost: a\r\n"),
        ("empty", "Host:\r\n"),
        ("spaces alone", "Host:  \r\n"),
        ("a comma", "Host: a,b\r\n"),
        ("a comma and a space", "Host: a, b\r\n"),
        ("a space", "Host: a b\r\n"),
        ("a tab", "Host: a\tb\r\n"),
        ("a user", "Host: u@a\r\n"),
        ("a user and a password", "Host: u:p@a\r\n"),
        ("an empty user", "Host: @a\r\n"),
        ("port 99999", "Host: a:99999\r\n"),
        ("port 65536", "Host: a:65536\r\n"),
        ("a port with a sign", "Host: a:+80\r\n"),
        ("a negative port", "Host: a:-1\r\n"),
        ("a port with letters", "Host: a:8x\r\n"),
        ("two ports", "Host: a:80:80\r\n"),
        ("a port with a user behind", "Host: a:80@b\r\n"),
        ("a port alone", "Host: :80\r\n"),
        ("a path", "Host: a/x\r\n"),
        ("a slash after", "Host: a/\r\n"),
        ("a URL", "Host: http://a\r\n"),
        ("a query", "Host: a?x\r\n"),
        ("a fragment", "Host: a#x\r\n"),
        ("a backslash", "Host: a\\b\r\n"),
        ("a broken percent sign", "Host: a%zz\r\n"),
        ("braces", "Host: a{b}\r\n"),
        ("angle brackets", "Host: <a>\r\n"),
        ("quotes", "Host: \"a\"\r\n"),
        ("a byte over 127", "Host: a\u{e4}\r\n"),
        ("a NUL", "Host: a\0b\r\n"),
        ("a bracket that is not closed", "Host: [::1\r\n"),
        ("a name in brackets", "Host: [a]\r\n"),
        ("bytes after the brackets", "Host: [::1]x\r\n"),
        ("an IPv6 address with a zone", "Host: [fe80::1%25eth0]\r\n"),
        ("an IPv6 address without brackets", "Host: ::1\r\n"),
        ("folded", "Host: a\r\n b\r\n"),
        ("a space before the colon", "Host : a\r\n"),
        ("a space before the name", " Host: a\r\n"),
        ("a bare CR", "Host: a\rX: b\r\n"),
        ("a second one after a bare LF", "Host: a\nHost: b\r\n"),
    ];
    let one = fields
        .map(|(what, fields)| (what, format!("GET /foo/x HTTP/1.1\r\n{fields}\r\n"), Refused(400)));
    check(one).await;
}

#[tokio::test]
async fn absolute_targets_do_not_replace_a_host() {
    let absolute = |target: &str, fields: &str| format!("GET {target} HTTP/1.1\r\n{fields}\r\n");
    let refused: [Case; 10] = [
        ("no Host", absolute("http://a/foo/x", ""), Refused(400)),
        ("an empty Host", absolute("http://a/foo/x", "Host:\r\n"), Refused(400)),
        ("an invalid Host", absolute("http://a/foo/x", "Host: a b\r\n"), Refused(400)),
        ("two Hosts", absolute("http://a/foo/x", "Host: a\r\nHost: b\r\n"), Refused(400)),
        ("a user", absolute("http://u@a/foo/x", "Host: a\r\n"), Refused(400)),
        ("port 99999", absolute("http://a:99999/foo/x", "Host: a\r\n"), Refused(400)),
        ("a port with letters", absolute("http://a:x/foo/x", "Host: a\r\n"), Refused(400)),
        ("braces", absolute("http://a{b}/foo/x", "Host: a\r\n"), Refused(400)),
        ("a backslash", absolute("http://a\\b/foo/x", "Host: a\r\n"), Refused(400)),
        ("a comma", absolute("http://a,b/foo/x", "Host: a\r\n"), Refused(400)),
    ];
    check(refused).await;
}

#[tokio::test]
async fn http_1_0_allows_no_two_hosts() {
    let last = Last(("GET /x HTTP/1.1", "", ""));
    let old = |fields: &str| format!("GET /foo/x HTTP/1.0\r\n{fields}\r\n");
    check([
        // A listener on loopback answers known hosts alone.
        ("none", old(""), Refused(403)),
        ("one", old("Host: a\r\n"), last),
        ("two", old("Host: a\r\nHost: a\r\n"), Refused(400)),
        ("empty", old("Host:\r\n"), Refused(400)),
        ("invalid", old("Host: a, b\r\n"), Refused(400)),
    ])
    .await;
}

#[tokio::test]
async fn the_effective_host_is_forwarded_as_x_forwarded_host() {
    let bench = Bench::start("").await;
    let own = bench.recorder.address().to_string();
    for (target, host, effective) in [
        ("/foo/x", "a", "a"),
        ("/foo/x", "  a  ", "a"),
        ("/foo/x", "Gateway.Example", "Gateway.Example"),
        ("/foo/x", "a:", "a:"),
        ("/foo/x", "a:65535", "a:65535"),
        ("/foo/x", "a:0080", "a:0080"),
        ("/foo/x", "[::1]:80", "[::1]:80"),
        ("/foo/x", "127.0.0.1:8080", "127.0.0.1:8080"),
        ("http://gateway.example/foo/x", "a", "gateway.example"),
        ("http://gateway.example:81/foo/x", "a:82", "gateway.example:81"),
        ("http://gateway.example/foo/x", "evil.example", "gateway.example"),
        ("HTTP://A/foo/x", "gateway.example", "A"),
        ("http://[::1]/foo/x", "a", "[::1]"),
    ] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        let received = bench.forwarded(&request).await;
        assert_eq!(received.line, "GET /x HTTP/1.1", "{target} {host}");
        assert_eq!(received.values("host"), [&*own], "{target} {host}");
        assert_eq!(received.values("x-forwarded-host"), [effective], "{target} {host}");
    }
    bench.stop().await;
}
