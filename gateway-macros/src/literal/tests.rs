//! Tests of the literals: every literal is parsed exactly, and no string makes a parser panic.

use super::*;
use proptest::prelude::*;

#[test]
fn money_is_exact() {
    let usd = |nanos| Ok(Money { nanos, currency: "USD".to_owned() });
    assert_eq!(money("0.001 USD"), usd(1_000_000));
    assert_eq!(money("0 USD"), usd(0));
    assert_eq!(money("12 USD"), usd(12_000_000_000));
    assert_eq!(money("0.000000001 USD"), usd(1));
    assert_eq!(money("9223372036.854775807 USD"), usd(i64::MAX));
    assert_eq!(money("007.50 USD"), usd(7_500_000_000));
}

#[test]
fn money_is_refused_with_a_reason() {
    for (text, reason) in [
        ("0.001", "separated by a space"),
        ("0.001USD", "separated by a space"),
        ("0.001 usd", "`usd` is no currency"),
        ("0.001  USD", "` USD` is no currency"),
        ("0.001 DOLLARS", "`DOLLARS` is no currency"),
        ("-1 USD", "cannot be negative"),
        ("+1 USD", "no decimal number"),
        (".5 USD", "no decimal number"),
        ("5. USD", "no digits follow"),
        ("1e3 USD", "no decimal number"),
        ("1_000 USD", "no decimal number"),
        ("1.2.3 USD", "no decimal number"),
        ("١ USD", "no decimal number"),
        ("0.0000000001 USD", "nine decimals"),
        ("9223372036.854775808 USD", "larger than"),
        ("", "separated by a space"),
    ] {
        let wrong = money(text).expect_err(text);
        assert!(wrong.what.contains(reason), "{text}: {}", wrong.what);
    }
}

#[test]
fn durations_have_a_unit() {
    assert_eq!(duration("500ms"), Ok(Millis(500)));
    assert_eq!(duration("60s"), Ok(Millis(60_000)));
    assert_eq!(duration("5min"), duration("5m"));
    assert_eq!(duration("24h"), duration("1d"));
    for (text, reason) in [
        ("60", "no unit"),
        ("s", "whole number"),
        ("", "whole number"),
        ("-5s", "whole number"),
        ("1.5s", "`.5s` is no unit"),
        ("60 s", "` s` is no unit"),
        ("60sec", "`sec` is no unit"),
        ("0s", "zero"),
        ("99999999999999999999s", "too long"),
        ("18446744073709551615d", "too long"),
    ] {
        let wrong = duration(text).expect_err(text);
        assert!(wrong.what.contains(reason), "{text}: {}", wrong.what);
    }
}

#[test]
fn quotas_have_a_window() {
    let per_minute = Quota { calls: 100, per: Millis(60_000) };
    assert_eq!(quota("100/min"), Ok(per_minute));
    assert!(quota("18446744073709551615/day").is_ok());
    for (text, reason) in [
        ("100", "no window"),
        ("100/month", "`month` is no window"),
        ("0/s", "nobody"),
        ("/s", "no whole number"),
        ("+5/s", "no whole number"),
        ("18446744073709551616/s", "too large"),
        ("5/s/s", "`s/s` is no window"),
    ] {
        let wrong = quota(text).expect_err(text);
        assert!(wrong.what.contains(reason), "{text}: {}", wrong.what);
    }
}

#[test]
fn names_fit_an_address() {
    let longest = "a".repeat(64);
    for good in ["a", "fixer_io", "fixer-io", "v2", longest.as_str()] {
        assert_eq!(name(good), Ok(good.to_owned()));
    }
    let too_long = "a".repeat(65);
    for bad in [
        "",
        "_ws",
        "2checkout",
        "Fixer",
        "fixer.io",
        "fixer io",
        "ü",
        "a/b",
        "fix\"er",
        too_long.as_str(),
    ] {
        assert!(name(bad).is_err(), "{bad}");
    }
}

#[test]
fn scopes_secret_names_and_titles_are_checked() {
    assert!(scope("rates:read").is_ok());
    assert!(scope("two words").is_err() && scope("").is_err() && scope("a\"b").is_err());
    assert!(secret_name("FIXER_SECRET_2").is_ok());
    assert!(
        secret_name("").is_err() && secret_name("2X").is_err() && secret_name("sk-live!").is_err()
    );
    assert!(title(" ").is_err() && title("Fixer.io").is_ok());
}

proptest! {
    #[test]
    fn money_round_trips(nanos in 0..=i64::MAX, currency in "[A-Z]{3}") {
        let text = format!("{}.{:09} {currency}", nanos / 1_000_000_000, nanos % 1_000_000_000);
        prop_assert_eq!(money(&text), Ok(Money { nanos, currency }));
    }

    #[test]
    fn durations_scale(n in 1..1_000_000_u64) {
        prop_assert_eq!(duration(&format!("{n}ms")), Ok(Millis(n)));
        prop_assert_eq!(duration(&format!("{n}s")), Ok(Millis(n * 1_000)));
        prop_assert_eq!(duration(&format!("{n}d")), Ok(Millis(n * 86_400_000)));
    }

    #[test]
    fn names_follow_their_pattern(text in "[a-z_0-9A-Z.-]{0,70}") {
        let expected = text.len() <= 64
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-');
        prop_assert_eq!(name(&text).is_ok(), expected);
    }

    #[test]
    fn nothing_panics(text in any::<String>()) {
        let _ = (money(&text), duration(&text), quota(&text));
        let _ = (name(&text), scope(&text), secret_name(&text), title(&text));
    }

    #[test]
    fn nothing_near_a_literal_panics(text in "[0-9+./-]{0,24}[ a-zA-Z]{0,6}") {
        let _ = (money(&text), duration(&text), quota(&text));
    }
}
