//! Amounts as text, and their arithmetic.

use proptest::prelude::*;

use super::*;

fn money(text: &str) -> Result<Money, ParseMoneyError> {
    text.parse()
}

#[test]
fn invalid_amounts_are_rejected_with_a_reason() {
    for (text, why) in [
        ("", ParseMoneyError::Form),
        ("1", ParseMoneyError::Form),
        ("1 ", ParseMoneyError::Currency),
        ("1.5USD", ParseMoneyError::Form),
        (".5 USD", ParseMoneyError::Form),
        ("5. USD", ParseMoneyError::Form),
        ("+5 USD", ParseMoneyError::Form),
        ("1e3 USD", ParseMoneyError::Form),
        ("0.0000000001 USD", ParseMoneyError::Precision),
        ("9223372036.854775808 USD", ParseMoneyError::Range),
        ("1 usd", ParseMoneyError::Currency),
        ("1 ABC", ParseMoneyError::Currency),
        ("1  USD", ParseMoneyError::Currency),
    ] {
        assert_eq!(money(text), Err(why), "{text:?}");
    }
}

#[test]
fn sums_are_checked() {
    let dollar = money("1 USD").unwrap();
    assert_eq!(
        dollar.checked_add(money("0.000000001 USD").unwrap()),
        Some(money("1.000000001 USD").unwrap())
    );
    assert_eq!(dollar.checked_add(money("1 EUR").unwrap()), None);
    assert_eq!(Money::from_nanos(i64::MAX, dollar.currency()).checked_add(dollar), None);
    assert_eq!(Money::from_nanos(i64::MIN, dollar.currency()).checked_sub(dollar), None);
    assert_eq!(dollar.compare(money("2 EUR").unwrap()), None);
}

proptest! {
    #[test]
    fn written_amount_parses_to_the_same_value(nanos: i64) {
        let amount = Money::literal(nanos, "CHF");
        prop_assert_eq!(amount.to_string().parse::<Money>(), Ok(amount));
        let json = serde_json::to_string(&amount).unwrap();
        prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), amount);
    }

    #[test]
    fn parse_never_panics(text in "\\PC*") {
        let _ = text.parse::<Money>();
    }
}
