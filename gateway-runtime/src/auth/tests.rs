//! Authentication of arbitrary bytes: no panic, and no admission by chance.

use std::{collections::HashSet, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use serde_json::json;

use crate::{
    auth::{
        AuthSettings, Authenticator, Identity, JwtSettings, NewApiKey,
        api_key::PresentedKey,
        claims::ClaimRules,
        verification_key::{Jwk, VerificationKey},
    },
    base::{error::Code, secret::Secret},
};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn authenticator() -> Arc<Authenticator> {
    let settings =
        AuthSettings { internal_key: Some(Secret::new(SECRET)), ..AuthSettings::default() };
    let built = Authenticator::new(&settings, Vec::new(), || panic!("nothing is to be fetched"));
    Arc::new(built.unwrap().unwrap())
}

fn is_refused(headers: &HeaderMap) -> bool {
    authenticator()
        .identify(headers)
        .err()
        .is_some_and(|error| error.code() == Code::UNAUTHENTICATED)
}

fn signed(header: &[u8], claims: &[u8]) -> String {
    let message = format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(claims));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes());
    let signature = ring::hmac::sign(&key, message.as_bytes());
    format!("{message}.{}", BASE64URL.encode(signature))
}

fn bearer(token: &str) -> HeaderMap {
    HeaderMap::from_iter([(
        http::header::AUTHORIZATION,
        HeaderValue::try_from(format!("Bearer {token}")).unwrap(),
    )])
}

fn rules() -> ClaimRules {
    ClaimRules::new(&JwtSettings::default())
}

#[test]
fn without_settings_there_is_no_authenticator() {
    let none = Authenticator::new(&AuthSettings::default(), Vec::new(), || {
        panic!("nothing is to be fetched")
    });
    assert!(none.unwrap().is_none());
}

#[test]
fn the_example_of_rfc_7515_is_signed_as_it_says() {
    // Appendix A.1 (HS256) and A.3 (ES256); RFC 8037 A.4 (EdDSA).
    let jwk = |json: serde_json::Value| {
        VerificationKey::from_jwk(&serde_json::from_value::<Jwk>(json).unwrap()).unwrap()
    };
    let p256 = jwk(json!({
        "kty": "EC",
        "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    }));
    let message = b"eyJhbGciOiJFUzI1NiJ9.\
        eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0\
        cnVlfQ";
    let signature =
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    assert!(p256.verify(message, &BASE64URL.decode(signature).unwrap()));
    assert!(!p256.verify(b"something else", &BASE64URL.decode(signature).unwrap()));

    let ed25519 = jwk(json!({
        "kty": "OKP",
        "crv": "Ed25519",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    }));
    let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let signature =
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    assert!(ed25519.verify(message, &BASE64URL.decode(signature).unwrap()));
}

#[test]
fn times_have_sharp_ends() {
    let rules = rules();
    let at = |claims: serde_json::Value, millis| {
        rules.caller(claims.to_string().as_bytes(), Duration::from_millis(millis)).is_ok()
    };
    // With a leeway of 30 s.
    let ending = || json!({ "sub": "a", "exp": 1000 });
    assert!(at(ending(), 1_029_999) && !at(ending(), 1_030_000));
    let beginning = || json!({ "sub": "a", "exp": 9000, "nbf": 1000 });
    assert!(at(beginning(), 970_000) && !at(beginning(), 969_999));
    // RFC 7519 §2: fractions count.
    for exp in [json!(1000.5), json!(1.0005e3)] {
        let ending = || json!({ "sub": "a", "exp": exp, "iat": 999.25 });
        assert!(at(ending(), 1_030_499) && !at(ending(), 1_030_500), "{exp}");
    }
    let beginning = || json!({ "sub": "a", "exp": 9000.75, "nbf": 1000.25, "iat": 1000.25 });
    assert!(at(beginning(), 970_250) && !at(beginning(), 970_249));
    let now = 1_893_456_000_123_u64;
    let ending = || json!({ "sub": "a", "exp": 1_893_455_970.125 });
    assert!(at(ending(), now) && !at(ending(), now + 2));
}

#[test]
fn generated_keys_differ_and_are_keys() {
    let keys: Vec<_> = (0..100).map(|_| NewApiKey::generate().unwrap()).collect();
    assert_eq!(keys.iter().map(|key| key.key.expose()).collect::<HashSet<_>>().len(), 100);
    assert_eq!(keys.iter().map(|key| &key.id).collect::<HashSet<_>>().len(), 100);
    assert!(keys.iter().all(|key| PresentedKey::parse(key.key.expose()).is_ok()));
}

#[test]
fn a_good_token_is_admitted_here() {
    let claims = json!({ "sub": "acme", "exp": 4_000_000_000_u64 }).to_string();
    let token = signed(br#"{"alg":"HS256"}"#, claims.as_bytes());
    let Ok(Identity::Known(caller)) = authenticator().identify(&bearer(&token)) else {
        panic!("not admitted")
    };
    assert_eq!(caller.account(), Some("acme"));
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(2000)
    })]

    #[test]
    fn arbitrary_header_fields_are_rejected(
        name in prop_oneof![Just("authorization"), Just("x-api-key")],
        scheme in prop::sample::select(vec!["", "Bearer ", "Bearer e30.", "gk_a_"]),
        rest in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        if let Ok(value) = HeaderValue::from_bytes(&[scheme.as_bytes(), &rest].concat()) {
            let headers = HeaderMap::from_iter([(HeaderName::from_static(name), value)]);
            prop_assert!(is_refused(&headers));
        }
    }

    #[test]
    fn parts_that_are_no_token_are_refused_also_when_they_are_signed(
        header in prop_oneof![
            Just(br#"{"alg":"HS256"}"#.to_vec()),
            prop::collection::vec(any::<u8>(), 0..40),
            r#"\{"(alg|kid|typ|crit)":("HS256"|"none"|null|1|\[\])\}"#.prop_map(String::into_bytes),
        ],
        claims in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..60),
            r#"\{"(exp|sub|aud|nbf)":("a"|null|4000000000|-1|1e9|\[\]|\{\})\}"#
                .prop_map(String::into_bytes),
        ],
    ) {
        prop_assert!(is_refused(&bearer(&signed(&header, &claims))));
    }

    #[test]
    fn who_is_admitted_has_an_account_and_an_end(
        exp in prop_oneof![
            any::<i64>().prop_map(|n| json!(n)),
            any::<f64>().prop_map(|n| json!(n)),
            Just(json!("1")),
        ],
        sub in prop_oneof![
            any::<String>().prop_map(|s| json!(s)),
            any::<i32>().prop_map(|n| json!(n)),
        ],
        scope in prop_oneof![
            any::<String>().prop_map(|s| json!(s)),
            prop::collection::vec(any::<String>(), 0..3).prop_map(|l| json!(l)),
        ],
        now in 0..4_000_000_000_u64,
    ) {
        let claims = json!({ "exp": exp, "sub": sub, "scope": scope }).to_string();
        if let Ok(caller) = rules().caller(claims.as_bytes(), Duration::from_secs(now)) {
            prop_assert_eq!(caller.account(), sub.as_str());
            prop_assert!(caller.account().is_some_and(|it| (1..=255).contains(&it.len())));
            prop_assert!(exp.as_f64().is_some_and(|exp| exp + 30.0 > now as f64));
        }
    }

    #[test]
    fn configured_key_is_parsed_or_explained(text in "\\PC{0,60}", kid in any::<Option<String>>()) {
        prop_assert!(VerificationKey::public(&text, kid.as_deref()).is_err());
    }
}
