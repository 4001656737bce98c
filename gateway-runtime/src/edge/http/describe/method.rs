//! The methods as described in documents for client generators: with an id, and with schemas that
//! refer to components.

use serde_json::Value;

use crate::{
    edge::http::describe::operation_id::operation_ids,
    json::schema::{Components, Root, Side},
    service::{
        into_reply::ReplyShape,
        registry::{Method, Registry},
    },
};

/// A method with its id and its schemas in a document.
#[derive(Debug)]
pub(super) struct MethodDescription<'r> {
    pub(super) method: &'r Method,
    pub(super) id: String,
    /// The schema of the input.
    pub(super) input: Option<Value>,
    /// The schema of the reply, or of each item of it.
    pub(super) answer: Option<Value>,
}

impl<'r> MethodDescription<'r> {
    /// Describes all methods. The schemas of inputs are named first; `query` says how the schemas
    /// of inputs in the query are written.
    pub(super) fn all(
        registry: &'r Registry,
        components: &mut Components,
        query: Root,
    ) -> Vec<Self> {
        let methods = registry.methods().zip(operation_ids(registry));
        let described = methods.map(|(method, id)| {
            let root = if method.spec.verb.has_query_input() { query } else { Root::Named };
            let input = method
                .input
                .as_ref()
                .map(|input| components.add(input.schema.json(), Side::Input, root));
            Self { method, id, input, answer: None }
        });
        let mut described: Vec<_> = described.collect();
        for it in &mut described {
            if let ReplyShape::Json(schema) | ReplyShape::Items(schema) = &it.method.answer {
                it.answer = Some(components.add(schema, Side::Output, Root::Named));
            }
        }
        described
    }

    /// Returns whether the input may be omitted.
    pub(super) fn is_optional(&self) -> bool {
        self.method.input.as_ref().is_none_or(|input| input.schema.is_optional())
    }
}
