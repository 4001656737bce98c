//! Tests of documents: a text means what it means to `serde_json`.

mod decode;
mod differential;
mod hostile;
pub(crate) mod numbers;
pub(super) mod texts;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::json::document::{Document, Element, ElementKind};

fn parse(text: impl AsRef<[u8]>) -> Result<Document, serde_json::Error> {
    Document::parse(Bytes::copy_from_slice(text.as_ref()))
}

/// Asserts that both parsers reject a text for the same reason, or read the same value.
#[track_caller]
fn agree(text: &[u8]) {
    match (parse(text), serde_json::from_slice::<Value>(text)) {
        (Ok(ours), Ok(theirs)) => {
            assert_eq!(ours.to_value(), theirs);
            // Equality ignores the order of members, the kinds of numbers, and the sign of zero.
            assert_eq!(ours.to_value().to_string(), theirs.to_string());
            look_up(ours.root());
            let copied = Document::from(&theirs);
            assert_eq!(copied.to_value().to_string(), theirs.to_string());
            look_up(copied.root());
        }
        (Err(ours), Err(theirs)) => assert_eq!(ours.to_string(), theirs.to_string()),
        (ours, theirs) => panic!("{}: {ours:?}, and not {theirs:?}", String::from_utf8_lossy(text)),
    }
}

/// Asserts that every member is found by its name, and no other is.
#[track_caller]
fn look_up(element: Element<'_>) {
    match element.kind() {
        ElementKind::Text(text) => assert_eq!(element.char_count(), Some(text.chars().count())),
        ElementKind::Array(array) => {
            assert_eq!(array.iter().count(), array.len());
            array.iter().for_each(look_up);
        }
        ElementKind::Object(object) => {
            assert_eq!(object.iter().count(), object.len());
            assert!(object.get("no such name").is_none());
            for (name, value) in object.iter() {
                assert_eq!(object.get(name).map(Element::identity), Some(value.identity()));
                look_up(value);
            }
        }
        _ => {}
    }
}

#[test]
fn json_is_parsed_and_other_texts_are_rejected() {
    let texts = [
        r#"{"a":[1,-2,3.5,1e2,true,false,null,"x",{},[]]}"#,
        " \t\r\n[ ] ",
        "",
        " ",
        "nul",
        "nulll",
        "truefalse",
        "[1,]",
        "[,1]",
        "[1 2]",
        r#"{"a":1,}"#,
        r#"{"a" 1}"#,
        r#"{"a":}"#,
        "{1:2}",
        "{\"a\":1",
        "{} {}",
        "[}",
        "\u{feff}1",
        "\u{b}1",
        "'a'",
        "\"\t\"",
        "\"\u{7f}\"",
        "// no comments\n1",
    ];
    texts.iter().for_each(|text| agree(text.as_bytes()));
}

#[test]
fn numbers() {
    let texts = [
        "0",
        "-0",
        "-0.0",
        "00",
        "01",
        "-01",
        "-",
        "+1",
        ".5",
        "1.",
        "1.e1",
        "1e",
        "1e+",
        "1E-2",
        "0x1",
        "NaN",
        "Infinity",
        "1_000",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "-9223372036854775809",
        "18446744073709551615",
        "18446744073709551616",
        "-18446744073709551615",
        "99999999999999999999",
        "123456789012345678901234567890",
        "1e308",
        "1.7976931348623157e308",
        "1.7976931348623159e308",
        "1e309",
        "-1e400",
        "4.9e-324",
        "2e-324",
        "1e-400",
        "0e999999999999999999999",
        "-0e-999999999999999999999",
        "1e999999999999999999999",
        "1e-999999999999999999999",
        "2.22507385850720113605740979670913197593481954635164564e-308",
        "9007199254740993.00000000000000000000000000000000000000000001",
    ];
    texts.iter().for_each(|text| agree(text.as_bytes()));
    agree(format!("0.{}1", "0".repeat(400)).as_bytes());
    agree("9".repeat(309).as_bytes());
    agree(format!("1{}e-400", "0".repeat(400)).as_bytes());
}

#[test]
fn escapes() {
    let texts = [
        r#""\"\\\/\b\f\n\r\t""#,
        r#""\u0000\u00e9\uD83E\uDd80\u20ac""#,
        r#""\x""#,
        r#""\"#,
        r#""\u00""#,
        r#""\u00g0""#,
        r#""\u+0f0""#,
        r#""\ud800""#,
        r#""\udc00""#,
        r#""\ud800x""#,
        r#""\ud800\n""#,
        r#""\ud800\u0041""#,
        r#""\ud800\ud800""#,
        r#""\udbff\udfff""#,
        "\"\\\u{e9}\"",
        "\"\\n\u{1}\"",
        "\"plain then a line\n\"",
    ];
    texts.iter().for_each(|text| agree(text.as_bytes()));
    // The escape is tested at every position within a word, and with every remainder after it.
    for before in 0..20 {
        for after in 0..20 {
            let [before, after] = [before, after].map(|count| "é.".repeat(count));
            for escape in
                ["\\n", "\\u00e9", "\\ud83e\\udd80", "\\\"", "\"", "\\", "\u{1f}", "\\n\\n"]
            {
                agree(format!("\"{before}{escape}{after}\"").as_bytes());
                agree(format!("[\"{before}{escape}{after}").as_bytes());
            }
        }
    }
}

#[test]
fn what_is_not_utf_8_is_refused_at_its_place() {
    for text in
        [&b"\"\xff\""[..], b"\xff", b"[\"\xc3\"]", b"\"\xed\xa0\x80\"", b"{\"a\":1}\xc3", b"x\xff"]
    {
        agree(text);
    }
}

#[test]
fn repeated_name_has_its_last_value_at_its_first_place() {
    let value = |text| parse(text).unwrap().to_value().to_string();
    assert_eq!(value(r#"{"a":1,"b":2,"a":3}"#), r#"{"a":3,"b":2}"#);
    assert_eq!(
        value(r#"{"a":{"x":[1,2]},"b":2,"\u0061":{"y":0,"y":1}}"#),
        r#"{"a":{"y":1},"b":2}"#
    );
    for count in [2, 15, 16, 17, 18, 40] {
        let members: Vec<String> =
            (0..count).map(|n| format!("\"{}\":[{n},{{}}]", n % 13)).collect();
        agree(format!("{{{}}}", members.join(",")).as_bytes());
        let members: Vec<String> = (0..count).map(|n| format!("\"{n}\":{n}")).collect();
        agree(format!("{{{}}}", members.join(",")).as_bytes());
    }
}

#[test]
fn a_default_document_is_null() {
    assert_eq!(Document::default().to_value(), Value::Null);
}

#[test]
fn a_name_is_a_document_too() {
    assert_eq!(Document::of_text("né\n").to_value(), json!("né\n"));
}
