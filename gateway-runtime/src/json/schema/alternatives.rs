//! The alternatives of a choice (`anyOf`, `oneOf`) that a value does not fit: which one was meant,
//! and what they have in common.

use jsonschema::{
    JsonTypeSet, ValidationError,
    error::{TypeKind, ValidationErrorKind as Kind},
};
use serde_json::Value;

/// Returns how far an alternative with this error is from the one that was meant: 3 for another
/// type, 2 for another tag or name, 1 for other properties.
pub(super) fn distance(here: &str, error: &ValidationError<'_>) -> u8 {
    let below = error.instance_path().as_str().strip_prefix(here).unwrap_or_default();
    let is_tag = below.rfind('/') == Some(0);
    match error.kind() {
        Kind::Type { .. } if below.is_empty() => 3,
        Kind::Enum { .. } if below.is_empty() => 2,
        Kind::Constant { .. } if below.is_empty() || is_tag => 2,
        Kind::AdditionalProperties { .. } if below.is_empty() => 1,
        _ => 0,
    }
}

/// Returns the types that the alternatives require, if each requires only a type.
pub(super) fn types(branches: &[&Vec<ValidationError<'static>>]) -> Option<JsonTypeSet> {
    branches.iter().try_fold(JsonTypeSet::empty(), |types, branch| match branch.first()?.kind() {
        Kind::Type { kind: TypeKind::Single(one) } => Some(types.insert(*one)),
        Kind::Type { kind: TypeKind::Multiple(several) } => {
            Some(several.iter().fold(types, JsonTypeSet::insert))
        }
        _ => None,
    })
}

/// The values that alternatives expect at one place.
pub(super) struct CommonChoice<'e> {
    pub(super) pointer: String,
    pub(super) expected: Vec<&'e Value>,
}

/// Returns the pointer and the values, if each alternative failed for a constant at the same place.
pub(super) fn common_choice<'e>(
    branches: &[&'e Vec<ValidationError<'static>>],
) -> Option<CommonChoice<'e>> {
    let mut pointer = None;
    let mut expected = Vec::new();
    for branch in branches {
        for error in *branch {
            let values = match error.kind() {
                Kind::Constant { expected_value } => std::slice::from_ref(&**expected_value),
                Kind::Enum { options } => options.as_array()?.as_slice(),
                _ => continue,
            };
            if *pointer.get_or_insert(error.instance_path().as_str())
                != error.instance_path().as_str()
            {
                return None;
            }
            expected.extend(values);
        }
    }
    (expected.len() >= branches.len())
        .then_some(CommonChoice { pointer: pointer?.to_owned(), expected })
}

/// Returns the names, if each alternative misses one property, as the variants of an enum do for an
/// unknown name.
pub(super) fn common_key<'e>(
    branches: &[&'e Vec<ValidationError<'static>>],
) -> Option<Vec<&'e Value>> {
    let missing = branches.iter().map(|branch| {
        let mut missing = branch.iter().filter_map(|error| match error.kind() {
            Kind::Required { property } => Some(property),
            _ => None,
        });
        missing.next().filter(|_| missing.next().is_none())
    });
    missing.collect()
}
