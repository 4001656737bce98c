//! The parameters of a query: the types that the schema allows for each of them, determined once.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use serde_json::{Map, Value};

use crate::json::{
    document::{Document, Writer},
    schema::{
        applicators,
        error::QueryError,
        query::{
            parameter_forms::ParameterForms,
            texts::Texts,
            worlds::{self, World},
        },
    },
};

/// The reading rules of each parameter of a query.
#[derive(Debug)]
pub(in crate::json::schema) struct QueryParameters {
    /// Parameters of all alternatives together, and of the parts that they share.
    all: Alternative,
    /// Parameters of each alternative where alternatives disagree; otherwise empty.
    alternatives: Vec<Alternative>,
    /// Forms of the parameters that the schema does not declare.
    others: ParameterForms,
    /// Names of the required lists, which are empty when their names are absent.
    empty_lists: Vec<String>,
}

#[derive(Debug, Default)]
struct Alternative {
    properties: HashMap<String, ParameterForms, RandomState>,
}

impl QueryParameters {
    /// Determines how the values of `schema` are read from query strings.
    ///
    /// # Errors
    ///
    /// Returns the reason why they cannot be: the value is not an object, or one of its properties
    /// holds more than a query string can.
    pub(in crate::json::schema) fn of(schema: &Value) -> Result<Self, QueryError> {
        let mut parts = World::new();
        applicators::visit(schema, schema, &mut |part| parts.push(part));
        let all = Alternative::of(schema, &parts)?;
        let worlds = worlds::of(schema, schema)?;
        let alternatives = match &worlds[..] {
            [_] => Vec::new(),
            several => several
                .iter()
                .map(|world| Alternative::of(schema, world))
                .collect::<Result<_, _>>()?,
        };
        let required = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        let may_be_empty =
            |name: &&str| schema["properties"].get(name).is_some_and(is_list_that_may_be_empty);
        let empty_lists = required.filter(may_be_empty).map(str::to_owned).collect();
        Ok(Self { all, alternatives, others: others(schema, &parts)?, empty_lists })
    }

    /// Adds the lists without items to the texts of a query string.
    pub(super) fn add_empty_lists(&self, texts: &mut Texts) {
        for name in &self.empty_lists {
            if !texts.contains_key(name) {
                texts.insert(name.clone(), Value::Array(Vec::new()));
            }
        }
    }

    pub(super) fn may_repeat(&self, name: &str) -> bool {
        self.all.properties.get(name).unwrap_or(&self.others).may_repeat()
    }

    /// Returns the indexes of the alternatives to read by; at least one.
    pub(super) fn alternatives(&self) -> std::ops::Range<usize> {
        0..self.alternatives.len().max(1)
    }

    /// Reads `texts` by one of the alternatives.
    pub(super) fn read(&self, texts: &Texts, alternative: usize) -> Document {
        let alternative = self.alternatives.get(alternative).unwrap_or(&self.all);
        let mut writer = Writer::default();
        writer.object(texts.len(), |writer| {
            for (name, text) in texts {
                let declared =
                    alternative.properties.get(name).or_else(|| self.all.properties.get(name));
                writer.name(name);
                declared.unwrap_or(&self.others).read(text).write(writer);
            }
        });
        writer.finish()
    }
}

impl Alternative {
    /// Determines the parameters that these `parts` of the schema declare together.
    fn of(root: &Value, parts: &[&Map<String, Value>]) -> Result<Self, QueryError> {
        let mut declared: Vec<(&str, Vec<&Value>)> = Vec::new();
        let mut indexes: HashMap<&str, usize> = HashMap::new();
        for part in parts {
            if let Some(kind) =
                applicators::types(part).find(|kind| !matches!(*kind, "object" | "null"))
            {
                return Err(QueryError::NotObject { kind: kind.to_owned() });
            }
            for (name, schema) in applicators::members(part, "properties") {
                let index = *indexes.entry(name).or_insert_with(|| {
                    declared.push((name, Vec::new()));
                    declared.len() - 1
                });
                if !declared[index].1.contains(&schema) {
                    declared[index].1.push(schema);
                }
            }
        }
        let forms = declared.into_iter().map(|(name, schemas)| {
            let forms = ParameterForms::of(root, &schemas)
                .map_err(|form| QueryError::Property { name: name.to_owned(), form })?;
            Ok((name.to_owned(), forms))
        });
        Ok(Self { properties: forms.collect::<Result<_, QueryError>>()? })
    }
}

/// Returns the forms of a parameter that no part declares.
fn others(root: &Value, parts: &[&Map<String, Value>]) -> Result<ParameterForms, QueryError> {
    let mut schemas = Vec::new();
    for part in parts {
        let others = ["additionalProperties", "unevaluatedProperties"]
            .into_iter()
            .filter_map(|key| part.get(key));
        schemas.extend(others.filter(|schema| **schema != Value::Bool(false)));
        schemas.extend(applicators::members(part, "patternProperties").map(|(_, schema)| schema));
    }
    if schemas.is_empty() {
        return Ok(ParameterForms::undeclared());
    }
    ParameterForms::of(root, &schemas).map_err(|form| QueryError::UndeclaredProperty { form })
}

/// Returns whether `property` is of lists that may have no items. A query string writes such a list
/// by omitting its name, required or not.
#[must_use]
pub(crate) fn is_list_that_may_be_empty(property: &Value) -> bool {
    let min_items = property.get("minItems").and_then(Value::as_u64).unwrap_or(0);
    min_items == 0 && property.get("type").is_some_and(|kind| kind == "array")
}
