//! Durations as text in the configuration: a whole number and a unit, such as `250ms`, `10s`,
//! `5min`, `1h`, `7d`; and timestamps in microseconds since 1970.
//!
//! ```
//! use std::time::Duration;
//!
//! use gateway_runtime::duration::{self, DurationText};
//! use schemars::JsonSchema;
//! use serde::Deserialize;
//!
//! #[derive(Deserialize, JsonSchema)]
//! struct Settings {
//!     #[serde(with = "duration")]
//!     #[schemars(with = "DurationText")]
//!     timeout: Duration,
//! }
//!
//! let settings: Settings = serde_json::from_str(r#"{"timeout": "1500ms"}"#).unwrap();
//! assert_eq!(settings.timeout, Duration::from_millis(1500));
//! ```
//!
//! [`parse`] and [`format()`] convert other texts, such as a flag of the command line:
//!
//! ```
//! use std::time::Duration;
//!
//! use gateway_runtime::duration::{self, ParseDurationError};
//!
//! let timeout = duration::parse("90min")?;
//! assert_eq!(timeout, Duration::from_secs(5_400));
//! assert_eq!(duration::format(timeout), "90min");
//! assert_eq!(duration::format(Duration::from_secs(7_200)), "2h");
//! assert_eq!(duration::parse("1.5h"), Err(ParseDurationError::Form));
//! # Ok::<(), ParseDurationError>(())
//! ```

#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::LazyLock,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Deserializer, Serializer, de::Error as _};
use tokio::time::Instant;

/// The units, longest first, and their lengths in milliseconds; `m` is minutes too.
const UNITS: [(&str, u64); 6] =
    [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// The error of a text that is no duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseDurationError {
    /// The text is not a whole number and a unit.
    Form,
    /// The duration is too long: 64 bits of milliseconds hold about 584 million years.
    Range,
}

impl fmt::Display for ParseDurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => {
                "expected a whole number and one of the units ms, s, min (or m), h, d, \
                 such as `10s`"
            }
            Self::Range => "the duration is too long",
        })
    }
}

impl std::error::Error for ParseDurationError {}

/// Parses a duration.
///
/// # Errors
///
/// Returns an error unless `text` is a whole number followed at once by one of the units `ms`, `s`,
/// `min`, `m`, `h` and `d`, and fits.
pub fn parse(text: &str) -> Result<Duration, ParseDurationError> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let (_, millis) =
        UNITS.iter().find(|(name, _)| *name == unit).ok_or(ParseDurationError::Form)?;
    if number.is_empty() {
        return Err(ParseDurationError::Form);
    }
    let number: u64 = number.parse().map_err(|_| ParseDurationError::Range)?;
    number.checked_mul(*millis).map(Duration::from_millis).ok_or(ParseDurationError::Range)
}

/// Formats a duration in the largest unit that divides it; fractions of a millisecond are dropped.
#[must_use]
pub fn format(duration: Duration) -> String {
    let millis = duration.as_millis();
    let unit =
        UNITS.iter().find(|(_, length)| millis.is_multiple_of(u128::from(*length)) && millis > 0);
    let (name, length) = unit.unwrap_or(&("s", 1_000));
    format!("{}{name}", millis / u128::from(*length))
}

/// Returns the first tick at or after `time`. Ticks are `period` apart and common to the whole
/// process, so that timers whose exact time does not matter share their wake-ups.
pub(crate) fn tick_from(time: Instant, period: Duration) -> Instant {
    static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let origin = *ORIGIN;
    let rest_of = |time: Duration| {
        let rest = time.as_nanos() % period.as_nanos().max(1);
        Duration::from_nanos(u64::try_from(rest).unwrap_or(0))
    };
    let Some(passed) = time.checked_duration_since(origin) else {
        // The first caller read its time before the origin was set.
        return time + rest_of(origin - time);
    };
    let rest = rest_of(passed);
    if rest.is_zero() { time } else { time + period.saturating_sub(rest) }
}

/// Sleeps for at least half of `period` and until a tick.
pub(crate) async fn until_tick(period: Duration) {
    tokio::time::sleep_until(tick_from(Instant::now() + period / 2, period)).await;
}

/// Returns a time in microseconds since 1970; 0 for earlier times.
pub(crate) fn unix_micros(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// Serialises a duration as text, for `#[serde(with = "gateway_runtime::duration")]`.
///
/// # Errors
///
/// Returns the serializer's error.
pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format(*duration))
}

/// Deserialises a duration from text, for `#[serde(with = "gateway_runtime::duration")]`.
///
/// # Errors
///
/// Returns an error if there is no text, or the text is no duration.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
    parse(&text).map_err(D::Error::custom)
}

/// The schema of a duration, for `#[schemars(with = "DurationText")]` beside `serde`'s `with`.
#[derive(Debug)]
pub enum DurationText {}

impl schemars::JsonSchema for DurationText {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A whole number and a unit (ms, s, min, h, d), such as `10s`.",
            "pattern": "^[0-9]{1,10}(ms|s|min|m|h|d)$",
        })
    }
}
