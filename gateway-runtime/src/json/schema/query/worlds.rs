//! The combinations of a schema's alternatives that disagree about the type of a parameter.
//!
//! An enum that is flattened into an input declares its properties in alternatives. Most often no
//! two of them read a parameter of one name differently, and all are read together. Where two do
//! (`value` is a number if `by` is `number`, else a string), a query is read by each of them in
//! turn.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::json::schema::{applicators, error::QueryError, query::parameter_forms::ParameterForms};

/// Maximum number of combinations of alternatives that are tried; an input with more takes no query
/// string.
const MAX_WORLDS: usize = 64;

/// The parts of a schema that describe one value together.
pub(super) type World<'s> = Vec<&'s Map<String, Value>>;

/// Returns the combinations of alternatives of `schema`.
///
/// # Errors
///
/// Returns an error if there are too many, or one declares a value that no query string can hold.
pub(super) fn of<'s>(root: &'s Value, schema: &'s Value) -> Result<Vec<World<'s>>, QueryError> {
    extend(root, schema, &mut Vec::new())
}

fn extend<'s>(
    root: &'s Value,
    schema: &'s Value,
    above: &mut Vec<&'s Value>,
) -> Result<Vec<World<'s>>, QueryError> {
    let Some(object) = schema.as_object() else { return Ok(vec![Vec::new()]) };
    if above.iter().any(|seen| std::ptr::eq(*seen, schema)) {
        return Ok(vec![Vec::new()]);
    }
    above.push(schema);
    let mut worlds = vec![vec![object]];
    let referenced =
        object.get("$ref").and_then(Value::as_str).and_then(|to| applicators::resolve(root, to));
    for part in referenced.into_iter().chain(list(object, "allOf")) {
        worlds = combine(worlds, extend(root, part, above)?)?;
    }
    for key in ["anyOf", "oneOf"] {
        let alternatives: Vec<&Value> = list(object, key).collect();
        let decides = disagree(root, &alternatives)?;
        let mut of_each = Vec::new();
        for alternative in alternatives {
            of_each.extend(extend(root, alternative, above)?);
        }
        let choices = if decides { of_each } else { vec![of_each.concat()] };
        worlds = combine(worlds, choices)?;
    }
    for key in ["if", "then", "else"] {
        if let Some(part) = object.get(key) {
            worlds = combine(worlds, vec![extend(root, part, above)?.concat()])?;
        }
    }
    above.pop();
    Ok(worlds)
}

fn list<'s>(
    object: &'s Map<String, Value>,
    key: &str,
) -> impl Iterator<Item = &'s Value> + use<'s> {
    object.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// Combines each of the first with each of the second.
fn combine<'s>(
    first: Vec<World<'s>>,
    second: Vec<World<'s>>,
) -> Result<Vec<World<'s>>, QueryError> {
    if first.len() * second.len() > MAX_WORLDS {
        return Err(QueryError::TooManyCombinations { max: MAX_WORLDS });
    }
    Ok(first
        .iter()
        .flat_map(|one| second.iter().map(|other| [&one[..], &other[..]].concat()))
        .collect())
}

/// Returns whether two of the alternatives read a parameter of one name differently.
fn disagree(root: &Value, alternatives: &[&Value]) -> Result<bool, QueryError> {
    let mut first: HashMap<&str, (&Value, ParameterForms)> = HashMap::new();
    for alternative in alternatives {
        let mut declared: Vec<(&str, &Value)> = Vec::new();
        applicators::visit(root, alternative, &mut |part| {
            declared.extend(
                applicators::members(part, "properties")
                    .map(|(name, schema)| (name.as_str(), schema)),
            );
        });
        for (name, schema) in declared {
            let forms = ParameterForms::of(root, &[schema])
                .map_err(|form| QueryError::Property { name: name.to_owned(), form })?;
            match first.get(name) {
                None => drop(first.insert(name, (schema, forms))),
                Some((before, _)) if *before == schema => {}
                Some((_, before)) if before.reads_like(&forms) && !forms.is_ambiguous() => {}
                Some(_) => return Ok(true),
            }
        }
    }
    Ok(false)
}
