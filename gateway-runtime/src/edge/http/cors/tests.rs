use super::*;

fn cors(settings: &str) -> Result<Option<Cors>, StartError> {
    Cors::new(&toml::from_str(settings).unwrap())
}

fn decorated(rules: &Cors, origin: Option<&'static str>) -> HeaderMap {
    let mut fields = HeaderMap::new();
    rules.decorate(origin.map(HeaderValue::from_static).as_ref(), &mut fields);
    fields
}

const APP: &str = "https://app.example.com";

#[test]
fn invalid_settings_are_all_reported_at_once() {
    assert!(cors("").unwrap().is_none());
    let error = cors(
        "origins = ['*', 'app.example.com', 'https://a/x', 'https://A']\nheaders = ['x y']\n\
         credentials = true",
    )
    .unwrap_err();
    assert_eq!(error.problems().len(), 5, "{error}");
    assert!(cors("origins = ['http://localhost:3000', 'null', 'capacitor://localhost']").is_ok());
}

#[test]
fn decorate_allows_listed_origins_only() {
    let rules = cors("origins = ['https://app.example.com']\ncredentials = true").unwrap().unwrap();
    let fields = decorated(&rules, Some(APP));
    assert_eq!(fields[ACCESS_CONTROL_ALLOW_ORIGIN], APP);
    assert_eq!(
        (&fields[ACCESS_CONTROL_ALLOW_CREDENTIALS], &fields[VARY]),
        (&"true".parse().unwrap(), &"origin".parse().unwrap())
    );
    for other in [
        Some("https://app.example.com.evil.example"),
        Some("http://app.example.com"),
        Some("null"),
        None,
    ] {
        let fields = decorated(&rules, other);
        assert_eq!((fields.len(), &fields[VARY]), (1, &"origin".parse().unwrap()), "{other:?}");
    }
    let any = cors("origins = ['*']").unwrap().unwrap();
    let fields = decorated(&any, Some("null"));
    assert_eq!(fields[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    assert!(!fields.contains_key(VARY) && !fields.contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS));
}

#[test]
fn preflight_response_lists_methods_and_headers_for_allowed_origins() {
    let rules =
        cors("origins = ['https://app.example.com']\nheaders = ['X-Test']\nmax_age = '1min'")
            .unwrap()
            .unwrap();
    let mut headers = HeaderMap::from_iter([(ORIGIN, HeaderValue::from_static(APP))]);
    assert!(rules.preflight(&Method::OPTIONS, &headers, "POST").is_none(), "that asks for `Allow`");
    headers.insert(ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static("POST"));
    assert!(rules.preflight(&Method::POST, &headers, "POST").is_none());
    let response = rules.preflight(&Method::OPTIONS, &headers, "POST, OPTIONS").unwrap();
    let field = |name: HeaderName| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(field(ACCESS_CONTROL_ALLOW_ORIGIN), APP);
    assert_eq!(field(ACCESS_CONTROL_ALLOW_METHODS), "POST, OPTIONS");
    assert_eq!(
        (field(ACCESS_CONTROL_ALLOW_HEADERS), field(ACCESS_CONTROL_MAX_AGE)),
        ("x-test".into(), "60".into())
    );
    headers.insert(ORIGIN, HeaderValue::from_static("https://evil.example"));
    let refused = rules.preflight(&Method::OPTIONS, &headers, "POST, OPTIONS").unwrap();
    assert_eq!(refused.headers().len(), 1);
}
