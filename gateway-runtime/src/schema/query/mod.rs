//! From a query string to a JSON value, as the schema wants it.
//!
//! A query string carries text. Which of it is meant as a number or a list is the schema's to say: [`Plan`] knows what
//! the schema allows for each parameter. A text that can be read in several ways (an id that is a number or a name) is
//! read as a number first, then as a boolean, a text, null; and otherwise if only that makes the whole valid.

mod forms;
mod pairs;
mod plan;

pub(super) use pairs::percent_decode;
pub(super) use plan::Plan;
pub(crate) use plan::is_list_that_may_be_empty;
use serde_json::Value;

use crate::error::Violation;

/// So many ways to read a query are tried.
const MAX_WAYS: usize = 16;

/// Reads a query string into an object: in the first way that `is_valid`, or else in the first, for the schema to
/// refuse. Beside it, what is wrong with the query string itself.
///
/// # Errors
///
/// When the query string cannot be read.
pub(super) fn read(
    plan: &Plan,
    query: &str,
    is_valid: impl Fn(&Value) -> bool,
) -> Result<(Value, Vec<Violation>), Vec<Violation>> {
    let (mut texts, flaws) = pairs::collect(query, plan)?;
    plan.add_empty_lists(&mut texts);
    let again = plan.is_ambiguous(&texts).then(|| texts.clone());
    let (first, ways) = plan.read(texts, 0);
    let Some(texts) = again.filter(|_| !is_valid(&first)) else { return Ok((first, flaws)) };
    let mut others = (1..ways.min(MAX_WAYS)).map(|nth| plan.read(texts.clone(), nth).0);
    Ok((others.find(is_valid).unwrap_or(first), flaws))
}
