//! Formats that `schemars` names and the validator does not know.

use std::{net::IpAddr, sync::Arc};

use jsonschema::{Retrieve, ValidationOptions, Validator, json::Json};
use serde_json::json;

/// The format of secrets in the configuration.
pub(super) const SECRET: &str = "secret";

/// Adds the formats of `IpAddr`, and of dates and times without an offset (the `NaiveDateTime` and
/// `NaiveTime` of `chrono`, the `DateTime` and `Time` of `jiff`).
pub(super) fn add<F: Json>(
    options: ValidationOptions<'static, Arc<dyn Retrieve>, F>,
) -> ValidationOptions<'static, Arc<dyn Retrieve>, F> {
    options
        .with_format(SECRET, is_secret)
        .with_format("ip", |text: &str| text.parse::<IpAddr>().is_ok())
        .with_format("partial-date-time", in_utc("date-time"))
        .with_format("partial-time", in_utc("time"))
}

/// Returns whether a text can be a secret. White space at its ends was most likely copied with it.
fn is_secret(text: &str) -> bool {
    text.trim() == text
}

/// Returns a check of whether a text satisfies `format` with the suffix `Z`, for UTC (RFC 3339
/// §5.6).
fn in_utc(format: &'static str) -> impl Fn(&str) -> bool + Send + Sync + 'static {
    let schema = json!({ "format": format });
    let full: Option<Validator> =
        jsonschema::options().should_validate_formats(true).build(&schema).ok();
    move |text| full.as_ref().is_none_or(|full| full.is_valid(&format!("{text}Z").into()))
}
