//! Validation of inputs by JSON Schema 2020-12: the server enforces the schema that it publishes.
//!
//! The schema of a type comes from `schemars`, is published as it is, and is compiled once.
//! Lengths, ranges, patterns, formats, enums and unknown fields (where the type denies them) are
//! checked against the [`Document`], before serde receives it; all violations are reported at once,
//! each with a JSON Pointer (SEMANTICS §2). Then serde decodes the document into the type, and
//! rejects nothing more, except as described below.
//!
//! # Numbers
//!
//! `schemars` gives the range of some integer types; here all integer types and `f32` have one, so
//! that a value that the schema allows fits its type. `1.0` and `1e2` are integers, as in JSON
//! Schema, and are parsed digit by digit: a number whose exact value is no integer of 64 bits
//! (`9007199254740993.5`, `-9223372036854775809`) is not an integer, and is never rounded to one.
//! 128-bit integers are limited to the range of 64 bits. A float is the nearest to its number; a
//! number beyond the range of `f64` (`1e400`) is a syntax error.
//!
//! # Formats
//!
//! The formats of JSON Schema 2020-12 are asserted (without `idn-email` and `idn-hostname`), and
//! `ip`, `partial-date-time` and `partial-time`, which `schemars` gives to types of `std`, `chrono`
//! and `jiff`; any other format is an annotation. They are narrower than the parsers of the types:
//! the schema rejects a `chrono` date with a year of five digits, and a `uuid` in braces. Patterns
//! are matched in linear time; a pattern that needs look-around or back-references is an error at
//! start.
//!
//! # Where schema and serde cannot agree
//!
//! The schema cannot express the following, so serde rejects it, with one violation at its place:
//! - a type with `#[serde(try_from)]` or a `Deserialize` of its own: for its own reasons, with its
//!   own message;
//! - a map with keys that are not strings: a key outside their range, or with leading zeros;
//! - a field under its name and its `#[serde(alias)]` at once;
//! - a `SocketAddr`, and a `Url` that is a URI but not a URL;
//! - any value, where `#[serde(deny_unknown_fields)]` meets a flattened enum, which serde does not
//!   support.
//!
//! The schema is narrower than serde: a field is known by its name alone, not by an alias; a struct
//! is an object, not a list of its fields; an enum variant marked `#[serde(other)]` does not accept
//! other names. `#[model]` rejects both.
//!
//! When an object has a name twice, the last one counts. An untagged enum that contains itself
//! costs serde two to the power of the depth in hostile cases; a tag avoids that.

mod applicators;
mod components;
mod decode;
mod formats;
mod generate;
mod instance;
mod messages;
mod metered;
mod openapi_parameters;
mod pointer;
mod query;
mod references;
mod strict;
mod string_enums;
#[cfg(test)]
mod tests;
mod tidy;
mod violations;

use std::{any::type_name, error::Error, fmt, sync::OnceLock};

use crate::json::schema::{instance::Instance, metered::MeteredJson, query::QueryParameters};
use bytes::Bytes;
use jsonschema::{Draft, PatternOptions, Validator, json::Json};
use schemars::{JsonSchema, generate::Contract};
use serde_json::{Value, json};

pub(crate) use crate::json::schema::{
    components::{Components, Root, Side},
    openapi_parameters::parameters,
    query::is_list_that_may_be_empty,
    tidy::tidy,
};
pub use crate::json::schema::{decode::decode, generate::output_schema};
use crate::json::{document::Document, violation::Violation};

/// The schema of an input, compiled once, at start, and shared.
pub struct InputSchema {
    document: Value,
    validator: Validator<Instance>,
    /// Validator that collects violations; compiled when they are first needed.
    explainer: OnceLock<Option<Validator<MeteredJson>>>,
    /// Document that an empty body stands for.
    absent: Option<Document>,
    query: Result<QueryParameters, String>,
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
        let refuse = |reason| SchemaError { of: type_name::<T>(), reason };
        let validator = compile(&document).map_err(refuse)?;
        let nothing = [Value::Null, json!({})].map(|value| Document::from(&value));
        let absent = nothing.into_iter().find(|document| validator.is_valid(document.root()));
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

    fn is_valid(&self, document: &Document) -> bool {
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
            .map_err(|why| vec![violation("", &format!("takes no query string: {why}"))])?;
        let (document, mut violations) =
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
    pub fn query_compatible(&self) -> Result<(), String> {
        self.query.as_ref().map(|_| ()).map_err(String::clone)
    }
}

impl fmt::Debug for InputSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InputSchema").field("document", &self.document).finish_non_exhaustive()
    }
}

/// The error of a schema that cannot be enforced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaError {
    of: &'static str,
    reason: String,
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the schema of `{}` cannot be enforced: {}", self.of, self.reason)
    }
}

impl Error for SchemaError {}

fn compile<F: Json>(document: &Value) -> Result<Validator<F>, String> {
    let options = jsonschema::options_for::<F>()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .with_pattern_options(PatternOptions::regex())
        .offline();
    formats::add(options).build(document).map_err(|error| error.to_string())
}

fn violation(pointer: &str, detail: &str) -> Violation {
    Violation { pointer: pointer.to_owned(), detail: detail.to_owned() }
}

fn syntax(error: &serde_json::Error) -> Violation {
    let message = error.to_string();
    match message.strip_prefix("recursion limit exceeded") {
        Some(place) => {
            violation("", &format!("the JSON is nested more than 127 levels deep{place}"))
        }
        None => violation("", &format!("not valid JSON: {message}")),
    }
}
