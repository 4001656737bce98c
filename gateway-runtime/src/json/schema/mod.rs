//! JSON Schema 2020-12 as the judge of input: what the schema says is what the server enforces.
//!
//! The schema of a type comes from `schemars`, is published as it is, and is compiled once. Lengths, ranges, patterns,
//! formats, enums and unknown fields (where the type denies them) are checked against the [`Document`], before serde
//! sees it; all violations are reported at once, each with a JSON Pointer. Then the document becomes the type, and serde
//! refuses nothing more, except as said below.
//!
//! # Numbers
//!
//! `schemars` gives the range of some integer types; here all have theirs, and `f32`, so that a value the schema
//! allows fits. `1.0` and `1e2` are integers, as in JSON Schema, and are read digit by digit: what is not exactly an
//! integer of 64 bits (`9007199254740993.5`, `-9223372036854775809`) is none, and is never rounded to one. 128-bit
//! integers are limited to what 64 bits hold. A float is the nearest to its number; one beyond the range of `f64`
//! (`1e400`) is a syntax error.
//!
//! # Formats
//!
//! Those of JSON Schema 2020-12 are asserted (without `idn-email` and `idn-hostname`), and `ip`, `partial-date-time`
//! and `partial-time`, which `schemars` gives to types of `std`, `chrono` and `jiff`; any other is an annotation.
//! They are narrower than the parsers behind: a `chrono` date with a year of five digits, a `uuid` in braces are
//! refused by the schema. Patterns are matched in linear time; one that would need look-around or back-references is an
//! error at start.
//!
//! # Where schema and serde cannot agree
//!
//! The schema cannot say, and so serde refuses with one violation at its place:
//! - a type with `#[serde(try_from)]` or a `Deserialize` of its own: its own reasons, in its own words;
//! - a map with keys that are no strings: a key outside their range, or with leading zeros;
//! - a field under its name and its `#[serde(alias)]` at once;
//! - a `SocketAddr`, and a `Url` that is a URI but not a URL;
//! - anything, where `#[serde(deny_unknown_fields)]` meets a flattened enum, which serde does not support.
//!
//! The schema is narrower than serde: a field is known by its name alone, not by an alias; a struct is an object, not a
//! list of its fields; an enum variant marked `#[serde(other)]` is not open to other names. `#[model]` refuses both.
//!
//! When an object has a key twice, the last counts. An untagged enum that contains itself costs serde two to the power
//! of the depth in hostile cases; a tag avoids that.

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

/// The schema of an input, compiled: built once, at start, and shared.
pub struct InputSchema {
    document: Value,
    validator: Validator<Instance>,
    /// Compiled when the first violation is to be explained.
    explainer: OnceLock<Option<Validator<MeteredJson>>>,
    /// What an empty body stands for.
    absent: Option<Document>,
    query: Result<QueryParameters, String>,
}

impl InputSchema {
    /// The schema of `T` as it is deserialized.
    ///
    /// # Errors
    ///
    /// When the schema cannot be enforced: it is malformed, which only a hand-written `JsonSchema` or an attribute
    /// makes it, or has a pattern that cannot be matched in linear time.
    pub fn of<T: JsonSchema + ?Sized>() -> Result<Self, SchemaError> {
        Self::compiled::<T>(generate::document::<T>(Contract::Deserialize))
    }

    /// The same, with every property that no type declares denied, whether or not the types do: for configuration,
    /// where such a name is a slip.
    ///
    /// # Errors
    ///
    /// As [`of`](Self::of).
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

    /// The schema document; its references lead into its own `$defs`, or to `#` where the type contains itself.
    #[must_use]
    pub fn json(&self) -> &Value {
        &self.document
    }

    /// Whether a client that has nothing to say need not say it: an empty body or query string will do.
    #[must_use]
    pub fn is_optional(&self) -> bool {
        self.absent.is_some()
    }

    /// Judges a value.
    ///
    /// # Errors
    ///
    /// Every violation, up to 100 and then that there are more. Of a value with hundreds of thousands of parts, those
    /// found in bounded time.
    pub fn check(&self, value: &Value) -> Result<(), Vec<Violation>> {
        self.validate(Document::from(value)).map(|_| ())
    }

    /// Judges a document, and gives it back.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check).
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

    /// Reads a JSON text and judges it.
    ///
    /// An empty body is `null` if the schema allows that, else `{}` if all properties are optional: a client that has
    /// nothing to say need not say it.
    ///
    /// # Errors
    ///
    /// The first fault of syntax, with line and column, or every violation of the schema.
    pub fn parse_json(&self, body: Bytes) -> Result<Document, Vec<Violation>> {
        if body.is_empty() {
            return self
                .absent
                .clone()
                .ok_or_else(|| vec![violation("", "the body is empty; JSON is expected")]);
        }
        self.validate(Document::parse(body).map_err(|error| vec![syntax(&error)])?)
    }

    /// Reads a query string (without the `?`) and judges it.
    ///
    /// The schema says what a parameter is: a number, a boolean, a text, or a list, whose name repeats
    /// (`to=ann&to=bob`). Numbers are written as in JSON, booleans `true` and `false`; `null`, where no other text is
    /// allowed, is null. A list of no items cannot be written: a property that is a list and must be there is empty when
    /// it is not named. No parameters at all are `{}`, or `null` where the schema allows only that.
    ///
    /// # Errors
    ///
    /// Every violation: broken percent-encodings, a name that repeats and may not, and then those of the schema.
    pub fn parse_query(&self, query: &str) -> Result<Document, Vec<Violation>> {
        let plan = self
            .query
            .as_ref()
            .map_err(|why| vec![violation("", &format!("takes no query string: {why}"))])?;
        let (document, mut violations) =
            query::read(plan, query, |document| self.is_valid(document))?;
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

    /// Whether the input can come from a query string: an object of numbers, booleans, texts and lists of these.
    ///
    /// # Errors
    ///
    /// Why it cannot, naming the property.
    pub fn query_compatible(&self) -> Result<(), String> {
        self.query.as_ref().map(|_| ()).map_err(String::clone)
    }
}

impl fmt::Debug for InputSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InputSchema").field("document", &self.document).finish_non_exhaustive()
    }
}

/// Why a schema cannot be enforced.
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
