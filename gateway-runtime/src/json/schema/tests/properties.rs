//! Properties: a value that fits its type passes the schema and decodes to the same value, and no
//! input causes a panic.

use std::{collections::BTreeMap, fmt::Debug};

use proptest::{collection::vec, option, prelude::*};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::json::{
    document::Document,
    schema::{InputSchema, decode, tests::schema},
};

#[derive(JsonSchema, Serialize, Deserialize, Debug, PartialEq, Clone)]
#[serde(deny_unknown_fields)]
struct Flat {
    text: String,
    letter: char,
    small: i8,
    big: i64,
    huge: u64,
    single: f32,
    double: f64,
    flag: bool,
    maybe: Option<i32>,
    name: Option<String>,
    color: Option<Color>,
    #[schemars(length(max = 3))]
    many: Vec<i16>,
    #[serde(default)]
    words: Vec<String>,
}

#[derive(JsonSchema, Serialize, Deserialize, Debug, PartialEq, Clone, Copy)]
#[serde(rename_all = "SCREAMING-KEBAB-CASE")]
enum Color {
    DarkRed,
    Null,
}

#[derive(JsonSchema, Serialize, Deserialize, Debug, PartialEq, Clone)]
enum Deep {
    Unit,
    Flat(Box<Flat>),
    Pair(u8, Option<String>),
    List { items: Vec<Deep>, by_name: BTreeMap<String, Deep>, by_id: BTreeMap<i32, bool> },
    Tagged(Tagged),
}

#[derive(JsonSchema, Serialize, Deserialize, Debug, PartialEq, Clone)]
#[serde(tag = "kind")]
enum Tagged {
    A { n: u32 },
    B { untagged: Vec<Untagged> },
}

#[derive(JsonSchema, Serialize, Deserialize, Debug, PartialEq, Clone)]
#[serde(untagged)]
enum Untagged {
    Integer(i64),
    Text(String),
    Truth(bool),
}

fn finite<T: Copy + Into<f64>>(number: &T) -> bool {
    (*number).into().is_finite()
}

fn flat() -> impl Strategy<Value = Flat> {
    let first = (
        any::<String>(),
        any::<char>(),
        any::<i8>(),
        any::<i64>(),
        any::<u64>(),
        any::<f32>(),
        any::<f64>(),
    );
    let last = (
        any::<bool>(),
        option::of(any::<i32>()),
        option::of(prop_oneof![any::<String>(), Just("null".to_owned())]),
        option::of(prop_oneof![Just(Color::DarkRed), Just(Color::Null)]),
        vec(any::<i16>(), 0..=3),
        vec(any::<String>(), 0..4),
    );
    (first, last)
        .prop_filter("JSON has no such number", |(first, _)| finite(&first.5) && finite(&first.6))
        .prop_map(
            |(
                (text, letter, small, big, huge, single, double),
                (flag, maybe, name, color, many, words),
            )| Flat {
                text,
                letter,
                small,
                big,
                huge,
                single,
                double,
                flag,
                maybe,
                name,
                color,
                many,
                words,
            },
        )
}

fn deep() -> impl Strategy<Value = Deep> {
    let untagged = prop_oneof![
        any::<i64>().prop_map(Untagged::Integer),
        any::<String>().prop_map(Untagged::Text),
        any::<bool>().prop_map(Untagged::Truth),
    ];
    let leaf = prop_oneof![
        Just(Deep::Unit),
        flat().prop_map(|flat| Deep::Flat(Box::new(flat))),
        any::<(u8, Option<String>)>().prop_map(|(a, b)| Deep::Pair(a, b)),
        any::<u32>().prop_map(|n| Deep::Tagged(Tagged::A { n })),
        vec(untagged, 0..3).prop_map(|untagged| Deep::Tagged(Tagged::B { untagged })),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let by_name = proptest::collection::btree_map(any::<String>(), inner.clone(), 0..3);
        let by_id = proptest::collection::btree_map(any::<i32>(), any::<bool>(), 0..3);
        (vec(inner, 0..3), by_name, by_id).prop_map(|(items, by_name, by_id)| Deep::List {
            items,
            by_name,
            by_id,
        })
    })
}

fn comes_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(schema: &InputSchema, sent: &T) {
    let body = serde_json::to_vec(sent).unwrap();
    let document = schema.parse_json(body.into()).unwrap();
    assert_eq!(&decode::<T>(&document).unwrap(), sent);
}

/// Writes a query string as `URLSearchParams` does.
fn to_query(value: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in value.as_object().unwrap() {
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        query.extend_pairs(
            values.iter().filter(|value| !value.is_null()).map(|value| (name, text(value))),
        );
    }
    query.finish()
}

thread_local! {
    static FLAT: InputSchema = schema::<Flat>();
    static DEEP: InputSchema = schema::<Deep>();
    static STRICT: InputSchema = InputSchema::strict::<Deep>().unwrap();
}

proptest! {
    // Failing seeds are not written to files beside the sources.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn value_of_the_type_passes_as_json(sent in deep()) {
        DEEP.with(|schema| comes_back(schema, &sent));
        STRICT.with(|schema| comes_back(schema, &sent));
    }

    #[test]
    fn flat_value_passes_as_a_query(sent in flat()) {
        let query = to_query(&serde_json::to_value(&sent).unwrap());
        let document = FLAT.with(|schema| schema.parse_query(&query)).unwrap();
        prop_assert_eq!(decode::<Flat>(&document).unwrap(), sent);
    }

    #[test]
    fn no_body_panics(body in vec(any::<u8>(), 0..200)) {
        let _ = DEEP.with(|schema| schema.parse_json(body.into()));
    }

    #[test]
    fn no_query_panics(query in "([a-z]{1,5}|many|words|%[0-9a-f]{0,2}|[=&+]|\\PC){0,40}") {
        let _ = FLAT.with(|schema| schema.parse_query(&query));
    }

    /// Schema and serde agree on a value with one part replaced, and every pointer leads to a part
    /// of it.
    #[test]
    fn schema_and_serde_agree_on_damage(
        sent in flat(),
        at in any::<prop::sample::Index>(),
        part in json_leaf(),
    ) {
        let mut value = serde_json::to_value(&sent).unwrap();
        let members = value.as_object_mut().unwrap();
        let name = members.keys().nth(at.index(members.len())).unwrap().clone();
        members[&name] = part;
        let verdict = FLAT.with(|schema| schema.check(&value));
        // serde decodes a number that is too large for `single` as infinite.
        let accepted =
            decode::<Flat>(&Document::from(&value)).is_ok_and(|flat| flat.single.is_finite());
        prop_assert_eq!(verdict.is_ok(), accepted, "{}", value);
        for violation in verdict.err().into_iter().flatten() {
            prop_assert!(value.pointer(&violation.pointer).is_some(), "{:?}", violation);
            prop_assert!(!violation.detail.contains("too large"), "{}", value);
        }
    }
}

fn json_leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i8>().prop_map(|n| Value::from(f64::from(n))),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        vec(any::<u8>().prop_map(Value::from), 0..3).prop_map(Value::from),
        Just(serde_json::json!({"a": 1})),
    ]
}
