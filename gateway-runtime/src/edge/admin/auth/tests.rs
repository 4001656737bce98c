use http::{HeaderName, HeaderValue, Request};

use super::*;

fn headers(fields: &[(HeaderName, &'static str)]) -> HeaderMap {
    fields.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
}

fn authenticator(settings: &str) -> OperatorAuth {
    OperatorAuth::new(&toml::from_str(settings).unwrap()).unwrap()
}

#[test]
fn operators_are_known_by_their_tokens() {
    let authenticator =
        authenticator("token = 'of-the-operator-0'\ntokens = { alice = 'of-alice-11111111' }");
    let name = |value| {
        authenticator
            .admit(&headers(&[(header::AUTHORIZATION, value)]))
            .map(|it| it.name.to_string())
    };
    assert_eq!(name("Bearer of-the-operator-0").unwrap(), "admin");
    assert_eq!(name("bearer  of-alice-11111111").unwrap(), "alice");
    for bad in [
        "Bearer of-alice-1111111",
        "Bearer",
        "Bearer ",
        "of-alice-11111111",
        "Basic of-alice-11111111",
        "",
    ] {
        assert_eq!(name(bad).unwrap_err().code(), Code::UNAUTHENTICATED, "{bad}");
    }
    let twice =
        [(header::AUTHORIZATION, "Bearer of-the-operator-0"), (header::AUTHORIZATION, "Bearer x")];
    let mut map = HeaderMap::new();
    for (name, value) in twice {
        map.append(name, HeaderValue::from_static(value));
    }
    assert!(authenticator.admit(&map).is_err());
    assert!(authenticator.admit(&HeaderMap::new()).is_err());
}

#[test]
fn without_tokens_only_programs_of_this_machine_are_let_in() {
    let check = |hosts: &[&str], target: &str, origin: Option<&str>| {
        let mut request = Request::get(target);
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        let head = request.body(()).unwrap().into_parts().0;
        authenticator("").check_host(&head).map_err(|error| error.code())
    };
    for here in ["127.0.0.1:9090", "[::1]:9090", "localhost", "LOCALHOST:1"] {
        assert_eq!(check(&[here], "/", None), Ok(()), "{here}");
        assert_eq!(
            check(&[here], "/", Some("https://evil.example")),
            Err(Code::FORBIDDEN),
            "{here}"
        );
    }
    for elsewhere in [
        "evil.example",
        "evil.example:9090",
        "10.0.0.1:9090",
        "localhost.evil.example",
        "a{b}.evil.example:9090",
        "evil.example:1:2",
        "evil.example, localhost",
        "localhost, evil.example",
        "localhost:x",
        "u@localhost",
        "[::1",
        "",
        " ",
    ] {
        assert_eq!(check(&[elsewhere], "/", None), Err(Code::FORBIDDEN), "{elsewhere}");
    }
    assert_eq!(check(&[], "/", None), Err(Code::FORBIDDEN));
    assert_eq!(check(&["localhost", "evil.example"], "/", None), Err(Code::FORBIDDEN));
    assert_eq!(check(&["localhost"], "http://evil.example/", None), Err(Code::FORBIDDEN));
    assert_eq!(
        check(&["evil.example"], "http://localhost/", None),
        Ok(()),
        "RFC 9112 §3.2.2: the target wins"
    );
    let locked = authenticator("token = 'of-the-operator-0'");
    let head =
        Request::get("/").header(header::HOST, "gateway.example").body(()).unwrap().into_parts().0;
    assert!(locked.check_host(&head).is_ok());
}
