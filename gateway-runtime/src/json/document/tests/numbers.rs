//! The exact values of numbers, compared with a model of integers of any length.

use num_bigint::BigInt;
use proptest::prelude::*;

use crate::json::document::Number;

/// Returns the value of a JSON number, if it is an integer.
pub(crate) fn integer(text: &str) -> Option<BigInt> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: BigInt = format!("{before}{after}").parse().unwrap();
    let power = exponent.parse::<i32>().unwrap() - i32::try_from(after.len()).unwrap();
    let scale = BigInt::from(10).pow(power.unsigned_abs());
    if power >= 0 {
        return Some(digits * scale);
    }
    (&digits % &scale == BigInt::ZERO).then(|| digits / scale)
}

/// Generates a number near the ends of integer types and of the exact range of an `f64`, in any
/// spelling.
pub(crate) fn near_an_edge() -> impl Strategy<Value = String> {
    let power = prop::sample::select(&[0_u32, 8, 16, 32, 53, 54, 63, 64, 65][..]);
    (power, -1500_i64..1500, any::<bool>(), 0..6_usize, "[05]{0,3}|[0-9]{0,24}").prop_map(
        |(power, offset, is_negative, shift, fraction)| {
            let number = BigInt::from(2).pow(power) + offset;
            let number = if is_negative { -number } else { number };
            let zeros = "0".repeat(shift);
            match (shift, fraction.as_str()) {
                (0, "") => number.to_string(),
                (0, fraction) => format!("{number}.{fraction}"),
                (1, _) => format!("{number}e0"),
                (_, "") => format!("{number}{zeros}E-{shift}"),
                (_, fraction) => format!("{number}{zeros}.{fraction}e-{shift}"),
            }
        },
    )
}

pub(crate) fn any_number() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => near_an_edge(),
        2 => "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?",
        1 => "-?(0|[1-9][0-9]{0,18})[eE][+-]?[0-3]?[0-9]",
    ]
}

#[track_caller]
fn agrees(text: &str) {
    let number = Number::parse(text).unwrap();
    let expected = integer(text).and_then(|exact| {
        let unsigned = u64::try_from(&exact).map(serde_json::Number::from);
        unsigned.or_else(|_| i64::try_from(&exact).map(serde_json::Number::from)).ok()
    });
    assert_eq!(number.as_integer(), expected, "{text}");
    let nearest: f64 = text.parse().unwrap();
    assert_eq!(number.to_f64().to_bits(), nearest.to_bits(), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        cases: 2_000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_number_is_an_integer_when_it_is_exactly_one(text in any_number()) {
        agrees(&text);
    }

    #[test]
    fn a_float_is_exactly_itself(
        float in any::<f64>().prop_filter("finite", |float| float.is_finite()),
    ) {
        let written = format!("{float:.400}");
        let (read, of_float) = (Number::parse(&written).unwrap(), Number::exactly(float));
        prop_assert_eq!(of_float.to_f64().to_bits(), float.to_bits());
        prop_assert_eq!(read.to_f64().to_bits(), float.to_bits());
        // 400 digits are the exact value of a number that is not tiny.
        if float.abs() > 1e-50 || float == 0.0 {
            prop_assert_eq!(of_float.as_integer(), read.as_integer());
        }
    }
}

#[test]
fn numbers_that_were_changed() {
    for text in [
        "-9223372036854775809",
        "9007199254740993.5",
        "0.99999999999999999",
        "123456789012345678e1",
        "18446744073709551615.2",
        "-9223372036854775808.5",
        "1e-400",
        "-1e-400",
        "-0",
        "-0.0",
        "0e99",
        "1e19",
        "1e20",
        "9223372036854775807.0",
        "9223372036854775808",
        "18446744073709551615.00",
        "18446744073709551616",
        "100000000000000000000001e-1",
        "1000000000000000000000000000000e-30",
        "1.000000000000000000000000000000000001",
    ] {
        agrees(text);
    }
    let huge = [format!("1e{}", "9".repeat(40)), format!("0.1e-{}", "9".repeat(40))];
    assert_eq!(Number::parse(&huge[0]), None);
    assert_eq!(Number::parse(&huge[1]).and_then(Number::as_integer), None);
    assert_eq!(
        Number::parse(&format!("0e{}", "9".repeat(40))).and_then(Number::as_integer),
        Some(0.into())
    );
}
