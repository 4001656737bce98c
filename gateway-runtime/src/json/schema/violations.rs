//! The violations of an invalid document: the validator's errors, turned into messages that a
//! client can act on.

use jsonschema::{
    ValidationError, Validator,
    error::{TypeKind, ValidationErrorKind as Kind},
};
use serde_json::Value;

use crate::json::{
    document::Document,
    schema::{
        alternatives::{CommonChoice, common_choice, common_key, distance, types},
        applicators,
        limits::MAX_VIOLATIONS,
        messages::{MAX_EXPECTED, MAX_NAME, detail, list, shorten, unknown_property, wrong_type},
        metered::{Meter, MeteredJson, MeteredValue, is_sound},
        pointer,
    },
    violation::Violation,
};

/// Returns every violation of `document`, which `validator` finds invalid.
pub(super) fn violations(
    schema: &Value,
    validator: &Validator<MeteredJson>,
    document: &Document,
) -> Vec<Violation> {
    let meter = Meter::new();
    // In a `Value`, a pointer is resolved in one step for each of its segments.
    let value = &document.to_value();
    let mut collector =
        ViolationCollector { schema, value, found: Vec::new(), misplaced: Vec::new() };
    for error in validator.iter_errors(MeteredValue::new(document.root(), &meter)) {
        if is_sound(&error) {
            collector.add(&error);
        }
    }
    if collector.found.is_empty() {
        for pointer in std::mem::take(&mut collector.misplaced) {
            collector.push(
                &pointer,
                "is not allowed in combination with the other properties".to_owned(),
            );
        }
    }
    if collector.found.is_empty() {
        let detail = "does not satisfy the schema, and is too large to locate the violation; send \
                      less at a time";
        collector.push("", detail.to_owned());
    }
    collector.found
}

struct ViolationCollector<'a> {
    schema: &'a Value,
    value: &'a Value,
    found: Vec<Violation>,
    /// Declared properties that no part of the schema accounts for; reported if there is no other
    /// violation.
    misplaced: Vec<String>,
}

impl ViolationCollector<'_> {
    fn push(&mut self, pointer: &str, detail: String) {
        if self.found.len() < MAX_VIOLATIONS {
            self.found.push(Violation { pointer: pointer::nearest(self.value, pointer), detail });
        } else if self.found.len() == MAX_VIOLATIONS {
            let detail = format!("more violations exist than the {MAX_VIOLATIONS} listed");
            self.found.push(Violation { pointer: String::new(), detail });
        }
    }

    fn add(&mut self, error: &ValidationError<'_>) {
        let here = error.instance_path().as_str();
        match error.kind() {
            Kind::AdditionalProperties { unexpected } => {
                self.add_unknown(error, unexpected.iter().map(String::as_str));
            }
            // A part of the schema that fails for another reason does not evaluate the properties
            // it declares.
            Kind::UnevaluatedProperties { unexpected } => {
                let known = known_properties(self.schema, error);
                let (known, unknown): (Vec<&str>, _) =
                    unexpected.iter().map(String::as_str).partition(|name| known.contains(name));
                self.add_unknown(error, unknown.into_iter());
                self.misplaced
                    .extend(known.into_iter().map(|name| pointer::short_property(here, name)));
            }
            // Where no property is declared at all, the error is another and names none.
            Kind::FalseSchema
                if error.schema_path().as_str().ends_with("/additionalProperties") =>
            {
                let object = self.value.pointer(here).and_then(Value::as_object);
                self.add_unknown(
                    error,
                    object.into_iter().flat_map(|object| object.keys().map(String::as_str)),
                );
            }
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                self.add_alternatives(here, context)
            }
            _ => self.push(here, detail(self.value, error)),
        }
    }

    fn add_unknown<'n>(
        &mut self,
        error: &ValidationError<'_>,
        unknown: impl Iterator<Item = &'n str>,
    ) {
        let known = known_properties(self.schema, error);
        for unknown in unknown.take(MAX_VIOLATIONS + 1) {
            let pointer = pointer::short_property(error.instance_path().as_str(), unknown);
            self.push(&pointer, unknown_property(unknown, &known));
        }
    }

    /// Reports the alternative that was meant, if it can be determined, otherwise the requirement
    /// of each alternative.
    fn add_alternatives(&mut self, here: &str, branches: &[Vec<ValidationError<'static>>]) {
        let distance = |branch: &[ValidationError<'_>]| {
            branch.iter().map(|error| distance(here, error)).max().unwrap_or(0)
        };
        let nearest = branches.iter().map(|branch| distance(branch)).min().unwrap_or(0);
        let meant: Vec<_> = branches.iter().filter(|branch| distance(branch) == nearest).collect();
        if let [branch] = meant[..] {
            for error in branch {
                self.add(error);
            }
        } else if let Some(types) = types(&meant).filter(|_| nearest == 3) {
            self.push(here, wrong_type(&TypeKind::Multiple(types), self.value.pointer(here)));
        } else if let Some(CommonChoice { pointer, expected }) = common_choice(&meant) {
            self.push(&pointer, format!("must be one of {}", list(expected)));
        } else if let Some(expected) = common_key(&meant).filter(|_| nearest == 1) {
            self.push(here, format!("must have one of the properties {}", list(expected)));
        } else {
            let mut requirements: Vec<String> = Vec::new();
            for error in meant.iter().filter_map(|branch| branch.first()) {
                let requirement = self.requirement(here, error);
                if !requirements.contains(&requirement) {
                    requirements.push(requirement);
                }
            }
            self.push(here, shorten(&requirements.join(", or "), 2 * MAX_EXPECTED));
        }
    }

    /// Returns the requirement of an alternative, for the place of the choice.
    fn requirement(&self, here: &str, error: &ValidationError<'_>) -> String {
        let detail = match error.kind() {
            Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => {
                "must match one of the allowed forms".to_owned()
            }
            Kind::AdditionalProperties { unexpected }
            | Kind::UnevaluatedProperties { unexpected } => {
                unknown_property(unexpected.first().map_or("", String::as_str), &[])
            }
            _ => detail(self.value, error),
        };
        match error.instance_path().as_str().strip_prefix(here) {
            Some("") | None => detail,
            Some(below) => format!("{}: {detail}", shorten(below, MAX_NAME)),
        }
    }
}

/// Returns the properties declared for the object in which `error` found unknown ones.
fn known_properties<'s>(schema: &'s Value, error: &ValidationError<'_>) -> Vec<&'s str> {
    let keyword = error.schema_path().as_str();
    let owner = keyword.rsplit_once('/').and_then(|(owner, _)| schema.pointer(owner));
    let mut known = Vec::new();
    if let Some(owner) = owner {
        applicators::visit(schema, owner, &mut |part| {
            known.extend(applicators::members(part, "properties").map(|(name, _)| name.as_str()));
        });
    }
    known
}
