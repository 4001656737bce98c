//! Integers arrive as they were sent, or are rejected: in bodies, queries, and parts of messages.

use std::{collections::BTreeMap, fmt::Debug, num::NonZero};

use num_bigint::BigInt;
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

use crate::json::{
    document::{
        Document, ElementKind,
        tests::numbers::{any_number, integer},
    },
    schema::{
        InputSchema, decode,
        tests::{schema, violations_of},
    },
};

#[derive(JsonSchema, Deserialize, Debug)]
struct One<T> {
    n: T,
}

#[derive(JsonSchema, Deserialize, Debug)]
struct Flattened {
    #[serde(flatten)]
    one: One<i64>,
}

#[derive(JsonSchema, Deserialize, Debug)]
#[serde(untagged)]
#[expect(dead_code, reason = "only read")]
enum Choice {
    Integer(i64),
    Float(f64),
}

/// Asserts that a number arrives by each path as in the model: as the integer itself, if the type
/// can hold it, otherwise as a violation.
#[track_caller]
fn arrives<T>(schema: &InputSchema, text: &str)
where
    T: JsonSchema + DeserializeOwned + TryFrom<BigInt> + PartialEq + Debug,
{
    let expected = integer(text).and_then(|exact| T::try_from(exact).ok());
    let body = format!("{{\"n\":{text}}}");
    let message = Document::parse(format!("[{body}]").into()).unwrap();
    let ElementKind::Array(parts) = message.root().kind() else { panic!("a list") };
    let part = Document::from(parts.iter().next().unwrap());
    for (road, document) in [
        ("body", schema.parse_json(body.into())),
        ("query", schema.parse_query(&format!("n={}", text.replace('+', "%2B")))),
        ("part", schema.validate(part)),
    ] {
        let found = document.and_then(|document| decode::<One<T>>(&document)).map(|one| one.n);
        assert_eq!(found.as_ref().ok(), expected.as_ref(), "{road}: {text}");
        for violation in found.err().into_iter().flatten() {
            assert_eq!(violation.pointer, "/n", "{text}: {violation:?}");
            assert!(!violation.detail.contains("too large to locate"), "{text}: {violation:?}");
        }
    }
}

macro_rules! integers {
    ($($name:ident $type:ty;)*) => {
        thread_local! {
            $(static $name: InputSchema = schema::<One<$type>>();)*
        }

        proptest! {
            #![proptest_config(ProptestConfig {
                failure_persistence: None,
                ..ProptestConfig::default()
            })]

            #[test]
            fn integers_arrive_as_they_were_sent(text in any_number()) {
                $($name.with(|schema| arrives::<$type>(schema, &text));)*
            }
        }
    };
}

integers! {
    OF_I8 i8; OF_I16 i16; OF_I32 i32; OF_I64 i64; OF_ISIZE isize;
    OF_U8 u8; OF_U16 u16; OF_U32 u32; OF_U64 u64; OF_USIZE usize;
}

