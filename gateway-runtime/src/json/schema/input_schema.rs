//! The schema of an input: compiled once, at start, and enforced for each call.

use std::{any::type_name, fmt, sync::OnceLock};

use bytes::Bytes;
use jsonschema::Validator;
use schemars::{JsonSchema, generate::Contract};
use serde_json::{Value, json};

use crate::json::{
    document::Document,
    schema::{
        compile::compile,
        error::{QueryError, SchemaError},
        generate,
        instance::Instance,
        metered::MeteredJson,
        query::{self, ParsedQuery, QueryParameters},
        strict, violations,
    },
    violation::Violation,
};

/// The schema of an input, compiled once, at start, and shared.
pub struct InputSchema {
    document: Value,
    validator: Validator<Instance>,
    /// Validator that collects violations; compiled when they are first needed.
    explainer: OnceLock<Option<Validator<MeteredJson>>>,
    /// Document that an empty body stands for.
    absent: Option<Document>,
    query: Result<QueryParameters, QueryError>,
}

impl InputSchema {
    /// Compiles the schema of `T` as it is deserialized.
    ///
    /// # Errors
    ///
    /// Returns an error if the schema cannot be enforced: it is malformed, which only a
    /// hand-written `JsonSchema` or an attribute causes, or has a pattern that cannot be matched in
    /// linear time.
    pub fn of<T: JsonSchema + ?Sized>() -> Result<Self, SchemaError> {
        Self::compiled::<T>(generate::document::<T>(Contract::Deserialize))
    }

    /// Compiles the schema of `T`, with every property denied that no type declares, whether or not
    /// the types deny it: for the configuration, where an unknown name is a mistake.
    ///
    /// # Errors
    ///
    /// Returns an error as [`of`](Self::of) does.
    pub fn strict<T: JsonSchema + ?Sized>() -> Result<Self, SchemaError> {
        let mut document = generate::document::<T>(Contract::Deserialize);
        strict::deny_undeclared(&mut document);
        strict::trim_secrets(&mut document);
        Self::compiled::<T>(document)
    }

    fn compiled<T: ?Sized>(document: Value) -> Result<Self, SchemaError> {
        let validator = compile(&document)
            .map_err(|error| SchemaError { of: type_name::<T>(), reason: error.to_string() })?;
        let empty = [Value::Null, json!({})].map(|value| Document::from(&value));
        let absent = empty.into_iter().find(|document| validator.is_valid(document.root()));
        let query = QueryParameters::of(&document);
        Ok(Self { document, validator, explainer: OnceLock::new(), absent, query })
    }

    /// Returns the schema document. References in it lead into its own `$defs`, or to `#` where the
    /// type contains itself.
    #[must_use]
    pub fn json(&self) -> &Value {
        &self.document
    }

    /// Returns whether the input may be omitted: an empty body or query string is valid.
    #[must_use]
    pub fn is_optional(&self) -> bool {
        self.absent.is_some()
    }

    /// Validates a value.
    ///
    /// # Errors
    ///
    /// Returns every violation, up to 100 and then one that says that there are more. Of a value
    /// with hundreds of thousands of parts, it returns those found in bounded time.
    pub fn check(&self, value: &Value) -> Result<(), Vec<Violation>> {
        self.validate(Document::from(value)).map(|_| ())
    }

    /// Validates a document, and returns it.
    ///
    /// # Errors
    ///
    /// Returns an error as [`check`](Self::check) does.
    pub fn validate(&self, document: Document) -> Result<Document, Vec<Violation>> {
        if self.is_valid(&document) { Ok(document) } else { Err(self.explain(&document)) }
    }

    pub(super) fn is_valid(&self, document: &Document) -> bool {
        self.validator.is_valid(document.root())
    }

    #[cold]
    fn explain(&self, document: &Document) -> Vec<Violation> {
        match self.explainer.get_or_init(|| compile(&self.document).ok()) {
            Some(explainer) => violations::violations(&self.document, explainer, document),
            None => vec![violation("", "does not satisfy the schema")],
        }
    }

    /// Parses a JSON text and validates it.
    ///
    /// An empty body is `null` if the schema allows that, otherwise `{}` if all properties are
    /// optional, so that a client may omit an input without content.
    ///
    /// # Errors
    ///
    /// Returns the first syntax error, with line and column, or every violation of the schema.
    pub fn parse_json(&self, body: Bytes) -> Result<Document, Vec<Violation>> {
        if body.is_empty() {
            return self
                .absent
                .clone()
                .ok_or_else(|| vec![violation("", "the body is empty; JSON is expected")]);
        }
        self.validate(Document::parse(body).map_err(|error| vec![syntax(&error)])?)
    }

    /// Parses a query string (without the `?`) and validates it.
    ///
    /// The schema determines the type of a parameter: a number, a boolean, a string, or a list,
    /// whose name is repeated (`to=ann&to=bob`). Numbers are written as in JSON, booleans as `true`
    /// and `false`; `null` is null where no other text is allowed. A list of no items cannot be
    /// written: a required property that is a list is empty when its name is absent. A query
    /// without parameters is `{}`, or `null` where the schema allows only that.
    ///
    /// # Errors
    ///
    /// Returns every violation: broken percent-encodings, repeated names that take one value, and
    /// then the violations of the schema.
    pub fn parse_query(&self, query: &str) -> Result<Document, Vec<Violation>> {
        let parameters = self
            .query
            .as_ref()
            .map_err(|error| vec![violation("", &format!("takes no query string: {error}"))])?;
        let ParsedQuery { document, mut violations } =
            query::read(parameters, query, |document| self.is_valid(document))?;
        let absent =
            self.absent.as_ref().filter(|absent| query.is_empty() && absent.root().is_null());
        match (self.validate(document), absent) {
            (Ok(document), _) if violations.is_empty() => Ok(document),
            (Err(_), Some(null)) => Ok(null.clone()),
            (other, _) => {
                violations.extend(other.err().into_iter().flatten());
                Err(violations)
            }
        }
    }

    /// Checks that the input can come from a query string: an object of numbers, booleans, strings
    /// and lists of these.
    ///
    /// # Errors
    ///
    /// Returns the reason why it cannot, with the name of the property.
    pub fn query_compatible(&self) -> Result<(), QueryError> {
        self.query.as_ref().map(|_| ()).map_err(QueryError::clone)
    }
}

impl fmt::Debug for InputSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InputSchema").field("document", &self.document).finish_non_exhaustive()
    }
}

fn violation(pointer: &str, detail: &str) -> Violation {
    Violation { pointer: pointer.to_owned(), detail: detail.to_owned() }
}

fn syntax(error: &serde_json::Error) -> Violation {
    let message = error.to_string();
    match message.strip_prefix("recursion limit exceeded") {
        Some(position) => {
            violation("", &format!("the JSON is nested more than 127 levels deep{position}"))
        }
        None => violation("", &format!("not valid JSON: {message}")),
    }
}
