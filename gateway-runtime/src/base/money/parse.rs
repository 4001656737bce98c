//! Amounts as text: `0.001 USD`.

use std::fmt;

/// Maximum number of digits after the point.
const SCALE: usize = 9;

/// The error of a text that is no amount of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseMoneyError {
    /// The text is not of the form `0.001 USD`.
    Form,
    /// The amount has more than nine digits after the point.
    Precision,
    /// The amount is beyond the range of [`Money`](super::Money).
    Range,
    /// The currency is not on the list of ISO 4217.
    Currency,
}

impl fmt::Display for ParseMoneyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "expected an amount and a currency, such as `0.001 USD`",
            Self::Precision => "at most nine digits may follow the point",
            Self::Range => "the amount is beyond 9223372036.854775807",
            Self::Currency => "the currency is not on the list of ISO 4217",
        })
    }
}

impl std::error::Error for ParseMoneyError {}

/// Parses an amount into nanos: an optional minus sign, digits, and optionally a point with one to
/// nine digits.
pub(crate) fn parse_nanos(amount: &str) -> Result<i64, ParseMoneyError> {
    let (negative, digits) = match amount.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, amount),
    };
    let (units, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !number(units) || !number(fraction) {
        return Err(ParseMoneyError::Form);
    }
    if fraction.len() > SCALE {
        return Err(ParseMoneyError::Precision);
    }
    let text = format!("{}{units}{fraction:0<SCALE$}", if negative { "-" } else { "" });
    text.parse().map_err(|_| ParseMoneyError::Range)
}
