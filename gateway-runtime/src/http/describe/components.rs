//! The schemas of a document in one place, `components/schemas`: every definition once, under a stable name.
//!
//! A schema from `schemars` brings its definitions along in `$defs`. Here the same definition from many methods is
//! kept once. Where two differ under one name, an output makes way for an input and is called `…Output`, and otherwise
//! the later gets a number; later is what comes later in the document, so names do not depend on the linker.

use std::collections::HashMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::references::rewrite;

/// Which way what a schema describes goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// To the gateway.
    Input,
    /// From the gateway. Added after all inputs, outputs make way for them.
    Output,
}

/// What becomes of the outermost schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root {
    /// A component, if it is a type that an author has named.
    Named,
    /// Written out where it is used.
    Inline,
}

/// The schemas collected until now.
#[derive(Debug, Default)]
pub(super) struct Components {
    schemas: Map<String, Value>,
    /// What each name in `schemas` means.
    contents: HashMap<String, String>,
    /// The names in `schemas`, by wanted name and content.
    names: HashMap<(String, String), String>,
}

impl Components {
    /// Takes in what `document` defines, and gives the schema to be written where it is used.
    pub(super) fn add(&mut self, document: &Value, side: Side, root: Root) -> Value {
        let document = Document::read(document, root);
        let names: Vec<String> = (0..document.definitions.len()).map(|at| self.name(&document, at, side)).collect();
        let mut rename = |reference: &str| match document.find(reference) {
            Some((at, below)) => format!("#/components/schemas/{}{below}", names[at]),
            None => reference.to_owned(),
        };
        for (definition, name) in document.definitions.iter().zip(&names) {
            if !self.schemas.contains_key(name) {
                self.schemas.insert(name.clone(), rewrite(&definition.schema, &mut rename));
            }
        }
        match &document.root {
            Some(root) => rewrite(root, &mut rename),
            None => json!({ "$ref": rename("#") }),
        }
    }

    /// The name of a definition: the one that its content has already, or a free one.
    fn name(&mut self, document: &Document, at: usize, side: Side) -> String {
        let wanted = document.definitions[at].name.clone();
        let content = document.content(at);
        if let Some(name) = self.names.get(&(wanted.clone(), content.clone())) {
            return name.clone();
        }
        let stem = if side == Side::Output { format!("{wanted}Output") } else { wanted.clone() };
        let numbered = (2..).map(|number: u32| format!("{stem}{number}"));
        let mut candidates = [wanted.clone(), stem.clone()].into_iter().chain(numbered);
        let is_free = |name: &String| self.contents.get(name).is_none_or(|other| *other == content);
        let name = candidates.find(is_free).unwrap_or(wanted.clone());
        self.contents.insert(name.clone(), content.clone());
        self.names.insert((wanted, content), name.clone());
        name
    }

    /// The schemas by name, in alphabetical order.
    pub(super) fn into_schemas(self) -> Map<String, Value> {
        let mut schemas = self.schemas;
        schemas.sort_keys();
        schemas
    }
}

/// One schema document, taken apart.
struct Document {
    definitions: Vec<Definition>,
    /// The outermost schema, unless it is the first of the definitions.
    root: Option<Value>,
}

struct Definition {
    /// Its key in `$defs`; none for the outermost schema.
    key: Option<String>,
    /// The name it is to have.
    name: String,
    schema: Value,
}

impl Document {
    fn read(document: &Value, root: Root) -> Self {
        let mut root_schema = document.clone();
        let mut definitions = Vec::new();
        if let Some(keywords) = root_schema.as_object_mut() {
            keywords.shift_remove("$schema");
            let defs = keywords.shift_remove("$defs");
            for (key, schema) in defs.iter().filter_map(Value::as_object).flatten() {
                definitions.push(Definition { key: Some(key.clone()), name: clean(key), schema: schema.clone() });
            }
        }
        let name = without_title(&mut root_schema);
        without_numbers(&mut definitions, &name);
        if is_referred_to(document) || root == Root::Named && is_a_type(&root_schema) {
            definitions.insert(0, Definition { key: None, name, schema: root_schema });
            Self { definitions, root: None }
        } else {
            Self { definitions, root: Some(root_schema) }
        }
    }

