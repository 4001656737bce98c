//! The messages of violations, as a client reads them.
//!
//! No message repeats a value, which may be long or secret: the pointer says where it is, and the
//! sender has it. Property names are repeated, shortened.

use crate::json::similar::similar;
use jsonschema::{
    JsonType, ValidationError,
    error::{TypeKind, ValidationErrorKind as Kind},
};
use serde_json::Value;

use crate::json::schema::formats;

pub(super) const MAX_NAME: usize = 64;
pub(super) const MAX_EXPECTED: usize = 200;

/// Returns what is wrong with `value` at the place of `error`, and what would be right.
pub(super) fn detail(value: &Value, error: &ValidationError<'_>) -> String {
    match error.kind() {
        Kind::Type { kind } => wrong_type(kind, value.pointer(error.instance_path().as_str())),
        Kind::Required { property } => {
            format!("`{}` is missing", name(property.as_str().unwrap_or_default()))
        }
        Kind::Enum { options } => match options.as_array() {
            Some(options) => format!("must be one of {}", list(options)),
            None => "must be one of the allowed values".to_owned(),
        },
        Kind::Constant { expected_value } => format!("must be {}", list([&**expected_value])),
        Kind::Format { format } => wrong_format(format),
        Kind::Pattern { pattern } => {
            format!("must match the pattern {}", shorten(pattern, MAX_EXPECTED))
        }
        Kind::MinLength { limit } => format!("must have at least {}", count(*limit, "character")),
        Kind::MaxLength { limit } => format!("must have at most {}", count(*limit, "character")),
        Kind::MinItems { limit } => format!("must have at least {}", count(*limit, "item")),
        Kind::MaxItems { limit } => format!("must have at most {}", count(*limit, "item")),
        Kind::AdditionalItems { limit } => {
            format!("must have at most {}", count(*limit as u64, "item"))
        }
        Kind::UnevaluatedItems { .. } => "has more items than are allowed".to_owned(),
        Kind::MinProperties { limit } => format!("must have at least {limit} properties"),
        Kind::MaxProperties { limit } => format!("must have at most {limit} properties"),
        Kind::Minimum { limit } => format!("must be at least {limit}"),
        Kind::Maximum { limit } => format!("must be at most {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("must be greater than {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
        Kind::MultipleOf { multiple_of } => format!("must be a multiple of {multiple_of}"),
        Kind::UniqueItems => "must not have duplicate items".to_owned(),
        Kind::Contains => "has too few or too many items of the required kind".to_owned(),
        Kind::Not { schema } => match schema.get("const") {
            Some(value) => format!("must not be {}", list([value])),
            None => "must not be one of the disallowed values".to_owned(),
        },
        Kind::OneOfMultipleValid { .. } => {
            "must match exactly one of the allowed forms, but matches several".to_owned()
        }
        Kind::PropertyNames { error: inner } => {
            let of = inner.instance().as_str().unwrap_or_default();
            format!("the property name `{}` {}", name(of), detail(value, inner))
        }
        Kind::FalseSchema => "is not allowed here".to_owned(),
        Kind::ContentEncoding { content_encoding: wanted }
        | Kind::ContentMediaType { content_media_type: wanted } => {
            format!("must be {}", shorten(wanted, MAX_NAME))
        }
        _ => "does not satisfy the schema".to_owned(),
    }
}

/// Returns which types are expected, and which was found.
pub(super) fn wrong_type(kind: &TypeKind, found: Option<&Value>) -> String {
    let expected: Vec<&str> = match kind {
        TypeKind::Single(one) => vec![one.as_str()],
        TypeKind::Multiple(several) => several.iter().map(JsonType::as_str).collect(),
    };
    let found = match found {
        // The float has no fraction, and is not the number that was sent.
        Some(Value::Number(number)) if expected.contains(&"integer") => match number.as_f64() {
            Some(rounded) if rounded.fract() == 0.0 => {
                "a number that is not exactly an integer of 64 bits"
            }
            _ => "a number with a fraction",
        },
        Some(value) => JsonType::from(value).as_str(),
        None => return format!("expected {}", expected.join(" or ")),
    };
    format!("expected {}, got {found}", expected.join(" or "))
}

/// Returns which property is unknown, and a similar one that was probably meant.
pub(super) fn unknown_property(unknown: &str, known: &[&str]) -> String {
    let detail = format!("unknown property `{}`", name(unknown));
    if unknown.len() > MAX_NAME {
        return detail;
    }
    match similar(unknown, known.iter().copied()) {
        Some(similar) => format!("{detail}: did you mean `{}`?", name(similar)),
        None => detail,
    }
}

fn wrong_format(format: &str) -> String {
    let example = match format {
        "date" => "2024-02-29",
        "date-time" => "2024-02-29T12:30:00Z",
        "time" => "12:30:00Z",
        "partial-date-time" => "2024-02-29T12:30:00",
        "partial-time" => "12:30:00",
        "duration" => "P1DT12H",
        "email" => "ann@example.org",
        "uri" => "https://example.org/",
        "uuid" => "123e4567-e89b-12d3-a456-426614174000",
        "ipv4" => "192.0.2.1",
        "ipv6" => "2001:db8::1",
        "hostname" => "example.org",
        formats::SECRET => {
            return "the secret begins or ends with a space or a line break\n\
                    help: write it without"
                .to_owned();
        }
        _ => return format!("must be of the format `{}`", name(format)),
    };
    format!("must be of the format `{format}`, such as {example}")
}

fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Writes the values of a schema as JSON, separated by commas.
pub(super) fn list<'v>(values: impl IntoIterator<Item = &'v Value>) -> String {
    let values: Vec<String> = values.into_iter().map(Value::to_string).collect();
    shorten(&values.join(", "), MAX_EXPECTED)
}

/// Returns a client's or an author's name, shortened and escaped for a message.
fn name(name: &str) -> String {
    shorten(&shorten(name, MAX_NAME).escape_debug().to_string(), 2 * MAX_NAME)
}

/// Returns at most `max` bytes of `text`, and an ellipsis where it was cut.
pub(super) fn shorten(text: &str, max: usize) -> String {
    match &text[..text.floor_char_boundary(max)] {
        whole if whole.len() == text.len() => whole.to_owned(),
        start => format!("{start}…"),
    }
}
