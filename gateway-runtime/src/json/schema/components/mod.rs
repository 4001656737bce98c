//! The component schemas of a published document, `components/schemas`: every definition once,
//! under a stable name.
//!
//! A schema from `schemars` has its definitions in `$defs`. Here a definition that many methods
//! share is stored once. A name depends on the type alone, and never on the place in a document
//! where the type comes first, so that another method changes no other name. Where two definitions
//! differ under one name, an output that differs from the input is called `…Output`; in all other
//! cases each name ends with a part of the definition's digest.
//!
//! The names are known only when all definitions are, so references are placeholders until
//! [`Names::write`] has replaced them in the whole document.

#[cfg(test)]
mod tests;

use std::{collections::HashMap, fmt::Write};

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::json::schema::references::rewrite;

/// The direction of a value that a schema describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Input of the gateway.
    Input,
    /// Output of the gateway.
    Output,
}

/// The place of a document's outermost schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    /// A component, if it is a type that an author has named.
    Named,
    /// An inline schema, where it is used.
    Inline,
}

/// The schemas that have been collected so far.
#[derive(Debug, Default)]
pub(crate) struct Components {
    schemas: HashMap<Meaning, Component>,
    /// Content of the definitions under the gateway's own names.
    own: HashMap<String, Content>,
}

#[derive(Debug)]
struct Component {
    schema: Value,
    /// Direction; that of the inputs, if it is both.
    side: Side,
}

/// The preferred name of a definition, and its content.
type Meaning = (String, Content);

/// The SHA-256 of a definition, with all definitions that it refers to.
type Content = [u8; 32];

/// Prefix of references to schemas, and of placeholders for their names: no name begins with `~`.
const SCHEMAS: &str = "#/components/schemas/";

impl Components {
    /// Adds the definitions of `document`, and returns the schema to write where it is used.
    pub(crate) fn add(&mut self, document: &Value, side: Side, root: Root) -> Value {
        let document = SchemaDocument::read(document, root);
        let meanings: Vec<Meaning> = document
            .definitions
            .iter()
            .enumerate()
            .map(|(index, definition)| (definition.name.clone(), document.content(index)))
            .collect();
        let mut rename = |reference: &str| match document.find(reference) {
            Some((at, below)) => format!("{SCHEMAS}{}{below}", placeholder(&meanings[at])),
            None => reference.to_owned(),
        };
        for (definition, meaning) in document.definitions.iter().zip(&meanings) {
            let component = self.schemas.entry(meaning.clone());
            let component = component.or_insert_with(|| Component {
                schema: rewrite(&definition.schema, &mut rename),
                side,
            });
            if side == Side::Input {
                component.side = side;
            }
        }
        match &document.root {
            Some(root) => rewrite(root, &mut rename),
            None => json!({ "$ref": rename("#") }),
        }
    }

    /// Adds a schema of the gateway's own, whose name no other schema gets.
    pub(crate) fn add_own(&mut self, document: &Value) {
        self.add(document, Side::Input, Root::Named);
        let document = SchemaDocument::read(document, Root::Named);
        if let Some(definition) = document.definitions.first() {
            self.own.insert(definition.name.clone(), document.content(0));
        }
    }

    /// Returns the schemas by name, in alphabetical order, and the names to write into the
    /// document. Within the schemas they are written already.
    pub(crate) fn finish(self) -> (Map<String, Value>, Names) {
        let names = self.names();
        let named = self.schemas.into_iter().map(|(meaning, component)| {
            let mut schema = component.schema;
            names.write(&mut schema);
            (names.of[&placeholder(&meaning)].clone(), schema)
        });
        let mut schemas: Map<String, Value> = named.collect();
        schemas.sort_keys();
        (schemas, names)
    }

    fn names(&self) -> Names {
        let mut namesakes: HashMap<&str, Vec<(&Meaning, Side)>> = HashMap::new();
        for (meaning, component) in &self.schemas {
            namesakes.entry(&meaning.0).or_default().push((meaning, component.side));
        }
        let mut of = HashMap::new();
        for (wanted, all) in &namesakes {
            let count = |expected| all.iter().filter(|(_, side)| *side == expected).count();
            let output = format!("{wanted}Output");
            let is_a_pair = count(Side::Input) == 1 && count(Side::Output) == 1;
            let is_a_pair =
                is_a_pair && !namesakes.contains_key(&*output) && !self.own.contains_key(*wanted);
            for (meaning, side) in all {
                let is_own = self.own.get(*wanted) == Some(&meaning.1);
                let name = match side {
                    _ if is_own || all.len() == 1 => (*wanted).to_owned(),
                    Side::Input if is_a_pair => (*wanted).to_owned(),
                    Side::Output if is_a_pair => output.clone(),
                    _ => format!("{wanted}_{}", &hex(&meaning.1)[..8]),
                };
                of.insert(placeholder(meaning), name);
            }
        }
        Names { of }
    }
}

