//! The schemas of a document in one place, `components/schemas`: every definition once, under a stable name.
//!
//! A schema from `schemars` brings its definitions along in `$defs`. Here the same definition from many methods is
//! kept once. Where two differ under one name, an output makes way for an input and is called `…Output`, and otherwise
//! the later gets a number; later is what comes later in the document, so names do not depend on the linker.

use std::collections::HashMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::references::rewrite;

/// Which way what a schema describes goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// To the gateway.
    Input,
    /// From the gateway. Added after all inputs, outputs make way for them.
    Output,
}

/// What becomes of the outermost schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    /// A component, if it is a type that an author has named.
    Named,
    /// Written out where it is used.
    Inline,
}

/// The schemas collected until now.
#[derive(Debug, Default)]
pub(crate) struct Components {
    schemas: Map<String, Value>,
    /// What each name in `schemas` means.
    contents: HashMap<String, Content>,
    /// The names in `schemas`, by wanted name and content.
    names: HashMap<(String, Content), String>,
    /// The number of the next that wants a name, so that not each of ten thousand tries all numbers.
    next: HashMap<String, u64>,
}

/// All that a definition means, as its SHA-256.
type Content = [u8; 32];

impl Components {
    /// Takes in what `document` defines, and gives the schema to be written where it is used.
    pub(crate) fn add(&mut self, document: &Value, side: Side, root: Root) -> Value {
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
        let wanted = &document.definitions[at].name;
        let meaning = (wanted.clone(), document.content(at));
        if let Some(name) = self.names.get(&meaning) {
            return name.clone();
        }
        let name = self.free_name(wanted, meaning.1, side);
        self.contents.insert(name.clone(), meaning.1);
        self.names.insert(meaning, name.clone());
        name
    }

    /// A name that means nothing else.
    fn free_name(&mut self, wanted: &str, content: Content, side: Side) -> String {
        let is_free = |name: &String| self.contents.get(name).is_none_or(|other| *other == content);
        let stem = if side == Side::Output { format!("{wanted}Output") } else { wanted.to_owned() };
        if let Some(name) = [wanted.to_owned(), stem.clone()].into_iter().find(is_free) {
            return name;
        }
        let next = self.next.entry(stem.clone()).or_insert(2);
        loop {
            let name = format!("{stem}{next}");
            *next += 1;
            if is_free(&name) {
                return name;
            }
        }
    }

    /// The schemas by name, in alphabetical order.
    pub(crate) fn into_schemas(self) -> Map<String, Value> {
        let mut schemas = self.schemas;
        schemas.sort_keys();
        schemas
    }
}

/// One schema document, taken apart.
struct Document {
    definitions: Vec<Definition>,
    /// What each definition says.
    texts: Vec<Text>,
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

/// A definition's schema without what its references lead to, as its SHA-256, and what these are, in their order.
struct Text {
    digest: [u8; 32],
    leads_to: Vec<usize>,
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
        let root = if is_referred_to(document) || root == Root::Named && is_a_type(&root_schema) {
            definitions.insert(0, Definition { key: None, name, schema: root_schema });
            None
        } else {
            Some(root_schema)
        };
        let mut document = Self { definitions, texts: Vec::new(), root };
        document.texts = document.definitions.iter().map(|definition| document.text(definition)).collect();
        document
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

    fn text(&self, definition: &Definition) -> Text {
        let mut leads_to = Vec::new();
        let schema = rewrite(&definition.schema, &mut |reference| match self.find(reference) {
            Some((at, below)) => {
                leads_to.push(at);
                // No reference that leads elsewhere has a space.
                format!(" {below}")
            }
            None => reference.to_owned(),
        });
        Text { digest: Sha256::digest(schema.to_string()).into(), leads_to }
    }

    /// All that a definition means: itself and what it leads to, numbered as they are reached, for names that are wanted
    /// need not differ. Definitions with the same content are the same, also where a type is the outermost in one document
    /// and not in another.
    fn content(&self, at: usize) -> Content {
        let mut content = Sha256::new();
        let mut numbers = vec![None; self.definitions.len()];
        numbers[at] = Some(0_usize);
        let mut reached = vec![at];
        let mut next = 0;
        while let Some(at) = reached.get(next).copied() {
            if next > 0 {
                content.update(&self.definitions[at].name);
            }
            content.update(self.texts[at].digest);
            for &to in &self.texts[at].leads_to {
                let number = *numbers[to].get_or_insert_with(|| {
                    reached.push(to);
                    reached.len() - 1
                });
                content.update(number.to_le_bytes());
            }
            next += 1;
        }
        content.finalize().into()
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
