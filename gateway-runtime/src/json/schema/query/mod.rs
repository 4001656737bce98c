//! From a query string to a document, as the schema wants it.
//!
//! A query string carries text. Which of it is meant as a number or a list is the schema's to say: [`Plan`] knows what
//! the schema allows for each parameter. A text that can be read in several ways (an id that is a number or a name) is
//! read as a number first, then as a boolean, a text, null: as the first that its own schema takes. Each parameter, and
//! each item of a list, is decided by itself, in time linear in the query.
//!
//! Where the alternatives of an enum disagree about the type of a parameter of one name, each alternative is tried.

mod pairs;
mod parameters;
mod slot;
mod text_forms;
mod worlds;

pub(crate) use crate::json::schema::query::parameters::is_list_that_may_be_empty;
pub(super) use crate::json::schema::query::{pairs::percent_decode, parameters::QueryParameters};
use crate::json::{document::Document, violation::Violation};

/// Reads a query string into an object: by the first alternative with which it `is_valid`, or else by the first, for the
/// schema to refuse. Beside it, what is wrong with the query string itself.
///
/// # Errors
///
/// When the query string cannot be read.
pub(super) fn read(
    plan: &QueryParameters,
    query: &str,
    is_valid: impl Fn(&Document) -> bool,
) -> Result<(Document, Vec<Violation>), Vec<Violation>> {
    let (mut texts, flaws) = pairs::collect(query, plan)?;
    plan.add_empty_lists(&mut texts);
    let mut documents = plan.alternatives().map(|alternative| plan.read(&texts, alternative));
    let first = documents.next().unwrap_or_default();
    if plan.alternatives().len() < 2 || is_valid(&first) {
        return Ok((first, flaws));
    }
    Ok((documents.find(is_valid).unwrap_or(first), flaws))
}

/// Counts the steps of reading, in tests.
#[cfg(test)]
pub(super) mod steps {
    use std::cell::Cell;

    thread_local! {
        static TAKEN: Cell<usize> = const { Cell::new(0) };
    }

    pub(crate) fn add(steps: usize) {
        TAKEN.with(|taken| taken.set(taken.get() + steps));
    }

    /// How many steps `read` takes.
    pub(crate) fn of(read: impl FnOnce()) -> usize {
        TAKEN.with(|taken| taken.set(0));
        read();
        TAKEN.with(Cell::get)
    }
}
