//! A schema document, split into its definitions, and the content of each.

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::json::{schema::references::rewrite, sha256::Sha256};

/// The place of a document's outermost schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    /// A component, if it is a type that an author has named.
    Named,
    /// An inline schema, where it is used.
    Inline,
}

/// The SHA-256 of a definition, with all definitions that it refers to.
pub(super) type Content = [u8; 32];

/// A schema document, split into its definitions.
pub(super) struct SchemaDocument {
    pub(super) definitions: Vec<Definition>,
    /// Text of each definition.
    texts: Vec<DefinitionText>,
    /// Outermost schema, unless it is the first of the definitions.
    pub(super) root: Option<Value>,
}

pub(super) struct Definition {
    /// Key in `$defs`; `None` for the outermost schema.
    key: Option<String>,
    /// Preferred name.
    pub(super) name: String,
    pub(super) schema: Value,
}

/// The SHA-256 of a definition's schema without the targets of its references, and these targets,
/// in their order.
struct DefinitionText {
    digest: [u8; 32],
    leads_to: Vec<usize>,
}

/// The target of a reference.
pub(super) struct Target<'r> {
    /// The index of the definition.
    pub(super) definition: usize,
    /// The path within it.
    pub(super) below: &'r str,
}

impl SchemaDocument {
    pub(super) fn read(document: &Value, root: Root) -> Self {
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

    /// Returns the definition that a reference leads to.
    pub(super) fn find<'r>(&self, reference: &'r str) -> Option<Target<'r>> {
        let pointer = reference.strip_prefix('#')?;
        let (key, below) = match pointer.strip_prefix("/$defs/") {
            Some(path) => {
                let (key, below) = path.split_at(path.find('/').unwrap_or(path.len()));
                let key = percent_decode_str(key).decode_utf8().ok()?;
                (Some(key.replace("~1", "/").replace("~0", "~")), below)
            }
            None => (None, pointer),
        };
        let definition = self.definitions.iter().position(|definition| definition.key == key)?;
        Some(Target { definition, below })
    }

    fn text(&self, definition: &Definition) -> DefinitionText {
        let mut leads_to = Vec::new();
        let schema = rewrite(&definition.schema, &mut |reference| match self.find(reference) {
            Some(Target { definition, below }) => {
                leads_to.push(definition);
                // No other reference contains a space.
                format!(" {below}")
            }
            None => reference.to_owned(),
        });
        DefinitionText { digest: Sha256::of(schema.to_string()), leads_to }
    }

    /// Returns the content of a definition: itself and the definitions that it leads to, numbered
    /// as they are reached, since preferred names may be equal. Definitions with the same content
    /// are the same, also where a type is the outermost in one document and not in another.
    pub(super) fn content(&self, index: usize) -> Content {
        let mut content = Sha256::new();
        let mut numbers = vec![None; self.definitions.len()];
        numbers[index] = Some(0_usize);
        let mut reached = vec![index];
        let mut next = 0;
        while let Some(index) = reached.get(next).copied() {
            if next > 0 {
                content.update(&self.definitions[index].name);
            }
            content.update(self.texts[index].digest);
            for &to in &self.texts[index].leads_to {
                let number = *numbers[to].get_or_insert_with(|| {
                    reached.push(to);
                    reached.len() - 1
                });
                content.update(number.to_le_bytes());
            }
            next += 1;
        }
        content.finish()
    }
}

/// Replaces the characters that a component's name cannot have (OpenAPI 3.1, "Components Object").
fn clean(name: &str) -> String {
    let allowed = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    let cleaned: String =
        name.chars().map(|character| if allowed(character) { character } else { '_' }).collect();
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
        let stem = definition.name.trim_end_matches(|character: char| character.is_ascii_digit());
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
