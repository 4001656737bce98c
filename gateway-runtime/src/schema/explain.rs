//! From the validator's errors to violations that a client can act on.
//!
//! No message repeats a value, which may be long or secret: the pointer says where it is, and the sender has it.
//! Property names are repeated, shortened.

use jsonschema::{JsonType, ValidationError, Validator, error::TypeKind, error::ValidationErrorKind as Kind};
use serde_json::Value;

use super::{
    metered::{Meter, Metered, MeteredJson, is_sound},
    walk,
};
use crate::error::Violation;

/// So many violations are reported, and then that there are more.
pub(super) const MAX_VIOLATIONS: usize = 100;
const MAX_POINTER: usize = 512;
const MAX_NAME: usize = 64;
const MAX_EXPECTED: usize = 200;

/// Every violation of `value`, which `validator` finds invalid.
pub(super) fn explain(schema: &Value, validator: &Validator<MeteredJson>, value: &Value) -> Vec<Violation> {
    let meter = Meter::new();
    let mut report = Report { schema, value, found: Vec::new(), misplaced: Vec::new() };
    for error in validator.iter_errors(Metered::new(value, &meter)) {
        if is_sound(&error) {
            report.add(&error);
        }
    }
    if report.found.is_empty() {
        for pointer in std::mem::take(&mut report.misplaced) {
            report.push(&pointer, "does not belong here, with what the other properties say".to_owned());
        }
    }
    if report.found.is_empty() {
        let detail = "does not satisfy the schema; it is too large to say where: send less at a time";
        report.push("", detail.to_owned());
    }
    report.found
}

struct Report<'a> {
    schema: &'a Value,
    value: &'a Value,
    found: Vec<Violation>,
    /// Declared properties that no part of the schema has accounted for; to be told if there is no other reason.
    misplaced: Vec<String>,
}

