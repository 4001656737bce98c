//! Authorities that are read alike by every program, and those that are not.

use http::HeaderValue;
use proptest::prelude::*;

use super::*;

/// Texts that are never read as a host, whatever is configured.
const BAD: &[&str] = &[
    "",
    ":80",
    "a/x",
    "u@a",
    "@a",
    "a b",
    " a",
    "a, b",
    "a,b",
    "a:8x",
    "a:1:2",
    "a:-1",
    "a:+1",
    "a:65536",
    "[::1",
    "::1",
    "[::1]x",
    "[::1]]",
    "[]",
    "[::g]",
    "[127.0.0.1]",
    "[v1.a]",
    "a[::1]",
    "a{b}",
    "a%",
    "a%4",
    "a%zz",
    "a?",
    "a#",
    "a\\b",
    "a\"b",
    "a<b>",
    "a|b",
    "a^b",
    "a`b",
    "ä",
    "localhost\0",
];

fn effective(
    version: Version,
    uri: &str,
    hosts: &[&str],
) -> Result<Option<String>, AuthorityError> {
    let mut headers = HeaderMap::new();
    for host in hosts {
        headers.append(HOST, HeaderValue::from_bytes(host.as_bytes()).unwrap());
    }
    let uri = uri.parse().unwrap();
    Ok(Authority::effective(version, &uri, &headers)?.map(|authority| authority.host().to_owned()))
}

#[test]
fn authority_is_a_host_and_a_port() {
    for (text, host, port) in [
        ("a", "a", None),
        ("a:", "a", None),
        ("EXAMPLE.com:8080", "EXAMPLE.com", Some(8080)),
        ("127.0.0.1:65535", "127.0.0.1", Some(65535)),
        ("[::1]:80", "[::1]", Some(80)),
        ("[2001:db8::1]", "[2001:db8::1]", None),
        ("my_service.ns.svc:00080", "my_service.ns.svc", Some(80)),
        ("a%41b", "a%41b", None),
    ] {
        assert_eq!(Authority::parse(text.as_bytes()), Ok(Authority { host, port }), "{text}");
    }
    for bad in BAD {
        assert!(Authority::parse(bad.as_bytes()).is_err(), "{bad}");
    }
    assert!(Authority::parse(b"a\xff").is_err());
}

#[test]
fn only_names_and_addresses_of_this_machine_are_loopback() {
    let is_loopback = |text: &str| Authority::parse(text.as_bytes()).unwrap().is_loopback();
    for here in
        ["localhost", "LOCALHOST:1", "app.localhost", "127.0.0.1", "127.9.9.9:80", "[::1]:9090"]
    {
        assert!(is_loopback(here), "{here}");
    }
    for elsewhere in [
        "evil.example",
        "localhost.evil.example",
        "evillocalhost",
        "10.0.0.1",
        "[::2]",
        "[::]",
        "0.0.0.0",
        "127.1",
        "0177.0.0.1",
        "localhost.",
        "localhos%74",
        "2130706433",
    ] {
        assert!(!is_loopback(elsewhere), "{elsewhere}");
    }
}

#[test]
fn target_wins_over_host() {
    let host = |text: &str| Ok(Some(text.to_owned()));
    assert_eq!(effective(Version::HTTP_11, "/", &["localhost"]), host("localhost"));
    assert_eq!(
        effective(Version::HTTP_11, "http://evil.example/", &["localhost"]),
        host("evil.example")
    );
    assert_eq!(effective(Version::HTTP_2, "http://evil.example/", &[]), host("evil.example"));
    assert_eq!(effective(Version::HTTP_2, "/", &["localhost"]), host("localhost"));
    assert_eq!(
        effective(Version::HTTP_2, "http://A.example/", &["a.example:80"]),
        host("A.example")
    );
    assert_eq!(effective(Version::HTTP_10, "/", &[]), Ok(None));
    for (version, uri, hosts) in [
        (Version::HTTP_11, "/", &[][..]),
        (Version::HTTP_11, "http://a/", &[]),
        (Version::HTTP_11, "/", &["a", "a"]),
        (Version::HTTP_11, "/", &["a, b"]),
        (Version::HTTP_11, "http://u@a/", &["a"]),
        (Version::HTTP_11, "http://a/", &["a b"]),
        (Version::HTTP_10, "/", &["a/x"]),
        (Version::HTTP_10, "/", &["a", "b"]),
        (Version::HTTP_2, "/", &[]),
        (Version::HTTP_2, "http://u@a/", &[]),
        (Version::HTTP_2, "http://a/", &["b"]),
        (Version::HTTP_2, "https://a/", &["a:80"]),
        (Version::HTTP_2, "http://a/", &["a", "a"]),
    ] {
        assert!(effective(version, uri, hosts).is_err(), "{version:?} {uri} {hosts:?}");
    }
}

proptest! {
    #[test]
    fn parsed_authority_satisfies_the_lax_parser_too(
        text in "[ -~]{0,12}|[a-z.:0-9\\[\\]@%,]{0,12}",
    ) {
        if let Ok(strict) = Authority::parse(text.as_bytes()) {
            // `http` refuses the percent-encoded names of RFC 3986 §3.2.2.
            prop_assume!(!text.contains('%'));
            let lax: http::uri::Authority = text.parse().unwrap();
            prop_assert_eq!(strict.host(), lax.host());
            prop_assert_eq!(strict.port, lax.port_u16());
        }
    }
}