/// The names that replace the placeholders.
#[derive(Debug)]
pub(crate) struct Names {
    of: HashMap<String, String>,
}

impl Names {
    /// Replaces the placeholders in all references of a document.
    pub(crate) fn write(&self, document: &mut Value) {
        match document {
            Value::Object(members) => {
                for (name, value) in members {
                    match value {
                        Value::String(reference) if name == "$ref" => {
                            self.write_reference(reference)
                        }
                        other => self.write(other),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.write(item)),
            _ => {}
        }
    }

    fn write_reference(&self, reference: &mut String) {
        let Some(place) = reference.strip_prefix(SCHEMAS).filter(|place| place.starts_with('~'))
        else {
            return;
        };
        let (placeholder, below) = place.split_at(place.find('/').unwrap_or(place.len()));
        if let Some(name) = self.of.get(placeholder) {
            *reference = format!("{SCHEMAS}{name}{below}");
        }
    }
}

fn placeholder((wanted, content): &Meaning) -> String {
    format!("~{wanted}~{}", hex(content))
}

fn hex(content: &Content) -> String {
    content.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// A schema document, split into its definitions.
struct SchemaDocument {
    definitions: Vec<Definition>,
    /// Text of each definition.
    texts: Vec<DefinitionText>,
    /// Outermost schema, unless it is the first of the definitions.
    root: Option<Value>,
}

struct Definition {
    /// Key in `$defs`; `None` for the outermost schema.
    key: Option<String>,
    /// Preferred name.
    name: String,
    schema: Value,
}

/// The SHA-256 of a definition's schema without the targets of its references, and these targets,
/// in their order.
struct DefinitionText {
    digest: [u8; 32],
    leads_to: Vec<usize>,
}

impl SchemaDocument {
    fn read(document: &Value, root: Root) -> Self {
        let mut root_schema = document.clone();
        let mut definitions = Vec::new();
        if let Some(keywords) = root_schema.as_object_mut() {
            keywords.shift_remove("$schema");
            let defs = keywords.shift_remove("$defs");
            for (key, schema) in defs.iter().filter_map(Value::as_object).flatten() {
                definitions.push(Definition {
                    key: Some(key.clone()),
                    name: clean(key),
                    schema: schema.clone(),
                });
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
        document.texts =
            document.definitions.iter().map(|definition| document.text(definition)).collect();
        document
    }

    /// Returns the index of the definition that a reference leads to, and the path within it.
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

    fn text(&self, definition: &Definition) -> DefinitionText {
        let mut leads_to = Vec::new();
        let schema = rewrite(&definition.schema, &mut |reference| match self.find(reference) {
            Some((at, below)) => {
                leads_to.push(at);
                // No other reference contains a space.
                format!(" {below}")
            }
            None => reference.to_owned(),
        });
        DefinitionText { digest: Sha256::digest(schema.to_string()).into(), leads_to }
    }

    /// Returns the content of a definition: itself and the definitions that it leads to, numbered
    /// as they are reached, since preferred names may be equal. Definitions with the same content
    /// are the same, also where a type is the outermost in one document and not in another.
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

/// Replaces the characters that a component's name cannot have (OpenAPI 3.1, "Components Object").
fn clean(name: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let cleaned: String = name.chars().map(|c| if allowed(c) { c } else { '_' }).collect();
    if cleaned.is_empty() { "Schema".to_owned() } else { cleaned }
}

/// Removes the number with which `schemars` distinguishes types of one name: which of the types has
/// it depends on the document.
fn without_numbers(definitions: &mut [Definition], root: &str) {
    let names: Vec<_> = definitions
        .iter()
        .map(|definition| definition.name.clone())
        .chain([root.to_owned()])
        .collect();
    for definition in definitions {
        let stem = definition.name.trim_end_matches(|c: char| c.is_ascii_digit());
        if names.iter().any(|name| name == stem) {
            definition.name = stem.to_owned();
        }
    }
}

/// Removes the title that `schemars` gives to the outermost schema, and returns it as a name.
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

/// Returns whether a schema is that of a struct or an enum, which a generator of clients should
/// make a type of.
fn is_a_type(schema: &Value) -> bool {
    let has = |key| schema.get(key).is_some();
    has("properties")
        || has("enum")
        || has("oneOf")
        || has("allOf")
        || has("anyOf") && !is_nullable(schema)
}

/// Returns whether it is `Option<T>` of a named type.
fn is_nullable(schema: &Value) -> bool {
    let branches = schema.get("anyOf").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    matches!(
        branches,
        [some, none] if some.get("$ref").is_some() && none.get("type") == Some(&json!("null"))
    )
}

/// Returns whether a reference in the document leads to its outermost schema, or into it.
fn is_referred_to(document: &Value) -> bool {
    let mut found = false;
    rewrite(document, &mut |reference| {
        found |= reference.starts_with('#') && !reference.starts_with("#/$defs/");
        String::new()
    });
    found
}