impl Report<'_> {
    fn push(&mut self, pointer: &str, detail: String) {
        if self.found.len() < MAX_VIOLATIONS {
            self.found.push(Violation { pointer: nearest_pointer(self.value, pointer), detail });
        } else if self.found.len() == MAX_VIOLATIONS {
            let detail = format!("there are more violations than these {MAX_VIOLATIONS}");
            self.found.push(Violation { pointer: String::new(), detail });
        }
    }

    fn add(&mut self, error: &ValidationError<'_>) {
        let here = error.instance_path().as_str();
        match error.kind() {
            Kind::AdditionalProperties { unexpected } => {
                self.add_unknown(error, unexpected.iter().map(String::as_str));
            }
            // A part of the schema that fails for another reason says nothing about the properties it declares.
            Kind::UnevaluatedProperties { unexpected } => {
                let known = known_properties(self.schema, error);
                let (known, unknown): (Vec<&str>, _) =
                    unexpected.iter().map(String::as_str).partition(|name| known.contains(name));
                self.add_unknown(error, unknown.into_iter());
                self.misplaced.extend(known.into_iter().map(|name| pointer_to_property(here, name)));
            }
            // Where no property at all is declared, the error is another and names none.
            Kind::FalseSchema if error.schema_path().as_str().ends_with("/additionalProperties") => {
                let object = self.value.pointer(here).and_then(Value::as_object);
                self.add_unknown(error, object.into_iter().flat_map(|object| object.keys().map(String::as_str)));
            }
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => self.add_alternatives(here, context),
            _ => {
                let detail = self.detail(error);
                self.push(here, detail);
            }
        }
    }

    fn add_unknown<'n>(&mut self, error: &ValidationError<'_>, unknown: impl Iterator<Item = &'n str>) {
        let known = known_properties(self.schema, error);
        for unknown in unknown.take(MAX_VIOLATIONS + 1) {
            let pointer = pointer_to_property(error.instance_path().as_str(), unknown);
            self.push(&pointer, unknown_property(unknown, &known));
        }
    }

    /// Reports the alternative that was meant, if it can be told, else what each of them wants.
    fn add_alternatives(&mut self, here: &str, branches: &[Vec<ValidationError<'static>>]) {
        let distance = |branch: &[ValidationError<'_>]| branch.iter().map(|e| distance(here, e)).max().unwrap_or(0);
        let nearest = branches.iter().map(|branch| distance(branch)).min().unwrap_or(0);
        let meant: Vec<_> = branches.iter().filter(|branch| distance(branch) == nearest).collect();
        if let [branch] = meant[..] {
            for error in branch {
                self.add(error);
            }
        } else if let Some((place, expected)) = common_choice(&meant) {
            self.push(&place, format!("must be one of {}", list(expected)));
        } else {
            let mut wants: Vec<String> = Vec::new();
            for want in meant.iter().filter_map(|branch| branch.first()).map(|error| self.want(here, error)) {
                if !wants.contains(&want) {
                    wants.push(want);
                }
            }
            self.push(here, shorten(&wants.join(", or "), 2 * MAX_EXPECTED));
        }
    }

    /// What an alternative wants, told at the place of the choice.
    fn want(&self, here: &str, error: &ValidationError<'_>) -> String {
        let detail = match error.kind() {
            Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => "must fit one of the allowed forms".to_owned(),
            Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
                unknown_property(unexpected.first().map_or("", String::as_str), &[])
            }
            _ => self.detail(error),
        };
        match error.instance_path().as_str().strip_prefix(here) {
            Some("") | None => detail,
            Some(below) => format!("{}: {detail}", shorten(below, MAX_NAME)),
        }
    }

    fn detail(&self, error: &ValidationError<'_>) -> String {
        match error.kind() {
            Kind::Type { kind } => self.wrong_type(kind, error.instance_path().as_str()),
            Kind::Required { property } => format!("`{}` is missing", name(property.as_str().unwrap_or_default())),
            Kind::Enum { options } => match options.as_array() {
                Some(options) => format!("must be one of {}", list(options)),
                None => "must be one of the allowed values".to_owned(),
            },
            Kind::Constant { expected_value } => format!("must be {}", list([&**expected_value])),
            Kind::Format { format } => wrong_format(format),
            Kind::Pattern { pattern } => format!("must match the pattern {}", shorten(pattern, MAX_EXPECTED)),
            Kind::MinLength { limit } => format!("must have at least {}", count(*limit, "character")),
            Kind::MaxLength { limit } => format!("must have at most {}", count(*limit, "character")),
            Kind::MinItems { limit } => format!("must have at least {}", count(*limit, "item")),
            Kind::MaxItems { limit } => format!("must have at most {}", count(*limit, "item")),
            Kind::AdditionalItems { limit } => format!("must have at most {}", count(*limit as u64, "item")),
            Kind::UnevaluatedItems { .. } => "has more items than are allowed".to_owned(),
            Kind::MinProperties { limit } => format!("must have at least {limit} properties"),
            Kind::MaxProperties { limit } => format!("must have at most {limit} properties"),
            Kind::Minimum { limit } => format!("must be at least {limit}"),
            Kind::Maximum { limit } => format!("must be at most {limit}"),
            Kind::ExclusiveMinimum { limit } => format!("must be greater than {limit}"),
            Kind::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
            Kind::MultipleOf { multiple_of } => format!("must be a multiple of {multiple_of}"),
            Kind::UniqueItems => "must not have the same item twice".to_owned(),
            Kind::Contains => "has not the right number of items of the kind that it must contain".to_owned(),
            Kind::Not { schema } => match schema.get("const") {
                Some(value) => format!("must not be {}", list([value])),
                None => "is one of the values that are not allowed".to_owned(),
            },
            Kind::OneOfMultipleValid { .. } => "fits several of the allowed forms and must fit only one".to_owned(),
            Kind::PropertyNames { error: inner } => {
                let of = inner.instance().as_str().unwrap_or_default();
                format!("the property name `{}` {}", name(of), self.detail(inner))
            }
            Kind::FalseSchema => "is not allowed here".to_owned(),
            Kind::ContentEncoding { content_encoding: wanted }
            | Kind::ContentMediaType { content_media_type: wanted } => {
                format!("must be {}", shorten(wanted, MAX_NAME))
            }
            _ => "does not satisfy the schema".to_owned(),
        }
    }

    fn wrong_type(&self, kind: &TypeKind, pointer: &str) -> String {
        let expected: Vec<&str> = match kind {
            TypeKind::Single(one) => vec![one.as_str()],
            TypeKind::Multiple(several) => several.iter().map(JsonType::as_str).collect(),
        };
        let found = match self.value.pointer(pointer) {
            Some(Value::Number(_)) if !expected.contains(&"number") && expected.contains(&"integer") => {
                "a number with a fraction"
            }
            Some(value) => JsonType::from(value).as_str(),
            None => return format!("expected {}", expected.join(" or ")),
        };
        format!("expected {}, got {found}", expected.join(" or "))
    }
}

