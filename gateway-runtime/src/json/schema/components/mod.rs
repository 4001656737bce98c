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

mod names;
mod schema_document;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use serde_json::{Map, Value, json};

pub(crate) use crate::json::schema::components::{names::Names, schema_document::Root};
use crate::json::schema::{
    components::{
        names::{Meaning, SCHEMAS, hex, placeholder},
        schema_document::{Content, SchemaDocument, Target},
    },
    references::rewrite,
};

/// The direction of a value that a schema describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Input of the gateway.
    Input,
    /// Output of the gateway.
    Output,
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

impl Components {
    /// Adds the definitions of `document`, and returns the schema to write where it is used.
    pub(crate) fn add(&mut self, document: &Value, side: Side, root: Root) -> Value {
        let document = SchemaDocument::read(document, root);
        let meanings: Vec<Meaning> = document
            .definitions
            .iter()
            .enumerate()
            .map(|(index, definition)| Meaning {
                name: definition.name.clone(),
                content: document.content(index),
            })
            .collect();
        let mut rename = |reference: &str| match document.find(reference) {
            Some(Target { definition, below }) => {
                format!("{SCHEMAS}{}{below}", placeholder(&meanings[definition]))
            }
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
            namesakes.entry(&meaning.name).or_default().push((meaning, component.side));
        }
        let mut of = HashMap::new();
        for (wanted, all) in &namesakes {
            let count = |expected| all.iter().filter(|(_, side)| *side == expected).count();
            let output = format!("{wanted}Output");
            let is_a_pair = count(Side::Input) == 1 && count(Side::Output) == 1;
            let is_a_pair =
                is_a_pair && !namesakes.contains_key(&*output) && !self.own.contains_key(*wanted);
            for (meaning, side) in all {
                let is_own = self.own.get(*wanted) == Some(&meaning.content);
                let name = match side {
                    _ if is_own || all.len() == 1 => (*wanted).to_owned(),
                    Side::Input if is_a_pair => (*wanted).to_owned(),
                    Side::Output if is_a_pair => output.clone(),
                    _ => format!("{wanted}_{}", &hex(&meaning.content)[..8]),
                };
                of.insert(placeholder(meaning), name);
            }
        }
        Names { of }
    }
}