#[test]
fn each_spelling_of_an_integer_is_read_exactly() {
    let read = |text: &str| {
        let document = schema::<One<u64>>().parse_json(format!("{{\"n\":{text}}}").into())?;
        decode::<One<u64>>(&document).map(|one| one.n)
    };
    for (text, number) in [
        ("3.0", 3),
        ("1e2", 100),
        ("-0", 0),
        ("123456789012345678e1", 1_234_567_890_123_456_780),
        ("18446744073709551615.0", u64::MAX),
        ("9007199254740993.0", 9_007_199_254_740_993),
    ] {
        assert_eq!(read(text), Ok(number), "{text}");
    }
    let rounded = "/n: expected integer, got a number that is not exactly an integer of 64 bits";
    for (text, expected) in [
        ("9007199254740993.5", rounded),
        ("0.99999999999999999", rounded),
        ("3.5", "/n: expected integer, got a number with a fraction"),
        ("18446744073709551616", "/n: must be at most 18446744073709551615"),
        ("-1", "/n: must be at least 0"),
    ] {
        assert_eq!(violations_of(read(text)), [expected], "{text}");
    }
    let low = schema::<One<i64>>().parse_json(r#"{"n":-9223372036854775809}"#.into());
    assert_eq!(violations_of(low), [rounded]);
    let lowest = schema::<One<i64>>().parse_json(r#"{"n":-9223372036854775808.0}"#.into()).unwrap();
    assert_eq!(decode::<One<i64>>(&lowest).unwrap().n, i64::MIN);
    let high = schema::<One<i64>>().parse_query("n=9223372036854775808");
    assert_eq!(violations_of(high), ["/n: must be at most 9223372036854775807"]);
}

#[test]
fn integers_within_other_types_are_as_exact() {
    let refused = r#"{"n":-9223372036854775809}"#;
    assert_eq!(violations_of(schema::<Flattened>().parse_json(refused.into())).len(), 1);
    assert_eq!(violations_of(schema::<One<Option<i64>>>().parse_json(refused.into())).len(), 1);
    assert_eq!(
        violations_of(
            schema::<One<Vec<i64>>>().parse_json(r#"{"n":[1,0.99999999999999999]}"#.into())
        )
        .len(),
        1
    );
    assert_eq!(violations_of(schema::<One<NonZero<i64>>>().parse_json(refused.into())).len(), 1);
    assert!(
        !violations_of(schema::<One<NonZero<u8>>>().parse_json(r#"{"n":1e-400}"#.into()))
            .is_empty()
    );
    // 128-bit integers are limited to the range of 64 bits.
    assert_eq!(violations_of(schema::<One<i128>>().parse_json(refused.into())).len(), 1);
    let keys =
        schema::<BTreeMap<i64, u8>>().parse_json(r#"{"-9223372036854775809":1}"#.into()).unwrap();
    assert!(decode::<BTreeMap<i64, u8>>(&keys).is_err());

    let exact = schema::<Flattened>().parse_json(r#"{"n":9007199254740993.0}"#.into()).unwrap();
    assert_eq!(decode::<Flattened>(&exact).unwrap().one.n, 9_007_199_254_740_993);
    // A number that fits only the alternative of a float is the nearest float.
    let choice = schema::<One<Choice>>().parse_json(r#"{"n":9007199254740993.5}"#.into()).unwrap();
    assert!(matches!(decode::<One<Choice>>(&choice).unwrap().n, Choice::Float(_)));
}

#[test]
fn constants_and_unique_items_are_compared_exactly() {
    #[derive(JsonSchema, Deserialize)]
    #[expect(dead_code, reason = "only described")]
    struct Query {
        #[schemars(extend("enum" = [1, 9_007_199_254_740_993_u64]))]
        level: u64,
        #[schemars(extend("uniqueItems" = true))]
        ids: Vec<u64>,
    }
    let check = |level: &str, ids: &str| {
        schema::<Query>().parse_json(format!("{{\"level\":{level},\"ids\":[{ids}]}}").into())
    };
    assert!(check("9007199254740993.0", "9007199254740993.0,9007199254740992").is_ok());
    assert_eq!(violations_of(check("9007199254740992", "")).len(), 1);
    assert_eq!(violations_of(check("0.99999999999999999", "")).len(), 2);
    assert_eq!(violations_of(check("1", "2,2.0")), ["/ids: must not have duplicate items"]);
}

#[test]
fn no_two_inputs_of_one_cache_entry_are_read_differently() {
    let canonical = |text: &str| {
        let mut out = Vec::new();
        Document::parse(text.to_owned().into()).unwrap().write_canonical(&mut out);
        out
    };
    assert_ne!(canonical("123456789012345678e1"), canonical("1.23456789012345679e18"));
    assert_ne!(canonical("9007199254740993.5"), canonical("9007199254740994.0"));
    assert_eq!(canonical("1e2"), canonical("100.0"));
    assert_eq!(json!(1.0), Document::parse("1.0".into()).unwrap().to_value());
}