/// The properties declared for the object in which `error` found unknown ones.
fn known_properties<'s>(schema: &'s Value, error: &ValidationError<'_>) -> Vec<&'s str> {
    let keyword = error.schema_path().as_str();
    let owner = keyword.rsplit_once('/').and_then(|(owner, _)| schema.pointer(owner));
    let mut known = Vec::new();
    if let Some(owner) = owner {
        walk::visit(schema, owner, &mut |part| {
            known.extend(walk::members(part, "properties").map(|(name, _)| name.as_str()));
        });
    }
    known
}

/// How far an error says its alternative is from what was meant: 2 for another type or tag, 1 for other properties.
fn distance(here: &str, error: &ValidationError<'_>) -> u8 {
    let below = error.instance_path().as_str().strip_prefix(here).unwrap_or_default();
    let is_tag = below.rfind('/') == Some(0);
    match error.kind() {
        Kind::Type { .. } | Kind::Enum { .. } if below.is_empty() => 2,
        Kind::Constant { .. } if below.is_empty() || is_tag => 2,
        Kind::AdditionalProperties { .. } if below.is_empty() => 1,
        _ => 0,
    }
}

/// The place and the values, if each alternative was refused for one constant at the same place.
fn common_choice<'e>(branches: &[&'e Vec<ValidationError<'static>>]) -> Option<(String, Vec<&'e Value>)> {
    let mut place = None;
    let mut expected = Vec::new();
    for branch in branches {
        for error in *branch {
            let values = match error.kind() {
                Kind::Constant { expected_value } => std::slice::from_ref(&**expected_value),
                Kind::Enum { options } => options.as_array()?.as_slice(),
                _ => continue,
            };
            if *place.get_or_insert(error.instance_path().as_str()) != error.instance_path().as_str() {
                return None;
            }
            expected.extend(values);
        }
    }
    (expected.len() >= branches.len()).then_some((place?.to_owned(), expected))
}

fn unknown_property(unknown: &str, known: &[&str]) -> String {
    let detail = format!("unknown property `{}`", name(unknown));
    if unknown.len() > MAX_NAME {
        return detail;
    }
    let slips = 1 + unknown.len() / 4;
    let similar = known.iter().filter(|known| known.len().abs_diff(unknown.len()) <= slips);
    let nearest = similar.map(|known| (strsim::damerau_levenshtein(unknown, known), known)).min();
    match nearest.filter(|(distance, _)| *distance <= slips) {
        Some((_, nearest)) => format!("{detail}: did you mean `{}`?", name(nearest)),
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
        _ => return format!("must be of the format `{}`", name(format)),
    };
    format!("must be of the format `{format}`, such as {example}")
}

fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// The values of a schema, as JSON.
fn list<'v>(values: impl IntoIterator<Item = &'v Value>) -> String {
    let values: Vec<String> = values.into_iter().map(Value::to_string).collect();
    shorten(&values.join(", "), MAX_EXPECTED)
}

/// A name that somebody else chose, fit to be shown.
fn name(name: &str) -> String {
    shorten(&shorten(name, MAX_NAME).escape_debug().to_string(), 2 * MAX_NAME)
}

/// At most `max` bytes of `text`, and a sign where something was left out.
pub(super) fn shorten(text: &str, max: usize) -> String {
    match &text[..text.floor_char_boundary(max)] {
        whole if whole.len() == text.len() => whole.to_owned(),
        start => format!("{start}…"),
    }
}

/// The pointer to the property `name` of what is at `pointer` (RFC 6901, section 3); to the latter if it would be long.
pub(super) fn pointer_to_property(pointer: &str, name: &str) -> String {
    if pointer.len() + name.len() > MAX_POINTER {
        return pointer.to_owned();
    }
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// `pointer`, or of its ancestors the nearest that is short and leads to a part of `value`.
fn nearest_pointer(value: &Value, mut pointer: &str) -> String {
    while pointer.len() > MAX_POINTER || value.pointer(pointer).is_none() {
        pointer = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
    }
    pointer.to_owned()
}
