//! The names of components: placeholders until all definitions are known, then what replaces them.

use std::{collections::HashMap, fmt::Write};

use serde_json::Value;

use crate::json::schema::components::schema_document::Content;

/// Prefix of references to schemas, and of placeholders for their names: no name begins with `~`.
pub(super) const SCHEMAS: &str = "#/components/schemas/";

/// The preferred name of a definition, and its content.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Meaning {
    pub(super) name: String,
    pub(super) content: Content,
}

/// The names that replace the placeholders.
#[derive(Debug)]
pub(crate) struct Names {
    pub(super) of: HashMap<String, String>,
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
        let Some(path) = reference.strip_prefix(SCHEMAS).filter(|path| path.starts_with('~'))
        else {
            return;
        };
        let (placeholder, below) = path.split_at(path.find('/').unwrap_or(path.len()));
        if let Some(name) = self.of.get(placeholder) {
            *reference = format!("{SCHEMAS}{name}{below}");
        }
    }
}

/// Returns the placeholder for the name of a definition.
pub(super) fn placeholder(meaning: &Meaning) -> String {
    format!("~{}~{}", meaning.name, hex(&meaning.content))
}

pub(super) fn hex(content: &Content) -> String {
    content.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
