//! Compilation of schemas: JSON Schema 2020-12 with asserted formats, and patterns in linear time.

use jsonschema::{Draft, PatternOptions, ValidationError, Validator, json::Json};
use serde_json::Value;

use crate::json::schema::formats;

pub(super) fn compile<F: Json>(
    document: &Value,
) -> Result<Validator<F>, Box<ValidationError<'static>>> {
    let options = jsonschema::options_for::<F>()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .with_pattern_options(PatternOptions::regex())
        .offline();
    formats::add(options).build(document).map_err(Box::new)
}
