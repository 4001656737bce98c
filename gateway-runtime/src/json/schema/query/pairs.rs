//! The decoder of `application/x-www-form-urlencoded` text (URL Standard §5.1) into names and
//! texts. It is strict: text that is not percent-encoded UTF-8 is rejected, not replaced.

use std::borrow::Cow;

use crate::json::{
    schema::{
        limits::MAX_VIOLATIONS,
        percent::percent_decode,
        pointer,
        query::{
            parameters::QueryParameters,
            texts::{Texts, add},
        },
    },
    violation::Violation,
};

/// The texts of a query.
pub(super) struct CollectedTexts {
    pub(super) texts: Texts,
    /// A violation for each name that repeats and may not.
    pub(super) repeated: Vec<Violation>,
}

/// Collects the texts of a query by name: a string, or a list of strings where a name that may
/// repeat does.
///
/// A name that repeats and may not is a violation; the first of its texts counts.
///
/// # Errors
///
/// Returns a violation for each pair that cannot be decoded.
pub(super) fn collect(
    query: &str,
    parameters: &QueryParameters,
) -> Result<CollectedTexts, Vec<Violation>> {
    let mut texts = Texts::new();
    let mut repeated = Vec::new();
    let mut broken = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, text) = pair.split_once('=').unwrap_or((pair, ""));
        let detail = match (decode(name), decode(text)) {
            (Some(name), Some(text)) => {
                let may_repeat = parameters.may_repeat(&name);
                if let Some(violation) = add(&mut texts, name, text, may_repeat)
                    && !repeated.contains(&violation)
                {
                    repeated.push(violation);
                }
                None
            }
            (Some(name), None) => {
                Some((pointer::short_property("", &name), "the value is not percent-encoded UTF-8"))
            }
            (None, _) => {
                Some((String::new(), "the name of a parameter is not percent-encoded UTF-8"))
            }
        };
        broken.extend(
            detail.map(|(pointer, detail)| Violation { pointer, detail: detail.to_owned() }),
        );
        if broken.len() >= MAX_VIOLATIONS || repeated.len() >= MAX_VIOLATIONS {
            break;
        }
    }
    if broken.is_empty() { Ok(CollectedTexts { texts, repeated }) } else { Err(broken) }
}

/// Decodes a name or a value, in which `+` stands for a space.
fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('+') {
        return percent_decode(text);
    }
    percent_decode(&text.replace('+', " ")).map(|text| Cow::Owned(text.into_owned()))
}
