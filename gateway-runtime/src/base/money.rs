//! Money as fixed-point integers: 10⁻⁹ of a currency's unit, never a float, in JSON a string
//! (SEMANTICS §7).

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Number of nanos in one unit of a currency.
const NANOS: u128 = 1_000_000_000;
/// Number of digits after the point.
const SCALE: usize = 9;

/// An ISO 4217 currency code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// Active codes of ISO 4217 (list one, amendment 177), without funds and metals.
const CURRENCIES: &str = "\
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD \
CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS \
GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW \
KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR \
MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR \
SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX \
USD UYU UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG BGN";

impl Currency {
    /// Returns the currency of an ISO 4217 code, such as `EUR`; `None` for a code that is not on
    /// the list.
    #[must_use]
    pub const fn from_code(code: &str) -> Option<Self> {
        let code = code.as_bytes();
        let list = CURRENCIES.as_bytes();
        if code.len() != 3 {
            return None;
        }
        let mut at = 0;
        while at + 3 <= list.len() {
            if list[at] == code[0] && list[at + 1] == code[1] && list[at + 2] == code[2] {
                return Some(Self([code[0], code[1], code[2]]));
            }
            at += 4;
        }
        None
    }

    /// Returns every code, in alphabetical order.
    pub(crate) fn codes() -> impl Iterator<Item = &'static str> {
        CURRENCIES.split(' ')
    }

    /// Returns the code, such as `EUR`.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = Cow::<str>::deserialize(deserializer)?;
        Self::from_code(&code)
            .ok_or_else(|| D::Error::custom(format!("`{code}` is no currency of ISO 4217")))
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount of money: at most ±9,223,372,036.854775807 units of one currency.
///
/// Arithmetic is checked: amounts of different currencies are not added, and a result that does not
/// fit is `None`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    nanos: i64,
    currency: Currency,
}

impl Money {
    /// Creates an amount in 10⁻⁹ of the unit of `currency`.
    #[must_use]
    pub const fn from_nanos(nanos: i64, currency: Currency) -> Self {
        Self { nanos, currency }
    }

    /// Creates the amount of a price literal of an attribute; an unknown currency is a compile
    /// error.
    #[doc(hidden)]
    #[must_use]
    #[track_caller]
    pub const fn literal(nanos: i64, code: &str) -> Self {
        match Currency::from_code(code) {
            Some(currency) => Self { nanos, currency },
            None => panic!("this is no currency of ISO 4217; write a code such as USD or EUR"),
        }
    }

    /// Returns the amount in 10⁻⁹ of the unit.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.nanos
    }

    /// Returns the currency's code.
    pub(crate) fn code(&self) -> &str {
        self.currency.code()
    }

    /// Returns the currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Returns the sum; `None` when the currencies differ or it does not fit.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        (self.currency == other.currency)
            .then(|| self.nanos.checked_add(other.nanos))
            .flatten()
            .map(|nanos| Self { nanos, ..self })
    }

    /// Returns the difference; `None` when the currencies differ or it does not fit.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        (self.currency == other.currency)
            .then(|| self.nanos.checked_sub(other.nanos))
            .flatten()
            .map(|nanos| Self { nanos, ..self })
    }

    /// Returns the amount multiplied by `times`; `None` when it does not fit.
    #[must_use]
    pub fn checked_mul(self, times: i64) -> Option<Self> {
        self.nanos.checked_mul(times).map(|nanos| Self { nanos, ..self })
    }

    /// Compares two amounts of one currency; `None` when the currencies differ.
    #[must_use]
    pub fn compare(self, other: Self) -> Option<std::cmp::Ordering> {
        (self.currency == other.currency).then(|| self.nanos.cmp(&other.nanos))
    }

    /// Returns the amount alone, such as `0.001`, without needless zeros.
    #[must_use]
    pub fn amount(self) -> String {
        amount(self.nanos.into())
    }
}

/// Formats nanos as [`Money::amount`] does, also beyond the range of [`Money`].
pub(crate) fn amount(nanos: i128) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let (units, rest) = (nanos.unsigned_abs() / NANOS, nanos.unsigned_abs() % NANOS);
    if rest == 0 {
        return format!("{sign}{units}");
    }
    let fraction = format!("{rest:0SCALE$}");
    format!("{sign}{units}.{}", fraction.trim_end_matches('0'))
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount(), self.currency)
    }
}

/// The error of a text that is no amount of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseMoneyError {
    /// The text is not of the form `0.001 USD`.
    Form,
    /// The amount has more than nine digits after the point.
    Precision,
    /// The amount is beyond the range of [`Money`].
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

impl FromStr for Money {
    type Err = ParseMoneyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (amount, code) = text.split_once(' ').ok_or(ParseMoneyError::Form)?;
        let nanos = parse_nanos(amount)?;
        let currency = Currency::from_code(code).ok_or(ParseMoneyError::Currency)?;
        Ok(Self { nanos, currency })
    }
}

/// Parses an amount into nanos: an optional minus sign, digits, and optionally a point with one to
/// nine digits.
pub(crate) fn parse_nanos(amount: &str) -> Result<i64, ParseMoneyError> {
    let (negative, digits) = match amount.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, amount),
    };
    let (units, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !number(units) || !number(fraction) {
        return Err(ParseMoneyError::Form);
    }
    if fraction.len() > SCALE {
        return Err(ParseMoneyError::Precision);
    }
    let text = format!("{}{units}{fraction:0<SCALE$}", if negative { "-" } else { "" });
    text.parse().map_err(|_| ParseMoneyError::Range)
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl schemars::JsonSchema for Money {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Money".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "An amount and an ISO 4217 currency, such as `0.001 USD`.",
            "pattern": "^-?[0-9]{1,10}(\\.[0-9]{1,9})? [A-Z]{3}$",
        })
    }
}

#[cfg(test)]
mod tests {
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
}
