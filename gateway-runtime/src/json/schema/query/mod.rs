//! The parser of query strings: turns a query string into a document, according to the schema.
//!
//! A query string holds text. The schema determines which of it is a number or a list:
//! [`QueryParameters`] holds the types that the schema allows for each parameter. A text that has
//! several readings (an id that is a number or a name) is read as a number first, then as a
//! boolean, a string, null: as the first that its own schema accepts. Each parameter, and each item
//! of a list, is decided by itself, in time linear in the query.
//!
//! Where the alternatives of an enum disagree about the type of a parameter of one name, each
//! alternative is tried.

mod pairs;
mod parameter_forms;
mod parameters;
#[cfg(test)]
pub(super) mod steps;
mod text_forms;
mod texts;
mod worlds;

pub(super) use crate::json::schema::query::parameters::QueryParameters;
pub(crate) use crate::json::schema::query::parameters::is_list_that_may_be_empty;
use crate::json::{document::Document, schema::query::pairs::CollectedTexts, violation::Violation};

/// A query string as a document.
pub(super) struct ParsedQuery {
    pub(super) document: Document,
    /// The violations of the query string itself.
    pub(super) violations: Vec<Violation>,
}

/// Parses a query string into an object: by the first alternative with which it `is_valid`,
/// otherwise by the first, so that the schema rejects it.
///
/// # Errors
///
/// Returns the violations if the query string cannot be parsed.
pub(super) fn read(
    parameters: &QueryParameters,
    query: &str,
    is_valid: impl Fn(&Document) -> bool,
) -> Result<ParsedQuery, Vec<Violation>> {
    let CollectedTexts { mut texts, repeated: violations } = pairs::collect(query, parameters)?;
    parameters.add_empty_lists(&mut texts);
    let mut documents =
        parameters.alternatives().map(|alternative| parameters.read(&texts, alternative));
    let first = documents.next().unwrap_or_default();
    if parameters.alternatives().len() < 2 || is_valid(&first) {
        return Ok(ParsedQuery { document: first, violations });
    }
    Ok(ParsedQuery { document: documents.find(is_valid).unwrap_or(first), violations })
}
