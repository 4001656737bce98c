//! Numbers (RFC 8259 §6): their exact value, and the nearest `f64`.
//!
//! An integer type accepts a number only if its exact value is an integer of 64 bits, however it is
//! written: `3.0` and `1e2` are. `9007199254740993.5` is not, although its `f64` has no fraction,
//! and neither is `-9223372036854775809`, although its `f64` is within the range of `i64`.

/// A number, by its notation and exact value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    /// An integer, written as one.
    Unsigned(u64),
    /// An integer below zero, written as one.
    Signed(i64),
    /// An integer, written with a fraction or an exponent.
    Whole(u64),
    /// An integer, written with a minus sign and a fraction or an exponent; also `-0`, whose
    /// integer is 0 and whose `f64` is -0.0.
    Negative(i64),
    /// A number that is not an integer of 64 bits, and whose `f64` is none either.
    Float(f64),
    /// A number that is not an integer of 64 bits, but is rounded to one as an `f64`: this one.
    Rounded(f64),
}

/// Number of decimal digits that always fit into 64 bits.
const SAFE_DIGITS: usize = 19;

impl Number {
    /// Parses a text that is a number and nothing else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (number, end) = read(text.as_bytes(), 0)?;
        (end == text.len()).then_some(number)
    }

    /// Returns the number whose exact value is this float.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is whole and in range"
    )]
    pub(crate) fn exactly(float: f64) -> Self {
        if !is_integer(float) {
            Self::Float(float)
        } else if float.is_sign_negative() {
            Self::Negative(float as i64)
        } else {
            Self::Whole(float as u64)
        }
    }

    /// Returns the nearest float.
    #[expect(clippy::cast_precision_loss, reason = "the nearest is asked for")]
    pub(crate) fn to_f64(self) -> f64 {
        match self {
            Self::Unsigned(number) | Self::Whole(number) => number as f64,
            Self::Negative(0) => -0.0,
            Self::Signed(number) | Self::Negative(number) => number as f64,
            Self::Float(number) | Self::Rounded(number) => number,
        }
    }

    /// Returns the number written as an integer, if it is one of 64 bits.
    pub(crate) fn as_integer(self) -> Option<serde_json::Number> {
        match self {
            Self::Unsigned(number) | Self::Whole(number) => Some(number.into()),
            Self::Signed(number) | Self::Negative(number) => Some(number.into()),
            Self::Float(_) | Self::Rounded(_) => None,
        }
    }

    /// Returns the number as `serde_json` represents it.
    pub(crate) fn to_json(self) -> Option<serde_json::Number> {
        match self {
            Self::Unsigned(number) => Some(number.into()),
            Self::Signed(number) => Some(number.into()),
            _ => serde_json::Number::from_f64(self.to_f64()),
        }
    }
}

impl From<&serde_json::Number> for Number {
    fn from(number: &serde_json::Number) -> Self {
        match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => Self::Unsigned(number),
            (None, Some(number)) => Self::Signed(number),
            (None, None) => Self::exactly(number.as_f64().unwrap_or_default()),
        }
    }
}

/// Parses the number that begins at `start`, and returns it with the position after it. A number
/// beyond the range of `f64` is `None`.
pub(super) fn read(body: &[u8], start: usize) -> Option<(Number, usize)> {
    let is_negative = body.get(start) == Some(&b'-');
    let first = start + usize::from(is_negative);
    let mut magnitude = 0_u64;
    let mut at = first;
    while let Some(digit) = digit(body, at) {
        magnitude = magnitude.wrapping_mul(10).wrapping_add(digit.into());
        at += 1;
    }
    let digits = at - first;
    if digits == 0 || (digits > 1 && body.get(first) == Some(&b'0')) {
        return None;
    }
    let end = fraction_and_exponent(body, at)?;
    if end == at {
        let integer = if digits <= SAFE_DIGITS {
            Some(magnitude)
        } else {
            text(body, first, end)?.parse().ok()
        };
        if let Some(number) = integer.and_then(|magnitude| whole(is_negative, magnitude)) {
            return Some((number, end));
        }
    }
    let text = text(body, start, end)?;
    let float: f64 = text.parse().ok()?;
    float.is_finite().then(|| (decimal(text, float), end))
}

/// Returns an integer of 64 bits, if it is one. The integer -0 does not exist: it is a float.
fn whole(is_negative: bool, magnitude: u64) -> Option<Number> {
    if !is_negative {
        return Some(Number::Unsigned(magnitude));
    }
    0_i64.checked_sub_unsigned(magnitude).filter(|signed| *signed != 0).map(Number::Signed)
}

/// Returns the exact value of `text`, which is not written as an integer of 64 bits and whose
/// nearest float is `float`.
fn decimal(text: &str, float: f64) -> Number {
    let (is_negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
    match integer(text) {
        Some(magnitude) if !is_negative => Number::Whole(magnitude),
        Some(magnitude) => match 0_i64.checked_sub_unsigned(magnitude) {
            Some(number) => Number::Negative(number),
            None => other(float),
        },
        None => other(float),
    }
}

/// Returns a number that is not an integer of 64 bits.
fn other(float: f64) -> Number {
    if is_integer(float) { Number::Rounded(float) } else { Number::Float(float) }
}

/// Returns the value of a number without a sign, if it is an integer of 64 bits; in time linear in
/// its length.
fn integer(text: &str) -> Option<u64> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // These are the digits up to the last that is not 0, as an integer, and the number of zeros
    // after it.
    let mut significant = 0_u64;
    let mut zeros = 0_u32;
    for digit in before.bytes().chain(after.bytes()).map(|byte| byte - b'0') {
        if digit == 0 {
            zeros = if significant == 0 { 0 } else { zeros.saturating_add(1) };
        } else {
            // Once the value exceeds 64 bits, it stays out of range or has a fraction, whatever
            // follows.
            let shift = 10_u64.checked_pow(zeros.saturating_add(1))?;
            significant = significant.checked_mul(shift)?.checked_add(digit.into())?;
            zeros = 0;
        }
    }
    if significant == 0 {
        return Some(0);
    }
    let exponent: i128 =
        exponent.parse().unwrap_or(if exponent.starts_with('-') { i128::MIN } else { i128::MAX });
    let power =
        exponent.saturating_add(zeros.into()).saturating_sub(i128::try_from(after.len()).ok()?);
    significant.checked_mul(10_u64.checked_pow(u32::try_from(power).ok()?)?)
}

/// Returns whether a float is an integer of 64 bits, signed or not.
fn is_integer(float: f64) -> bool {
    // Both ends, -2^63 and 2^64, are exact as floats, and the second is just out of range.
    float.fract() == 0.0 && (-(2_f64.powi(63))..2_f64.powi(64)).contains(&float)
}

fn digit(body: &[u8], at: usize) -> Option<u8> {
    body.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10)
}

/// Returns the position after the fraction and the exponent, both of which may be absent.
fn fraction_and_exponent(body: &[u8], mut at: usize) -> Option<usize> {
    if body.get(at) == Some(&b'.') {
        at = digits(body, at + 1)?;
    }
    if let Some(b'e' | b'E') = body.get(at) {
        let is_signed = matches!(body.get(at + 1), Some(b'+' | b'-'));
        at = digits(body, at + 1 + usize::from(is_signed))?;
    }
    Some(at)
}

/// Returns the position after the digits, of which there must be at least one.
fn digits(body: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    while digit(body, at).is_some() {
        at += 1;
    }
    (at > start).then_some(at)
}

fn text(body: &[u8], start: usize, end: usize) -> Option<&str> {
    std::str::from_utf8(body.get(start..end)?).ok()
}
