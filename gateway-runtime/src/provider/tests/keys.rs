//! Idempotency keys: the same for the same request, and for no other.

use std::collections::HashSet;

use proptest::prelude::{prop_assert, proptest};

use super::*;
use crate::{Caller, IdempotencyKey};

fn call_with(header: Option<(&'static str, &str)>, account: Option<&str>) -> Call {
    let headers = header
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .into_iter()
        .collect();
    let call = call_within(seconds(60), headers);
    if let Some(account) = account {
        call.identify(Caller::new(account, None, Vec::new())).unwrap();
    }
    call
}

fn key(header: Option<(&'static str, &str)>, account: Option<&str>) -> IdempotencyKey {
    IdempotencyKey::of(&call_with(header, account))
}

#[test]
fn the_callers_key_makes_two_calls_one() {
    let first = key(Some(("idempotency-key", "order-5")), Some("acme"));
    for header in [
        ("idempotency-key", "order-5"),
        ("idempotency-key", "\"order-5\""),
        ("idempotency-key", "\"order\\\\-5\""),
        ("x-idempotency-key", "order-5"),
    ] {
        let same = !header.1.contains('\\');
        assert_eq!(first == key(Some(header), Some("acme")), same, "{header:?}");
    }
}

#[test]
fn everything_else_has_a_key_of_its_own() {
    let all = [
        key(Some(("idempotency-key", "order-5")), Some("acme")),
        key(Some(("idempotency-key", "order-5")), Some("other")),
        key(Some(("idempotency-key", "order-5")), None),
        key(Some(("idempotency-key", "order-6")), Some("acme")),
        key(None, Some("acme")),
        key(None, Some("acme")),
        // No keys: empty, too long, a quote that is not closed, not ASCII.
        key(Some(("idempotency-key", "")), Some("acme")),
        key(Some(("idempotency-key", &"x".repeat(256))), Some("acme")),
        key(Some(("idempotency-key", "\"open")), Some("acme")),
        key(Some(("idempotency-key", "\"a\"b\"")), Some("acme")),
        key(Some(("idempotency-key", "\"a\\b\"")), Some("acme")),
    ];
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
}

#[test]
fn a_call_keeps_its_key_and_its_parts() {
    let call = call_with(None, None);
    let (one, two) = (IdempotencyKey::of(&call), IdempotencyKey::of(&call));
    assert_eq!(one, two);
    assert_eq!(one.derive("refund"), two.derive("refund"));
    assert_eq!(HashSet::from([one, one.derive("refund"), one.derive("charge")]).len(), 3);
}

proptest! {
    #[test]
    fn keys_are_uuids_of_version_8(text in "[ -~]{0,300}") {
        let key = key(Some(("idempotency-key", &text)), Some("acme"));
        let text = key.to_string();
        let is_digit = |(place, byte): (usize, u8)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            14 => byte == b'8',
            19 => b"89ab".contains(&byte),
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        };
        prop_assert!(text.len() == 36 && text.bytes().enumerate().all(is_digit), "{text}");
    }
}
