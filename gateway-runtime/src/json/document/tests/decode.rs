//! A type decodes from a document as it does from a `serde_json::Value`.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    fmt::{self, Debug},
};

use proptest::{collection::vec, option, prelude::*, sample::Index};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, SeqAccess, Visitor},
};
use serde_json::{Value, json};

use crate::json::document::tests::{Document, parse};

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
enum External {
    Unit,
    Newtype(i64),
    Tuple(u8, String),
    Empty(),
    Struct { a: Option<bool>, b: char },
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
#[serde(tag = "kind")]
enum Internal {
    Unit,
    Newtype(Inner),
    Struct { a: u32, rest: Vec<Untagged> },
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    Unit,
    Newtype(f32),
    Tuple(i16, u64),
    Struct { a: f64 },
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
#[serde(untagged)]
enum Untagged {
    Null(()),
    Truth(bool),
    Small(u8),
    Whole(i64),
    Float(f64),
    Pair(u8, String),
    Text(String),
    Object { a: Box<Untagged> },
    List(Vec<Untagged>),
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Inner {
    n: i64,
    #[serde(default)]
    list: Vec<i8>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone, Copy)]
struct Nothing;

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Meters(f64);

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Pair(i32, #[serde(default)] u16);

#[derive(Serialize, Deserialize, Debug, PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
enum Color {
    Red,
    Green,
}

/// Bytes: a string, or a list of numbers.
#[derive(Debug, PartialEq, Clone)]
struct Blob(Vec<u8>);

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl<'de> Visitor<'de> for Bytes {
            type Value = Blob;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_str<E>(self, text: &str) -> Result<Blob, E> {
                Ok(Blob(text.into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Blob, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = items.next_element()? {
                    bytes.push(byte);
                }
                Ok(Blob(bytes))
            }
        }
        deserializer.deserialize_byte_buf(Bytes)
    }
}

/// A struct with a field of every kind.
#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Rich {
    external: Vec<External>,
    internal: Vec<Internal>,
    adjacent: Vec<Adjacent>,
    untagged: Vec<Untagged>,
    maybe: Option<Option<u8>>,
    #[serde(default)]
    fallback: u64,
    letter: char,
    blob: Blob,
    nothing: Nothing,
    unit: (),
    meters: Meters,
    pair: Pair,
    array: [u8; 2],
    single: f32,
    huge: i128,
    by_number: BTreeMap<i16, bool>,
    by_truth: BTreeMap<bool, u8>,
    by_letter: BTreeMap<char, u8>,
    by_color: BTreeMap<Color, u8>,
    by_large: BTreeMap<u128, u8>,
    anything: Value,
    #[serde(flatten)]
    inner: Inner,
    #[serde(flatten)]
    others: HashMap<String, Value>,
}

fn untagged() -> impl Strategy<Value = Untagged> {
    let leaf = prop_oneof![
        Just(Untagged::Null(())),
        any::<bool>().prop_map(Untagged::Truth),
        any::<u8>().prop_map(Untagged::Small),
        any::<i64>().prop_map(Untagged::Whole),
        any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(Untagged::Float),
        any::<(u8, String)>().prop_map(|(a, b)| Untagged::Pair(a, b)),
        any::<String>().prop_map(Untagged::Text),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|a| Untagged::Object { a: Box::new(a) }),
            vec(inner, 0..3).prop_map(Untagged::List),
        ]
    })
}

fn inner() -> impl Strategy<Value = Inner> {
    (any::<i64>(), vec(any::<i8>(), 0..3)).prop_map(|(n, list)| Inner { n, list })
}

fn enums() -> impl Strategy<Value = (Vec<External>, Vec<Internal>, Vec<Adjacent>, Vec<Untagged>)> {
    let external = prop_oneof![
        Just(External::Unit),
        any::<i64>().prop_map(External::Newtype),
        any::<(u8, String)>().prop_map(|(a, b)| External::Tuple(a, b)),
        any::<(Option<bool>, char)>().prop_map(|(a, b)| External::Struct { a, b }),
    ];
    let internal = prop_oneof![
        Just(Internal::Unit),
        inner().prop_map(Internal::Newtype),
        (any::<u32>(), vec(untagged(), 0..3)).prop_map(|(a, rest)| Internal::Struct { a, rest }),
    ];
    let adjacent = prop_oneof![
        Just(Adjacent::Unit),
        (-1e30_f32..1e30).prop_map(Adjacent::Newtype),
        any::<(i16, u64)>().prop_map(|(a, b)| Adjacent::Tuple(a, b)),
        (-1e300..1e300).prop_map(|a| Adjacent::Struct { a }),
    ];
    (vec(external, 0..3), vec(internal, 0..3), vec(adjacent, 0..3), vec(untagged(), 0..3))
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i8>().prop_map(|n| Value::from(f64::from(n))),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[ab+]|Unit|Red|true|-?0?[0-9]{1,3}(\\.0|e1| )?".prop_map(Value::from),
        vec(any::<u8>().prop_map(Value::from), 0..3).prop_map(Value::from),
        Just(json!({})),
        Just(json!({"a": 1})),
        Just(json!({"Unit": null, "Newtype": 1})),
    ]
}

