//! Money as fixed-point integers: 10⁻⁹ of a currency's unit, never a float, in JSON a string
//! (SEMANTICS §7).

mod currency;
mod parse;
#[cfg(test)]
mod tests;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

pub(crate) use crate::base::money::parse::parse_nanos;
pub use crate::base::money::{currency::Currency, parse::ParseMoneyError};

/// Number of nanos in one unit of a currency.
const NANOS: u128 = 1_000_000_000;
/// Number of digits after the point.
const SCALE: usize = 9;
/// An amount of money: at most ±9,223,372,036.854775807 units of one currency.
///
/// Arithmetic is checked: amounts of different currencies are not added, and a result that does not
/// fit is `None`.
///
/// ```
/// use gateway_runtime::{Money, ParseMoneyError};
///
/// let price: Money = "0.001 USD".parse()?;
/// let total = price.checked_mul(1_500);
/// assert_eq!(total, Some("1.5 USD".parse()?));
/// assert_eq!(price.nanos(), 1_000_000);
///
/// // No exchange rate is known, and nothing is rounded.
/// assert_eq!(price.checked_add("1 EUR".parse()?), None);
/// assert_eq!("0.0000000001 USD".parse::<Money>(), Err(ParseMoneyError::Precision));
/// # Ok::<(), ParseMoneyError>(())
/// ```
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
    let units = nanos.unsigned_abs() / NANOS;
    let fraction = nanos.unsigned_abs() % NANOS;
    if fraction == 0 {
        return format!("{sign}{units}");
    }
    let fraction = format!("{fraction:0SCALE$}");
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

impl FromStr for Money {
    type Err = ParseMoneyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (amount, code) = text.split_once(' ').ok_or(ParseMoneyError::Form)?;
        let nanos = parse_nanos(amount)?;
        let currency = Currency::from_code(code).ok_or(ParseMoneyError::Currency)?;
        Ok(Self { nanos, currency })
    }
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
