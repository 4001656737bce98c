//! The canonical bytes of a document: the same for the same value, however it is written. The order
//! of members and the white space between them make no difference, and no two values have the same
//! bytes. `1` and `1.0` are two values.

use smallvec::SmallVec;

use crate::json::document::{Document, Element, ElementKind, Number, tape::FEW_MEMBERS};

impl Document {
    /// Appends the canonical bytes of the whole document.
    pub(crate) fn write_canonical(&self, out: &mut Vec<u8>) {
        write(self.root(), out);
    }
}

/// Appends the canonical bytes of an element. Each value begins with a tag and has a known length,
/// so that the bytes after it cannot be taken for a part of it.
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

/// Appends the canonical bytes of a number. A type may decode the integer of a number or its float,
/// so both are written where one does not follow from the other.
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
    fn order_of_members_and_white_space_make_no_difference() {
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
    fn different_values_have_different_bytes() {
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
        fn equal_bytes_mean_equal_values(one in texts::json(), other in texts::json()) {
            let values = [one, other].map(|text| serde_json::from_str::<Value>(&text));
            let [Ok(one), Ok(other)] = values else { return Ok(()) };
            let [a, b] = [&one, &other].map(|value| canonical(&Document::from(value)));
            // They are compared as texts, since 0.0 equals -0.0.
            let [first, second] = [&one, &other].map(|value| sorted(value).to_string());
            prop_assert_eq!(a == b, first == second);
            // The shortest text of a float beyond 2^53 is another integer.
            let written = Document::parse(one.to_string().into()).unwrap();
            let integers = |document: &Document| document.root().to_value_of_integers();
            if integers(&written) == integers(&Document::from(&one)) {
                prop_assert_eq!(&a, &canonical(&written));
            }
            prop_assert_eq!(&a, &canonical(&Document::from(&sorted(&one))));
            prop_assert_ne!(a, canonical(&Document::from(&json!([one]))));
        }
    }
}
