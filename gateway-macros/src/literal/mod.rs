//! The small languages inside string literals: `"0.001 USD"`, `"60s"`, `"100/min"` and names.
//! Amounts are parsed to exact integers.
//!
//! The parsers work on plain strings and return the message to show; [`crate::attr`] adds the
//! spans.

use std::fmt::{self, Display};

/// The mistake in a literal, and how to write a valid one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LiteralError {
    pub(crate) what: String,
    pub(crate) help: String,
}

impl LiteralError {
    pub(crate) fn new(what: impl Display, help: impl Display) -> Self {
        Self { what: what.to_string(), help: help.to_string() }
    }
}

/// An amount of money in 10⁻⁹ of a currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Money {
    pub(crate) nanos: i64,
    /// Three upper-case letters. The runtime's constant constructor checks that ISO 4217 lists
    /// them.
    pub(crate) currency: String,
}

/// A duration in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Millis(pub(crate) u64);

/// A number of calls in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quota {
    pub(crate) calls: u64,
    pub(crate) per: Millis,
}

/// The maximum decimals of a [`Money`] literal: the smallest amount is 10⁻⁹ (SEMANTICS §7).
const MONEY_DECIMALS: usize = 9;
/// The maximum length of the name of a service, method, provider or capability.
const NAME_MAX: usize = 64;

/// Parses `"0.001 USD"`: a plain decimal of at most nine places, a space, an ISO 4217 code.
pub(crate) fn money(text: &str) -> Result<Money, LiteralError> {
    let wrong = |why: &dyn Display| {
        LiteralError::new(
            format_args!("`{text}` is no amount of money: {why}"),
            "write a decimal and an ISO 4217 currency: \"0.001 USD\"",
        )
    };
    let Some((amount, currency)) = text.split_once(' ') else {
        return Err(wrong(&"amount and currency are separated by a space"));
    };
    if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()) {
        return Err(wrong(&format_args!("`{currency}` is no currency")));
    }
    if amount.starts_with('-') {
        return Err(wrong(&"it cannot be negative"));
    }
    let (whole, decimals) = match amount.split_once('.') {
        Some((_, "")) => return Err(wrong(&"no digits follow the point")),
        Some(parts) => parts,
        None => (amount, ""),
    };
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(decimals) {
        return Err(wrong(&format_args!("`{amount}` is no decimal number")));
    }
    if decimals.len() > MONEY_DECIMALS {
        return Err(wrong(&"it has more than nine decimals"));
    }
    format!("{whole}{decimals:0<MONEY_DECIMALS$}")
        .parse()
        .map(|nanos| Money { nanos, currency: currency.to_owned() })
        .map_err(|_| wrong(&"it is larger than nine thousand million"))
}

/// Parses `"500ms"`, `"60s"`, `"5min"` or `"5m"`, `"1h"`, `"1d"`: a whole number above zero and a
/// unit.
pub(crate) fn duration(text: &str) -> Result<Millis, LiteralError> {
    let wrong = |why: &dyn Display| {
        LiteralError::new(
            format_args!("`{text}` is no duration: {why}"),
            "write a whole number and one of ms, s, min, h, d: \"500ms\", \"60s\", \"5min\"",
        )
    };
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    if number.is_empty() {
        return Err(wrong(&"it does not begin with a whole number"));
    }
    let millis = match unit {
        "" => return Err(wrong(&"it has no unit")),
        "ms" => 1,
        "s" => 1_000,
        "min" | "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong(&format_args!("`{unit}` is no unit of time"))),
    };
    match number.parse::<u64>().ok().and_then(|n| n.checked_mul(millis)) {
        Some(0) => Err(wrong(&"it is zero")),
        Some(total) => Ok(Millis(total)),
        None => Err(wrong(&"it is too long")),
    }
}

/// Parses `"100/min"`: a number of calls and their window, `s`, `min`, `h` or `day`.
pub(crate) fn quota(text: &str) -> Result<Quota, LiteralError> {
    let wrong = |why: &dyn Display| {
        LiteralError::new(
            format_args!("`{text}` is no quota: {why}"),
            "write a number of calls, `/` and one of s, min, h, day: \"100/min\"",
        )
    };
    let Some((calls, window)) = text.split_once('/') else {
        return Err(wrong(&"it names no window"));
    };
    let per = match window {
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        "day" => 86_400_000,
        _ => return Err(wrong(&format_args!("`{window}` is no window"))),
    };
    if calls.is_empty() || !calls.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong(&format_args!("`{calls}` is no whole number")));
    }
    match calls.parse() {
        Ok(0) => Err(wrong(&"nobody could ever call")),
        Ok(calls) => Ok(Quota { calls, per: Millis(per) }),
        Err(_) => Err(wrong(&"it is too large")),
    }
}

/// Parses the name of a service, method, provider or capability, which appears in addresses,
/// metrics and routing keys.
pub(crate) fn name(text: &str) -> Result<String, LiteralError> {
    let wrong = |why: &dyn Display| {
        LiteralError::new(
            format_args!("`{text}` cannot be a name: {why}"),
            "a name is at most 64 of a-z, 0-9, `_` and `-`, and begins with a letter: \"fixer_io\"",
        )
    };
    let allowed = |c: &char| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-');
    match text.chars().next() {
        None => return Err(wrong(&"it is empty")),
        Some('a'..='z') => {}
        Some(_) => return Err(wrong(&"it does not begin with a lower-case letter")),
    }
    if let Some(odd) = text.chars().find(|c| !allowed(c)) {
        return Err(wrong(&Quoted(odd)));
    }
    if text.len() > NAME_MAX {
        return Err(wrong(&format_args!("it has {} characters", text.len())));
    }
    Ok(text.to_owned())
}

/// Parses one scope token (RFC 6749 §3.3): printable ASCII without space, quote and backslash.
pub(crate) fn scope(text: &str) -> Result<String, LiteralError> {
    let allowed = |c: char| matches!(c, '!'..='~') && c != '"' && c != '\\';
    if text.is_empty() || !text.chars().all(allowed) {
        return Err(LiteralError::new(
            format_args!("`{text}` cannot be a scope"),
            "a scope is printable ASCII without spaces, quotes and backslashes: \"rates:read\"",
        ));
    }
    Ok(text.to_owned())
}

/// Parses the name of a secret as the environment spells it: `FIXER_WEBHOOK_SECRET`.
pub(crate) fn secret_name(text: &str) -> Result<String, LiteralError> {
    let head = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !head || !text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(LiteralError::new(
            format_args!("`{text}` cannot be the name of a secret"),
            "write the name of the environment variable that holds the secret, never the secret \
             itself: \
             \"FIXER_WEBHOOK_SECRET\"",
        ));
    }
    Ok(text.to_owned())
}

/// Parses text that is shown to people, such as a title.
pub(crate) fn title(text: &str) -> Result<String, LiteralError> {
    if text.trim().is_empty() {
        return Err(LiteralError::new(
            "the title is empty",
            "leave `title` out to have it made from the name",
        ));
    }
    Ok(text.to_owned())
}

/// The character for which a name is refused, formatted for messages.
struct Quoted(char);

impl Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not allowed in it", self.0)
    }
}

#[cfg(test)]
mod tests;
