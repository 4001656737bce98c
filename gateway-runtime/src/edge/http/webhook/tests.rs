use super::*;

// The example of the Standard Webhooks specification and its reference libraries.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const TIME: u64 = 1_614_265_330;
const BODY: &[u8] = b"{\"test\": 2432232314}";
const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

fn key() -> WebhookKey {
    WebhookKey::new(&Secret::new(SECRET)).unwrap()
}

fn signed(id: &str, time: &str, signature: &str) -> HeaderMap {
    let fields =
        [("webhook-id", id), ("webhook-timestamp", time), ("webhook-signature", signature)];
    fields
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .into_iter()
        .collect()
}

/// Returns the reason for which a request is refused, as the log has it.
fn why(headers: &HeaderMap, body: &[u8], now: u64) -> Option<String> {
    let error = key().verify(headers, body, now, &ReplayGuard::default()).err()?;
    assert_eq!(error.code(), Code::UNAUTHENTICATED);
    assert_eq!(error.detail(), refused("").detail());
    Some(error.log_message().unwrap().to_owned())
}

#[test]
fn signatures_are_those_of_the_standard() {
    assert_eq!(key().sign(ID, TIME, BODY), SIGNATURE);
    assert_eq!(why(&signed(ID, &TIME.to_string(), SIGNATURE), BODY, TIME), None);
}

#[test]
fn secret_without_the_prefix_is_used_as_raw_bytes() {
    // RFC 4231, test case 2, has the same key and another message; this test shows that the
    // bytes are not decoded.
    let raw = WebhookKey::new(&Secret::new("Jefe, Jefe, Jefe, Jefe, Jefe")).unwrap();
    let encoded =
        WebhookKey::new(&Secret::new("whsec_SmVmZSwgSmVmZSwgSmVmZSwgSmVmZSwgSmVmZQ==")).unwrap();
    assert_eq!(raw.sign("a", 1, b"b"), encoded.sign("a", 1, b"b"));
    assert_eq!(format!("{raw:?}"), "WebhookKey([secret])");
    for bad in [
        "",
        "whsec_",
        "whsec_%%%",
        "whsec_SmVmZQ==",
        "whsec_QQ==",
        "raw\n",
        " raw",
        "v1,whsec_SmVmZQ==",
    ] {
        let why = WebhookKey::new(&Secret::new(bad)).map(drop).unwrap_err();
        assert!(!why.contains("SmVm") && !why.contains("raw"), "{bad}: {why}");
    }
    assert!(WebhookKey::new(&Secret::new(format!("v1,{SECRET}"))).is_err());
}

#[test]
fn one_good_signature_in_a_list_is_enough() {
    let old = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    for list in
        [format!("{old} {SIGNATURE}"), format!("{SIGNATURE} v1a,xyz"), format!("v2,x  {SIGNATURE}")]
    {
        assert_eq!(why(&signed(ID, &TIME.to_string(), &list), BODY, TIME), None, "{list}");
    }
    for list in [
        old,
        "v1,",
        "v1,%",
        "g0hM9SsE",
        &SIGNATURE[3..],
        &SIGNATURE[..20],
        &SIGNATURE.replace("v1", "v2"),
    ] {
        assert!(
            why(&signed(ID, &TIME.to_string(), list), BODY, TIME).unwrap().contains("matches"),
            "{list}"
        );
    }
}

#[test]
fn every_signed_part_counts() {
    let time = TIME.to_string();
    assert!(why(&signed("msg_2", &time, SIGNATURE), BODY, TIME).unwrap().contains("matches"));
    assert!(why(&signed(ID, "1614265331", SIGNATURE), BODY, TIME).unwrap().contains("matches"));
    assert!(why(&signed(ID, "01614265330", SIGNATURE), BODY, TIME).unwrap().contains("matches"));
    assert!(
        why(&signed(ID, &time, SIGNATURE), b"{\"test\": 2432232315}", TIME)
            .unwrap()
            .contains("matches")
    );
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        let mut headers = signed(ID, &time, SIGNATURE);
        headers.remove(name);
        assert!(why(&headers, BODY, TIME).unwrap().contains("missing"), "{name}");
    }
    for time in ["soon", "-1", "1614265330.5", "99999999999999999999"] {
        assert!(
            why(&signed(ID, time, SIGNATURE), BODY, TIME).unwrap().contains("seconds"),
            "{time}"
        );
    }
}

#[test]
fn the_window_is_five_minutes_both_ways() {
    let headers = signed(ID, &TIME.to_string(), SIGNATURE);
    for good in [TIME - 300, TIME + 300] {
        assert_eq!(why(&headers, BODY, good), None);
    }
    for bad in [TIME - 301, TIME + 301, 0, u64::MAX] {
        assert!(why(&headers, BODY, bad).unwrap().contains("five minutes"), "{bad}");
    }
}

proptest::proptest! {
    #[test]
    fn signature_holds_for_the_signed_body_and_no_other(
        id in "[!-~]{1,20}",
        body in proptest::collection::vec(proptest::num::u8::ANY, 0..40),
        flip in 0..40_usize,
    ) {
        let signature = key().sign(&id, TIME, &body);
        let headers = signed(&id, &TIME.to_string(), &signature);
        proptest::prop_assert_eq!(why(&headers, &body, TIME), None);
        let mut changed = body;
        match changed.get_mut(flip) {
            Some(byte) => *byte ^= 1,
            None => changed.push(0),
        }
        proptest::prop_assert!(why(&headers, &changed, TIME).is_some());
    }
}
