//! Validation of inputs by JSON Schema 2020-12: the server enforces the schema that it publishes.
//!
//! The schema of a type comes from `schemars`, is published as it is, and is compiled once.
//! Lengths, ranges, patterns, formats, enums and unknown fields (where the type denies them) are
//! checked against the [`Document`](crate::Document), before serde receives it; all violations are
//! reported at once, each with a JSON Pointer (SEMANTICS §2). Then serde decodes the document into
//! the type, and rejects nothing more, except as described below.
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

mod alternatives;
mod applicators;
mod compile;
mod components;
mod decode;
mod error;
mod formats;
mod generate;
mod input_schema;
mod instance;
mod limits;
mod messages;
mod metered;
mod openapi_parameters;
mod percent;
mod pointer;
mod query;
mod references;
mod strict;
mod string_enums;
#[cfg(test)]
mod tests;
mod tidy;
mod violations;

pub(crate) use crate::json::schema::{
    components::{Components, Root, Side},
    openapi_parameters::parameters,
    query::is_list_that_may_be_empty,
    tidy::tidy,
};
pub use crate::json::schema::{
    decode::decode,
    error::{QueryError, SchemaError, UnsupportedForm},
    generate::output_schema,
    input_schema::InputSchema,
};