prop_compose! {
    fn rich()(
        (external, internal, adjacent, untagged) in enums(),
        maybe in option::of(any::<u8>().prop_map(Some)),
        (fallback, letter, blob) in any::<(u64, char, Vec<u8>)>(),
        (meters, single, huge) in (-1e300..1e300, -1e30_f32..1e30, any::<i64>()),
        (pair, array) in any::<((i32, u16), [u8; 2])>(),
        (by_number, by_truth, by_letter) in
            any::<(BTreeMap<i16, bool>, BTreeMap<bool, u8>, BTreeMap<char, u8>)>(),
        by_large in any::<BTreeMap<u64, u8>>(),
        anything in leaf(),
        inner in inner(),
        others in proptest::collection::hash_map("x[a-z]{0,2}", leaf(), 0..3),
    ) -> Rich {
        Rich {
            external, internal, adjacent, untagged, maybe, fallback, letter, blob: Blob(blob),
            nothing: Nothing, unit: (), meters: Meters(meters), pair: Pair(pair.0, pair.1), array,
            single, huge: huge.into(), by_number,
            by_truth, by_letter, by_color: BTreeMap::from([(Color::Red, 1), (Color::Green, 2)]),
            by_large: by_large.into_iter().map(|(key, value)| (key.into(), value)).collect(),
            anything, inner, others,
        }
    }
}

/// Collects the pointers to all parts of a value.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| places(item, &format!("{at}/{index}"), found));
        }
        Value::Object(members) => {
            let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
            members
                .iter()
                .for_each(|(name, item)| places(item, &format!("{at}/{}", escaped(name)), found));
        }
        _ => {}
    }
}

fn decoded<'de, T: Deserialize<'de>>(document: &'de Document) -> Option<T> {
    T::deserialize(document.root()).ok()
}

#[track_caller]
fn agree<T: DeserializeOwned + PartialEq + Debug>(value: &Value) {
    let document = parse(value.to_string()).unwrap();
    assert_eq!(decoded::<T>(&document), T::deserialize(value).ok(), "{value}");
    assert_eq!(decoded::<T>(&Document::from(value)), T::deserialize(value).ok(), "{value}");
}

proptest! {
    // Failing seeds are not written to files beside the sources.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_written_comes_back(sent in rich()) {
        let document = parse(serde_json::to_vec(&sent).unwrap()).unwrap();
        let back = decoded::<Rich>(&document);
        prop_assert!(back.is_some());
        prop_assert_eq!(back, serde_json::from_slice(&serde_json::to_vec(&sent).unwrap()).ok());
    }

    #[test]
    fn with_one_part_replaced(sent in rich(), at in any::<Index>(), part in leaf()) {
        let mut value = serde_json::to_value(sent).unwrap();
        let mut found = Vec::new();
        places(&value, "", &mut found);
        *value.pointer_mut(at.get::<String>(&found)).unwrap() = part;
        agree::<Rich>(&value);
    }

    #[test]
    fn keys(key in "-?[0-9]{1,4}(\\.[0-9]|e[0-9]|[ x])?| 1|true|false|Red|[a-c]?|\\PC{0,2}") {
        let value = json!({ key: 1 });
        agree::<BTreeMap<u8, u8>>(&value);
        agree::<BTreeMap<i64, u8>>(&value);
        agree::<BTreeMap<i128, u8>>(&value);
        agree::<BTreeMap<bool, u8>>(&value);
        agree::<BTreeMap<char, u8>>(&value);
        agree::<BTreeMap<Color, u8>>(&value);
        agree::<BTreeMap<Option<u16>, u8>>(&value);
        agree::<BTreeMap<(), u8>>(&value);
        agree::<BTreeMap<Vec<u8>, u8>>(&value);
        agree::<Vec<(String, u8)>>(&value);
    }

    #[test]
    fn any_value_as_any_type(value in leaf()) {
        agree::<External>(&value);
        agree::<Internal>(&value);
        agree::<Adjacent>(&value);
        agree::<Untagged>(&value);
        agree::<Option<Pair>>(&value);
        agree::<(u8, u8)>(&value);
        agree::<Blob>(&value);
        agree::<Nothing>(&value);
        agree::<Meters>(&value);
        agree::<char>(&value);
        agree::<f32>(&value);
        agree::<u128>(&value);
        agree::<Inner>(&value);
        agree::<HashMap<String, Value>>(&value);
    }
}

#[test]
fn texts_are_borrowed_with_escapes_and_without() {
    #[derive(Deserialize, Debug, PartialEq)]
    struct Borrowed<'a> {
        plain: &'a str,
        escaped: &'a str,
        #[serde(borrow)]
        either: Cow<'a, str>,
        bytes: &'a [u8],
    }
    let document = parse(r#"{"plain":"a","escaped":"b\n","either":"c","bytes":"d"}"#).unwrap();
    let borrowed = decoded::<Borrowed<'_>>(&document).unwrap();
    assert_eq!(borrowed, Borrowed { plain: "a", escaped: "b\n", either: "c".into(), bytes: b"d" });
    assert!(matches!(borrowed.either, Cow::Borrowed(_)));
}

#[test]
fn a_list_must_be_read_to_its_end() {
    agree::<(u8, u8)>(&json!([1, 2, 3]));
    agree::<[u8; 2]>(&json!([1, 2, 3]));
    agree::<Pair>(&json!([1, 2, 3]));
    agree::<Inner>(&json!([1, [2], 3]));
    agree::<Inner>(&json!([1, [2]]));
    agree::<External>(&json!({"Tuple": [1, "a", 2]}));
    agree::<External>(&json!({"Empty": [1]}));
    agree::<External>(&json!({"Tuple": []}));
    agree::<External>(&json!({"Unit": null}));
    agree::<External>(&json!({"Unit": 1}));
    agree::<External>(&json!({"Unit": null, "Newtype": 1}));
    agree::<External>(&json!({}));
}

/// serde does not decode such a variant from the `Value` that it writes for it; from a text it
/// does.
#[test]
fn a_variant_of_no_fields_is_an_empty_list() {
    let sent = json!({"Empty": []});
    assert!(External::deserialize(&sent).is_err());
    assert_eq!(decoded(&Document::from(&sent)), Some(External::Empty()));
}
