//! The decoder of `application/x-www-form-urlencoded` text (URL Standard §5.1) into names and
//! texts. It is strict: text that is not percent-encoded UTF-8 is rejected, not replaced.

use std::borrow::Cow;

use serde_json::{Map, Value, map::Entry};

use crate::json::{
    schema::{pointer, query::QueryParameters, violations::MAX_VIOLATIONS},
    violation::Violation,
};

/// The texts of a query by name.
pub(super) type Texts = Map<String, Value>;

/// Collects the texts of a query by name: a string, or a list of strings where a name that may
/// repeat does.
///
/// Returns them with a violation for each name that repeats and may not; the first of its texts
/// counts.
///
/// # Errors
///
/// Returns a violation for each pair that cannot be decoded.
pub(super) fn collect(
    query: &str,
    parameters: &QueryParameters,
) -> Result<(Texts, Vec<Violation>), Vec<Violation>> {
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
    if broken.is_empty() { Ok((texts, repeated)) } else { Err(broken) }
}

fn add(
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
                detail: "is given more than once, and takes one value".to_owned(),
            });
        }
        Entry::Occupied(mut present) => match present.get_mut() {
            Value::Array(list) => list.push(text),
            first => *first = Value::Array(vec![first.take(), text]),
        },
    }
    None
}

/// Decodes a name or a value, in which `+` stands for a space.
fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('+') {
        return percent_decode(text);
    }
    percent_decode(&text.replace('+', " ")).map(|text| Cow::Owned(text.into_owned()))
}

/// Decodes percent-encoding (RFC 3986 §2.1); `None` if it is broken or encodes no UTF-8.
pub(in crate::json::schema) fn percent_decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => 16 * hex_digit(rest.next()?)? + hex_digit(rest.next()?)?,
            other => other,
        });
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

fn hex_digit(byte: u8) -> Option<u8> {
    (byte as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