    /// The definition that a reference leads to, and the rest of the way in it.
    fn find<'r>(&self, reference: &'r str) -> Option<(usize, &'r str)> {
        let pointer = reference.strip_prefix('#')?;
        let (key, below) = match pointer.strip_prefix("/$defs/") {
            Some(path) => {
                let (key, below) = path.split_at(path.find('/').unwrap_or(path.len()));
                let key = percent_decode_str(key).decode_utf8().ok()?;
                (Some(key.replace("~1", "/").replace("~0", "~")), below)
            }
            None => (None, pointer),
        };
        let at = self.definitions.iter().position(|definition| definition.key == key)?;
        Some((at, below))
    }

    /// All that a definition means: itself and what it leads to, numbered as they are reached, for names that are wanted
    /// need not differ. Definitions with the same content are the same, also where a type is the outermost in one document
    /// and not in another.
    fn content(&self, at: usize) -> String {
        let mut content = String::new();
        let mut reached = vec![at];
        let mut next = 0;
        while let Some(definition) = reached.get(next).map(|at| &self.definitions[*at]) {
            let schema = rewrite(&definition.schema, &mut |reference| match self.find(reference) {
                Some((at, below)) => {
                    let number = reached.iter().position(|known| *known == at).unwrap_or_else(|| {
                        reached.push(at);
                        reached.len() - 1
                    });
                    format!("{number}{below}")
                }
                None => reference.to_owned(),
            });
            let name = if next == 0 { "" } else { &definition.name };
            content.push_str(&format!("{name}: {schema}\n"));
            next += 1;
        }
        content
    }
}

/// What may be a name of a component (OpenAPI 3.1, "Components Object").
fn clean(name: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let cleaned: String = name.chars().map(|c| if allowed(c) { c } else { '_' }).collect();
    if cleaned.is_empty() { "Schema".to_owned() } else { cleaned }
}

/// Takes the number away by which `schemars` tells types of one name apart: which of them has it depends on the document.
fn without_numbers(definitions: &mut [Definition], root: &str) {
    let names: Vec<_> = definitions.iter().map(|definition| definition.name.clone()).chain([root.to_owned()]).collect();
    for definition in definitions {
        let stem = definition.name.trim_end_matches(|c: char| c.is_ascii_digit());
        if names.iter().any(|name| name == stem) {
            definition.name = stem.to_owned();
        }
    }
}

/// Takes the title away that `schemars` gives to the outermost schema, and makes it a name.
fn without_title(schema: &mut Value) -> String {
    let title = schema.as_object_mut().and_then(|keywords| {
        let title = keywords.get("title")?.as_str()?.to_owned();
        if clean(&title) == title {
            keywords.shift_remove("title");
        }
        Some(title)
    });
    clean(&title.unwrap_or_default())
}

/// Whether a schema is that of a struct or an enum: what a generator of clients should make a type of.
fn is_a_type(schema: &Value) -> bool {
    let has = |key| schema.get(key).is_some();
    has("properties") || has("enum") || has("oneOf") || has("allOf") || has("anyOf") && !is_nullable(schema)
}

/// Whether it is `Option<T>` of a named type.
fn is_nullable(schema: &Value) -> bool {
    let branches = schema.get("anyOf").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    matches!(branches, [some, none] if some.get("$ref").is_some() && none.get("type") == Some(&json!("null")))
}

/// Whether something in the document refers to its outermost schema, or into it.
fn is_referred_to(document: &Value) -> bool {
    let mut found = false;
    rewrite(document, &mut |reference| {
        found |= reference.starts_with('#') && !reference.starts_with("#/$defs/");
        String::new()
    });
    found
}

#[cfg(test)]
mod tests;
