//! Tokens: valid ones of each algorithm are admitted, and no invalid one.

use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde_json::{Value, json};

use super::{
    issuer::{Issuer, JWT, SECRET, base64url, claims, now, with},
    vault::{ask, gateway, get, start, with_token},
};

struct Issuers {
    internal: Issuer,
    rsa: Issuer,
    p256: Issuer,
    ed25519: Issuer,
}

impl Issuers {
    fn new() -> Self {
        Self {
            internal: Issuer::internal(),
            rsa: Issuer::rsa(),
            p256: Issuer::p256(),
            ed25519: Issuer::ed25519(),
        }
    }

    fn settings(&self) -> String {
        let keys =
            [self.rsa.setting("rsa"), self.p256.setting("ec"), self.ed25519.setting("ed")].concat();
        format!("[auth]\ninternal_key = '{SECRET}'\n{JWT}{keys}")
    }
}

/// Returns the token with one part replaced.
fn exchange(token: &str, part: usize, by: &str) -> String {
    let mut parts: Vec<_> = token.split('.').collect();
    parts[part] = by;
    parts.join(".")
}

#[tokio::test]
async fn good_tokens_of_each_algorithm_are_admitted() {
    let issuers = Issuers::new();
    let gateway = gateway(&issuers.settings()).await;
    let Issuers { internal, rsa, p256, ed25519 } = &issuers;
    let header = |issuer: &Issuer, kid: &str| json!({ "alg": issuer.algorithm(), "kid": kid });
    let good = [
        internal.token(&claims()),
        rsa.token(&claims()),
        p256.token(&claims()),
        ed25519.token(&claims()),
        rsa.token_with(&header(rsa, "rsa"), &claims()),
        p256.token_with(&header(p256, "ec"), &claims()),
        ed25519.token_with(&header(ed25519, "ed"), &claims()),
        ed25519.token_with(&json!({ "alg": "Ed25519" }), &claims()),
        internal.token_with(&json!({ "alg": "HS256", "typ": "at+jwt", "x": 1 }), &claims()),
        internal.token_with(&json!({ "alg": "HS256", "typ": "application/AT+JWT" }), &claims()),
        internal.token(&with("aud", json!(["elsewhere", "spare"]))),
        internal.token(&with("scope", json!(["vault:read", "other"]))),
        internal.token(&with("nbf", json!(now() - 5))),
        // Within the leeway.
        internal.token(&with("nbf", json!(now() + 10))),
        internal.token(&with("exp", json!(now() - 10))),
        // RFC 7519 §2: fractions, as `time.time() + 600` yields them.
        internal.token(&with("exp", json!(now() as f64 + 600.5))),
        internal.token(
            &with("nbf", json!(now() as f64 - 5.25))
                .tap(|claims| claims["iat"] = json!(now() as f64 - 5.25)),
        ),
        internal
            .token(&with("account", json!("acme")).tap(|claims| claims["sub"] = json!("somebody"))),
    ];
    for (number, token) in good.iter().enumerate() {
        let answer = with_token(&gateway, "open", token).await;
        assert_eq!(
            (answer.status, answer.json()),
            (200, json!("acme/ada vault:read,other")),
            "{number} {answer:?}"
        );
    }
    // RFC 9110 §11.1: the scheme is case-insensitive; several spaces may follow it.
    for line in ["authorization: bearer ", "AUTHORIZATION: BEARER   ", "Authorization:Bearer "] {
        assert_eq!(
            get(&gateway, "open", &format!("{line}{}", good[0])).await.status,
            200,
            "{line}"
        );
    }
}

