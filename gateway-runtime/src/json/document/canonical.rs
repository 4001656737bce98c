//! A document as bytes that say the same for the same value, however it is written: the order of members and the spaces
//! between them are no difference, and no two values are the same bytes. `1` and `1.0` are two values.

use smallvec::SmallVec;

use crate::json::document::{Document, Element, ElementKind, Number, tape::FEW_MEMBERS};

impl Document {
    /// Appends the canonical bytes of the whole.
    pub(crate) fn write_canonical(&self, out: &mut Vec<u8>) {
        write(self.root(), out);
    }
}

/// Each value begins with a tag and has a known length, so what comes after it cannot be taken for a part of it.
fn write(element: Element<'_>, out: &mut Vec<u8>) {
    match element.kind() {
        ElementKind::Null => out.push(b'n'),
        ElementKind::Bool(true) => out.push(b't'),
        ElementKind::Bool(false) => out.push(b'f'),
        ElementKind::Number(number) => write_number(number, out),
        ElementKind::Text(text) => write_text(text, out),
        ElementKind::Array(array) => {
            tagged(out, b'a', (array.len() as u64).to_be_bytes());
            array.iter().for_each(|item| write(item, out));
        }
        ElementKind::Object(object) => {
            tagged(out, b'o', (object.len() as u64).to_be_bytes());
            let mut members: SmallVec<[_; FEW_MEMBERS as usize]> = object.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            for (name, value) in members {
                write_text(name, out);
                write(value, out);
            }
        }
    }
}

/// A type may take the integer of a number or its float, so both are said where one does not follow from the other.
fn write_number(number: Number, out: &mut Vec<u8>) {
    match number {
        Number::Unsigned(number) => tagged(out, b'u', number.to_be_bytes()),
        Number::Signed(number) => tagged(out, b'i', number.to_be_bytes()),
        Number::Rounded(number) => tagged(out, b'r', number.to_bits().to_be_bytes()),
        _ if Number::exactly(number.to_f64()) == number => {
            tagged(out, b'd', number.to_f64().to_bits().to_be_bytes())
        }
        Number::Whole(number) => tagged(out, b'w', number.to_be_bytes()),
        Number::Negative(number) => tagged(out, b'm', number.to_be_bytes()),
        Number::Float(number) => tagged(out, b'd', number.to_bits().to_be_bytes()),
    }
}

fn tagged(out: &mut Vec<u8>, tag: u8, bytes: [u8; 8]) {
    out.push(tag);
    out.extend_from_slice(&bytes);
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    tagged(out, b's', (text.len() as u64).to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::json::document::tests::texts;

    fn canonical(document: &Document) -> Vec<u8> {
        let mut out = Vec::new();
        document.write_canonical(&mut out);
        out
    }

    fn of(text: &str) -> Vec<u8> {
        canonical(&Document::parse(text.to_owned().into()).unwrap())
    }

    fn sorted(value: &Value) -> Value {
        let mut value = value.clone();
        value.sort_all_objects();
        value
    }

    #[test]
    fn the_order_of_members_and_spaces_are_no_difference() {
        assert_eq!(
            of(r#"{"a": 1, "b": {"d": [1, 2], "c": "\u0061"}}"#),
            of(r#"{"b":{"c":"a","d":[1,2]},"a":1}"#)
        );
        let many: Vec<_> = (0..40).map(|n| format!("\"{n}\":{n}")).collect();
        let turned: Vec<_> = many.iter().rev().cloned().collect();
        assert_eq!(
            of(&format!("{{{}}}", many.join(","))),
            of(&format!("{{{}}}", turned.join(", ")))
        );
        assert_eq!(of(r#"{"a":1,"a":2}"#), of(r#"{"a":2}"#));
    }

    #[test]
    fn what_differs_is_told_apart() {
        let texts = [
            "null",
            "false",
            "true",
            "0",
            "-1",
            "1",
            "1.0",
            "0.0",
            "-0.0",
            "\"\"",
            "\"1\"",
            "[]",
            "{}",
            "[[]]",
            "[1,2]",
            "[2,1]",
            "[[1],2]",
            "[[1,2]]",
            r#"["a","b"]"#,
            r#"["ab",""]"#,
            r#"{"a":"b"}"#,
            r#"{"ab":""}"#,
            r#"{"":"ab"}"#,
        ];
        for (at, one) in texts.iter().enumerate() {
            for other in &texts[at + 1..] {
                assert_ne!(of(one), of(other), "{one} {other}");
            }
        }
    }

    proptest! {
        #[test]
        fn the_same_bytes_mean_the_same_value(one in texts::json(), other in texts::json()) {
            let [Ok(one), Ok(other)] = [one, other].map(|text| serde_json::from_str::<Value>(&text)) else {
                return Ok(());
            };
            let [a, b] = [&one, &other].map(|value| canonical(&Document::from(value)));
            // As texts, since 0.0 equals -0.0.
            let [first, second] = [&one, &other].map(|value| sorted(value).to_string());
            prop_assert_eq!(a == b, first == second);
            // The shortest text of a float beyond 2^53 is another integer.
            let written = Document::parse(one.to_string().into()).unwrap();
            if written.root().to_value_of_integers() == Document::from(&one).root().to_value_of_integers() {
                prop_assert_eq!(&a, &canonical(&written));
            }
            prop_assert_eq!(&a, &canonical(&Document::from(&sorted(&one))));
            prop_assert_ne!(a, canonical(&Document::from(&json!([one]))));
        }
    }
}
