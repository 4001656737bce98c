//! The texts of a query by name.

use std::borrow::Cow;

use serde_json::{Map, Value, map::Entry};

use crate::json::{schema::pointer, violation::Violation};

/// The texts of a query by name: a string, or a list of strings.
pub(super) type Texts = Map<String, Value>;

/// Adds a text; a second one of a name makes a list. Returns a violation if the name may not
/// repeat, and the first text counts.
pub(super) fn add(
    texts: &mut Texts,
    name: Cow<'_, str>,
    text: Cow<'_, str>,
    may_repeat: bool,
) -> Option<Violation> {
    let text = Value::String(text.into_owned());
    match texts.entry(name) {
        Entry::Vacant(vacant) => {
            vacant.insert(text);
        }
        Entry::Occupied(present) if !may_repeat => {
            let pointer = pointer::short_property("", present.key());
            return Some(Violation {
                pointer,
                detail: "is repeated, but takes a single value; send it once".to_owned(),
            });
        }
        Entry::Occupied(mut present) => match present.get_mut() {
            Value::Array(list) => list.push(text),
            first => *first = Value::Array(vec![first.take(), text]),
        },
    }
    None
}