trait Tap: Sized {
    fn tap(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

impl Tap for Value {}

/// Returns invalid tokens, each with the reason.
fn bad_tokens(issuers: &Issuers) -> Vec<(String, String)> {
    let Issuers { internal, rsa, p256, ed25519 } = issuers;
    let good = internal.token(&claims());
    let signed_by_rsa = rsa.token(&claims());
    let hs256 = |issuer: &Issuer| issuer.token_with(&json!({ "alg": "HS256" }), &claims());
    let pem = rsa.pem();
    let jwk = rsa.jwk(None).to_string();
    let other = Issuer::other_rsa();
    let header = |header: Value| internal.token_with(&header, &claims());
    let unsigned = |algorithm: &str| {
        let head = json!({ "typ": "JWT", "alg": algorithm }).to_string();
        format!("{}.{}.", base64url(head), base64url(claims().to_string()))
    };
    let mut bad: Vec<(&str, String)> = vec![
        ("a public key in PEM as the secret", hs256(&Issuer::Secret(pem.clone().into()))),
        ("the same without the last line's end", hs256(&Issuer::Secret(pem.trim_end().into()))),
        ("a JSON Web Key as the secret", hs256(&Issuer::Secret(jwk.into()))),
        ("an empty secret", hs256(&Issuer::Secret(Vec::new()))),
        ("another secret", hs256(&Issuer::Secret("another-internal-key-0123456789abcdef".into()))),
        ("RSA said to be HMAC", rsa.token_with(&json!({ "alg": "HS256" }), &claims())),
        ("HMAC said to be RSA", header(json!({ "alg": "RS256" }))),
        ("P-256 said to be Ed25519", p256.token_with(&json!({ "alg": "EdDSA" }), &claims())),
        ("Ed25519 said to be P-256", ed25519.token_with(&json!({ "alg": "ES256" }), &claims())),
        ("another RSA key", other.token(&claims())),
        (
            "another RSA key under our name",
            other.token_with(&json!({ "alg": "RS256", "kid": "rsa" }), &claims()),
        ),
        ("another P-256 key", Issuer::p256().token(&claims())),
        ("another Ed25519 key", Issuer::ed25519().token(&claims())),
        ("RS384", rsa.token_with(&json!({ "alg": "RS384" }), &claims())),
        ("PS256", rsa.token_with(&json!({ "alg": "PS256" }), &claims())),
        ("HS512", header(json!({ "alg": "HS512" }))),
        ("an algorithm in other letters", header(json!({ "alg": "hs256" }))),
        ("no algorithm", header(json!({ "typ": "JWT" }))),
        ("a number as the algorithm", header(json!({ "alg": 256 }))),
        ("a list of algorithms", header(json!({ "alg": ["none", "HS256"] }))),
        (
            "a key of another name",
            rsa.token_with(&json!({ "alg": "RS256", "kid": "gone" }), &claims()),
        ),
        (
            "a name of a key of another kind",
            rsa.token_with(&json!({ "alg": "RS256", "kid": "ec" }), &claims()),
        ),
        (
            "a file as the key's name",
            other.token_with(&json!({ "alg": "RS256", "kid": "../../dev/null" }), &claims()),
        ),
        (
            "SQL as the key's name",
            other.token_with(&json!({ "alg": "RS256", "kid": "x' UNION SELECT 'k" }), &claims()),
        ),
        ("a number as the key's name", header(json!({ "alg": "HS256", "kid": 1 }))),
        (
            "its own key inside",
            other.token_with(&json!({ "alg": "RS256", "jwk": other.jwk(None) }), &claims()),
        ),
        (
            "an address of its own keys",
            other.token_with(&json!({ "alg": "RS256", "jku": "http://127.0.0.1:1/" }), &claims()),
        ),
        ("another type", header(json!({ "alg": "HS256", "typ": "secevent+jwt" }))),
        ("the type of a logout", header(json!({ "alg": "HS256", "typ": "logout+jwt" }))),
        ("extensions", header(json!({ "alg": "HS256", "crit": ["b64"], "b64": false }))),
        ("an empty list of extensions", header(json!({ "alg": "HS256", "crit": [] }))),
        ("two algorithms", internal.sign(r#"{"alg":"none","alg":"HS256"}"#, &claims().to_string())),
        (
            "two names of keys",
            internal.sign(r#"{"alg":"HS256","kid":"a","kid":"b"}"#, &claims().to_string()),
        ),
        ("a header that is no object", internal.sign("\"HS256\"", &claims().to_string())),
        ("a header that is no JSON", internal.sign("{", &claims().to_string())),
        (
            "something after the header",
            internal.sign(r#"{"alg":"HS256"}{}"#, &claims().to_string()),
        ),
        ("an end that was", internal.token(&with("exp", json!(now() - 60)))),
        ("an end long ago", internal.token(&with("exp", json!(1)))),
        ("no end", internal.token(&with("exp", Value::Null))),
        (
            "an end that is null",
            internal.sign(
                r#"{"alg":"HS256"}"#,
                &claims().to_string().replace("\"exp\":", "\"exp\":null,\"x\":"),
            ),
        ),
        ("an end that is a text", internal.token(&with("exp", json!((now() + 600).to_string())))),
        ("a negative end", internal.token(&with("exp", json!(-1)))),
        (
            "an end that was, with a fraction",
            internal.token(&with("exp", json!(now() as f64 - 60.5))),
        ),
        ("an end beyond all times", internal.token(&with("exp", json!(u64::MAX)))),
        ("an end in milliseconds", internal.token(&with("exp", json!((now() + 600) * 1000)))),
        (
            "an end that is infinite",
            internal.sign(
                r#"{"alg":"HS256"}"#,
                &claims().to_string().replace("\"exp\":", "\"exp\":1e999,\"x\":"),
            ),
        ),
        ("an end that is true", internal.token(&with("exp", json!(true)))),
        (
            "two ends",
            internal.sign(
                r#"{"alg":"HS256"}"#,
                &claims().to_string().replace("\"exp\":", "\"exp\":1,\"exp\":"),
            ),
        ),
        (
            "two subjects",
            internal.sign(
                r#"{"alg":"HS256"}"#,
                &claims().to_string().replace("\"sub\":", "\"sub\":\"other\",\"sub\":"),
            ),
        ),
        ("a beginning to come", internal.token(&with("nbf", json!(now() + 300)))),
        ("a beginning that is a text", internal.token(&with("nbf", json!("0")))),
        ("another audience", internal.token(&with("aud", json!("elsewhere")))),
        ("other audiences", internal.token(&with("aud", json!(["elsewhere", "gateway2"])))),
        ("no audience", internal.token(&with("aud", Value::Null))),
        ("an empty list of audiences", internal.token(&with("aud", json!([])))),
        ("an audience that is an object", internal.token(&with("aud", json!({ "gateway": 1 })))),
        ("a number among the audiences", internal.token(&with("aud", json!(["gateway", 1])))),
        ("another issuer", internal.token(&with("iss", json!("https://issuer.test.evil")))),
        ("no issuer", internal.token(&with("iss", Value::Null))),
        ("a list of issuers", internal.token(&with("iss", json!(["https://issuer.test"])))),
        ("no account", internal.token(&with("sub", Value::Null))),
        ("an empty account", internal.token(&with("sub", json!("")))),
        ("a number as the account", internal.token(&with("sub", json!(7)))),
        ("an account with a line's end", internal.token(&with("sub", json!("acme\nadmin")))),
        ("an account without end", internal.token(&with("sub", json!("a".repeat(300))))),
        (
            "an account that is none, beside a subject",
            internal.token(&with("account", json!(["acme"]))),
        ),
        ("a user that is none", internal.token(&with("user", json!(1)))),
        ("scopes that are none", internal.token(&with("scope", json!(1)))),
        ("a number among the scopes", internal.token(&with("scope", json!(["vault:read", 1])))),
        ("claims that are a list", internal.sign(r#"{"alg":"HS256"}"#, "[]")),
        ("claims that are no JSON", internal.sign(r#"{"alg":"HS256"}"#, "exp=9999999999")),
        ("claims that go on", internal.sign(r#"{"alg":"HS256"}"#, &format!("{}{{}}", claims()))),
        (
            "other claims than were signed",
            exchange(&good, 1, &base64url(with("sub", json!("root")).to_string())),
        ),
        (
            "another header than was signed",
            exchange(&signed_by_rsa, 0, &base64url(r#"{"alg":"RS256"}"#)),
        ),
        (
            "the signature of another token",
            exchange(
                &good,
                2,
                internal.token(&with("sub", json!("b"))).rsplit('.').next().unwrap(),
            ),
        ),
        ("a stripped signature", exchange(&good, 2, "")),
        ("half a signature", good[..good.len() - 20].to_owned()),
        ("one letter less", good[..good.len() - 1].to_owned()),
        ("padding", format!("{good}=")),
        ("no signature at all", good.rsplit_once('.').unwrap().0.to_owned()),
        ("a fourth part", format!("{good}.e30")),
        ("five parts, as an encrypted token has", "e30.e30.e30.e30.e30".to_owned()),
        ("an empty header", exchange(&good, 0, "")),
        ("empty claims", exchange(&good, 1, "")),
        ("points alone", "..".to_owned()),
        ("one point", ".".to_owned()),
        ("letters that base64url has not", exchange(&good, 2, "++//")),
        ("garbage", "not-a-token".to_owned()),
        ("two tokens", format!("{good}, {good}")),
        ("two tokens and a scheme", format!("{good},Bearer {good}")),
        ("a space inside", good.replacen('.', ". ", 1)),
        ("a huge signature", exchange(&good, 2, &"A".repeat(9000))),
        ("huge claims", internal.token(&with("x", json!("x".repeat(9000))))),
        (
            "claims within claims",
            internal
                .sign(r#"{"alg":"HS256"}"#, &format!("{}{}", "[".repeat(2000), "]".repeat(2000))),
        ),
    ];
    for zero in [vec![0; 64], vec![0; 63], [&[0; 32][..], &[1; 32]].concat()] {
        bad.push((
            "an ES256 signature of nothings",
            exchange(&p256.token(&claims()), 2, &base64url(zero)),
        ));
    }
    let mut bad: Vec<_> = bad.into_iter().map(|(what, token)| (what.to_owned(), token)).collect();
    for none in ["none", "None", "NONE", "nOnE", "none ", " none", "", "null", "n\u{43e}ne"] {
        bad.push((format!("the algorithm {none:?}"), unsigned(none)));
        bad.push((
            format!("the algorithm {none:?} with a signature"),
            header(json!({ "alg": none })),
        ));
    }
    bad
}

#[tokio::test]
async fn no_bad_token_is_admitted_or_ignored() {
    let issuers = Issuers::new();
    let gateway = gateway(&issuers.settings()).await;
    let bad = bad_tokens(&issuers);
    assert!(bad.len() > 100, "{}", bad.len());
    for (what, token) in &bad {
        for method in ["open", "look", "silent", "read"] {
            let answer = with_token(&gateway, method, token).await;
            assert_eq!(answer.status, 401, "{what}: {answer:?}");
            assert_eq!(answer.json()["code"], "unauthenticated", "{what}");
            assert_eq!(
                answer.header("www-authenticate"),
                Some("Bearer error=\"invalid_token\""),
                "{what}"
            );
            let is_part_told =
                token.split('.').any(|part| part.len() > 8 && answer.body.contains(part));
            assert!(!is_part_told, "{what}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn header_fields_that_could_be_read_in_two_ways_are_refused() {
    let gateway = gateway(&Issuers::new().settings()).await;
    let good = Issuer::internal().token(&claims());
    let lines = [
        format!("Authorization: Bearer {good}\nAuthorization: Bearer {good}"),
        format!("Authorization: Basic YTpi\nAuthorization: Bearer {good}"),
        format!("Authorization: Bearer {good}\nAuthorization:"),
        "Authorization:".to_owned(),
        "Authorization: Bearer".to_owned(),
        "Authorization: Bearer ".to_owned(),
        "Authorization: Basic YTpi".to_owned(),
        format!("Authorization: {good}"),
        format!("Authorization: Bearer\t{good}"),
        format!("Authorization: Bearer{good}"),
        format!("Authorization: Token {good}"),
        format!("Authorization: \"Bearer {good}\""),
        format!("Authorization: Bearer \u{e9}{good}"),
        // This gateway has no API keys.
        "X-Api-Key: gk_abc_0123456789abcdef".to_owned(),
        format!("Authorization: Bearer {good}\nX-Api-Key: gk_abc_0123456789abcdef"),
    ];
    for line in lines {
        for method in ["open", "look"] {
            assert_eq!(get(&gateway, method, &line).await.status, 401, "{line}");
        }
    }
    // A token outside of `Authorization` is ignored.
    let address =
        format!("GET /services/vault/v1/open?access_token={good} HTTP/1.1\nCookie: token={good}");
    assert_eq!(ask(gateway.address(), &address, "").await.status, 401);
}

#[tokio::test]
async fn a_token_for_others_is_refused_by_a_gateway_without_an_audience() {
    let gateway = gateway(&format!("auth.internal_key = '{SECRET}'")).await;
    let internal = Issuer::internal();
    assert_eq!(
        with_token(&gateway, "open", &internal.token(&with("aud", json!("elsewhere"))))
            .await
            .status,
        401
    );
    assert_eq!(
        with_token(&gateway, "open", &internal.token(&with("aud", Value::Null))).await.status,
        200
    );
}

#[tokio::test]
async fn claims_have_the_names_that_are_configured() {
    let claimed = "account_claim = 'tenant'\nuser_claim = 'email'\nscope_claim = 'scp'\n";
    let gateway = gateway(&format!("auth.internal_key = '{SECRET}'\n{JWT}{claimed}")).await;
    let named = with("tenant", json!("blue")).tap(|claims| {
        claims["email"] = json!("a@b.c");
        claims["scp"] = json!(["one"]);
    });
    let internal = Issuer::internal();
    let answer = with_token(&gateway, "open", &internal.token(&named)).await;
    assert_eq!(answer.json(), json!("blue/a@b.c one"));
    // The subject is not the account where another claim is configured for it.
    assert_eq!(with_token(&gateway, "open", &internal.token(&claims())).await.status, 401);
}

#[tokio::test]
async fn invalid_keys_are_explained_at_start() {
    let rsa = Issuer::rsa();
    let private = include_str!("rsa_ours.pem");
    let jwk = |change: &dyn Fn(&mut Value)| rsa.jwk(None).tap(|jwk| change(jwk)).to_string();
    let key = |text: &str| format!("[[auth.jwt.keys]]\nkey = '''{text}'''");
    let short = key(include_str!("rsa_short_public.pem"));
    let problems = [
        ("auth.internal_key = 'short'".to_owned(), "at least 32 bytes"),
        (key(private), "BEGIN PUBLIC KEY"),
        (key("nonsense"), "BEGIN PUBLIC KEY"),
        (key("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"), "not a public key"),
        (short, "2048"),
        (key("{}"), "JSON Web Key"),
        (key(&Issuer::internal().jwk(None).to_string()), "neither an RSA"),
        (key(&jwk(&|jwk| jwk["d"] = json!("AQAB"))), "private key"),
        (key(&jwk(&|jwk| jwk["use"] = json!("enc"))), "not for verifying signatures"),
        (key(&jwk(&|jwk| jwk["alg"] = json!("RS512"))), "another algorithm"),
        (key(&jwk(&|jwk| jwk["n"] = json!("AQAB"))), "2048"),
        (key(&jwk(&|jwk| jwk["n"] = json!("+"))), "base64url"),
        (r#"[[auth.jwt.keys]]"#.to_owned(), "exactly one of `key` and `file` must be set"),
        ("[[auth.jwt.keys]]\nfile = '/nowhere/at/all'".to_owned(), "/nowhere/at/all"),
        ("auth.jwt.jwks_url = 'http://keys.example.com/'".to_owned(), "https"),
        ("auth.jwt.jwks_url = 'https://user:pw@keys.example.com/'".to_owned(), "without a user"),
        ("auth.jwt.audiences = []".to_owned(), "audience"),
        ("auth.internal_keys = ''".to_owned(), "internal_key"),
        ("[auth.keys.a]\nhash = '00'\naccount = 'a'".to_owned(), "SHA-256"),
        (format!("[auth.keys.a_b]\nhash = '{}'\naccount = 'a'", "0".repeat(64)), "letters, digits"),
    ];
    for (settings, expected) in problems {
        let problem = start(&settings).await.unwrap_err().to_string();
        assert!(problem.contains(expected) && problem.contains("auth"), "{settings}: {problem}");
        assert!(!problem.contains("MIIE"), "{problem}");
    }
}

#[tokio::test]
async fn token_is_refused_when_any_byte_is_changed() {
    let issuers = Issuers::new();
    let gateway = gateway(&issuers.settings()).await;
    let mut runner = TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(150)
    });
    let tokens = [&issuers.internal, &issuers.rsa, &issuers.p256, &issuers.ed25519]
        .map(|issuer| issuer.token(&claims()));
    let changed = (0..4_usize, any::<prop::sample::Index>(), "[A-Za-z0-9_.-]");
    for _ in 0..150 {
        let (which, place, letter) = changed.new_tree(&mut runner).unwrap().current();
        let token = &tokens[which];
        let at = place.index(token.len());
        let changed = format!("{}{letter}{}", &token[..at], &token[at + 1..]);
        let expected = if changed == *token { 200 } else { 401 };
        assert_eq!(with_token(&gateway, "open", &changed).await.status, expected, "{changed}");
    }
}
