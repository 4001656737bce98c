//! Agreement of schema and serde, for each kind of type: serde accepts what the schema allows, and
//! rejects what it denies.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt::Debug,
    net::{IpAddr, Ipv4Addr},
    num::{NonZeroI32, NonZeroU8},
};

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::json::schema::tests::{decode, instance::assert_same_validity, parse, schema};

/// Asserts that each of `good` passes the schema and decodes to a `T`, and that the schema rejects
/// each of `bad`.
#[track_caller]
fn agree<T: JsonSchema + DeserializeOwned>(
    good: impl IntoIterator<Item = Value>,
    bad: impl IntoIterator<Item = Value>,
) {
    let schema = schema::<T>();
    for value in good {
        assert_same_validity(&schema, &value);
        assert_eq!(schema.check(&value), Ok(()), "{value} is refused by {}", schema.json());
        if let Err(violations) = decode::<T>(&value) {
            panic!("{value} is refused by serde: {violations:?}");
        }
    }
    for value in bad {
        assert_same_validity(&schema, &value);
        assert!(schema.check(&value).is_err(), "{value} is allowed by {}", schema.json());
    }
}

/// Parses JSON text, for values that `json!` cannot write.
fn text(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

#[test]
fn integers_fit_their_types_to_the_edge() {
    agree::<i8>([json!(-128), json!(127), json!(-128.0)], [json!(-129), json!(128), json!(0.5)]);
    agree::<u8>(
        [json!(0), json!(255), json!(-0.0), json!(2e2)],
        [json!(-1), json!(256), json!("1"), json!(true)],
    );
    agree::<i32>(
        [json!(i32::MIN), json!(i32::MAX)],
        [json!(i64::from(i32::MAX) + 1), json!(-2_147_483_649_i64)],
    );
    agree::<u32>(
        [json!(u32::MAX), text("4294967295.0")],
        [json!(u64::from(u32::MAX) + 1), json!(-1)],
    );
    agree::<i64>(
        [json!(i64::MIN), json!(i64::MAX), json!(1.0), json!(1e18), text("-0")],
        [
            json!(u64::MAX),
            text("9223372036854775808"),
            text("9223372036854775807.0"),
            text("-9223372036854777856.0"),
        ],
    );
    agree::<u64>(
        [json!(u64::MAX), json!(0), json!(1e19), text("-0.0"), text("-0")],
        [
            text("18446744073709551616"),
            text("18446744073709551615.0"),
            json!(-1),
            json!(1e300),
            json!(0.1),
        ],
    );
    agree::<isize>([json!(isize::MIN)], [json!(u64::MAX)]);
    agree::<i128>([json!(i64::MIN), json!(u64::MAX), json!(5.0)], [text("18446744073709551616")]);
    agree::<u128>([json!(0), json!(u64::MAX)], [json!(-1), text("18446744073709551616")]);
    agree::<NonZeroU8>([json!(1), json!(255)], [json!(0), json!(0.0), json!(256)]);
    agree::<NonZeroI32>([json!(-1)], [json!(0), json!(-0.0), json!(1_u64 << 40)]);
}

#[test]
fn an_integral_float_decodes_to_the_exact_integer() {
    assert_eq!(decode::<i64>(&json!(-1e18)), Ok(-1_000_000_000_000_000_000));
    assert_eq!(decode::<u64>(&json!(1e19)), Ok(10_000_000_000_000_000_000));
    assert_eq!(decode::<(u8, f64)>(&json!([3.0, 3.0])), Ok((3, 3.0)));
}

#[test]
fn floats() {
    agree::<f32>(
        [json!(0), json!(-1.5), json!(f32::MAX), json!(f32::MIN)],
        [json!(1e39), json!(-1e300), json!(null)],
    );
    agree::<f64>(
        [json!(f64::MAX), json!(1), json!(-0.0), json!(u64::MAX)],
        [json!("1"), json!(null)],
    );
    assert!(parse::<f64>("1e400").is_err());
}

#[test]
fn an_author_narrows_a_range_and_cannot_widen_it() {
    #[derive(JsonSchema, Deserialize)]
    #[expect(dead_code, reason = "only decoded")]
    struct Ranges {
        #[schemars(range(min = 1, max = 10))]
        narrow: u32,
        #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 100))]
        open: i64,
        #[schemars(range(max = 5_000_000_000_i64))]
        wide: i32,
    }
    let with =
        |narrow: i64, open: i64, wide: i64| json!({"narrow": narrow, "open": open, "wide": wide});
    agree::<Ranges>(
        [with(1, 1, i32::MIN.into()), with(10, 99, i32::MAX.into())],
        [with(0, 1, 1), with(11, 1, 1), with(1, 0, 1), with(1, 100, 1), with(1, 1, 3_000_000_000)],
    );
    let document = schema::<Ranges>();
    assert_eq!(document.json()["properties"]["open"].get("minimum"), None);
}

#[test]
fn texts_and_options() {
    agree::<char>([json!("a"), json!("🦀")], [json!(""), json!("ab"), json!("e\u{301}")]);
    agree::<String>([json!(""), json!("\0")], [json!(1), json!(null)]);
    agree::<Option<u8>>([json!(null), json!(1)], [json!(""), json!(300)]);
    agree::<()>([json!(null)], [json!({}), json!(0)]);
    agree::<bool>([json!(true)], [json!("true"), json!(1)]);
    agree::<Option<Option<String>>>([json!(null), json!("x")], [json!(1)]);
}

#[test]
fn lists_tuples_and_maps() {
    agree::<Vec<u8>>([json!([]), json!([1, 2.0])], [json!([256]), json!({"0": 1}), json!("x")]);
    agree::<(u8, String)>([json!([1, "a"])], [json!([1]), json!([1, "a", 2]), json!(["a", 1])]);
    agree::<[i8; 2]>([json!([1, 2])], [json!([1]), json!([1, 2, 3])]);
    agree::<HashSet<u8>>([json!([1, 2])], [json!([1, 1]), json!([1, 1.0])]);
    agree::<HashMap<String, u8>>([json!({}), json!({"a": 1})], [json!({"a": 256}), json!([])]);
    agree::<BTreeMap<u32, u8>>([json!({"7": 1}), json!({})], [json!({"-7": 1}), json!({"x": 1})]);
    agree::<BTreeMap<i64, u8>>([json!({"-7": 1})], [json!({"7.5": 1})]);
    agree::<BTreeMap<Color, u8>>([json!({"red": 1})], [json!({"blue": 1})]);
}

#[derive(
    JsonSchema, Serialize, Deserialize, Debug, PartialEq, Eq, PartialOrd, Ord, Clone, Copy,
)]
#[serde(rename_all = "kebab-case")]
enum Color {
    Red,
    Green,
}

#[test]
fn a_key_outside_its_type_is_refused_by_serde_at_its_place() {
    let value = json!({"a": {"300": true}});
    assert_eq!(schema::<BTreeMap<String, BTreeMap<u8, bool>>>().check(&value), Ok(()));
    let violations = decode::<BTreeMap<String, BTreeMap<u8, bool>>>(&value).unwrap_err();
    assert_eq!(violations[0].pointer, "/a/300");
}

#[test]
fn enums_in_each_representation() {
    #[derive(JsonSchema, Deserialize, Debug)]
    #[expect(dead_code, reason = "only decoded")]
    enum External {
        Unit,
        One(u8),
        Pair(u8, String),
        Named { a: u8 },
    }
    agree::<External>(
        [json!("Unit"), json!({"One": 1}), json!({"Pair": [1, "x"]}), json!({"Named": {"a": 1.0}})],
        [
            json!("unit"),
            json!("One"),
            json!({"One": 1, "Pair": [1, "x"]}),
            json!({"Named": {}}),
            json!({}),
        ],
    );

    #[derive(JsonSchema, Deserialize, Debug)]
    #[serde(tag = "kind", rename_all = "lowercase")]
    #[expect(dead_code, reason = "only decoded")]
    enum Internal {
        Unit,
        Inner(Inner),
        Named { a: u8 },
    }
    #[derive(JsonSchema, Deserialize, Debug)]
    #[expect(dead_code, reason = "only decoded")]
    struct Inner {
        n: i64,
    }
    agree::<Internal>(
        [
            json!({"kind": "unit"}),
            json!({"kind": "inner", "n": 1.0}),
            json!({"a": 1, "kind": "named", "z": 0}),
        ],
        [json!({"kind": "inner"}), json!({"kind": "other"}), json!({"a": 1}), json!("unit")],
    );

    #[derive(JsonSchema, Deserialize, Debug)]
    #[serde(tag = "t", content = "c")]
    #[expect(dead_code, reason = "only decoded")]
    enum Adjacent {
        Unit,
        One(u8),
        Named { a: i64 },
    }
    agree::<Adjacent>(
        [json!({"t": "Unit"}), json!({"t": "One", "c": 2}), json!({"c": {"a": 2.0}, "t": "Named"})],
        [json!({"t": "One"}), json!({"t": "Two", "c": 2}), json!({"c": 2})],
    );

    #[derive(JsonSchema, Deserialize, Debug)]
    #[serde(untagged)]
    #[expect(dead_code, reason = "only decoded")]
    enum Untagged {
        Number(i64),
        Word(#[schemars(length(max = 3))] String),
        Object { a: Vec<i64> },
    }
    agree::<Untagged>(
        [json!(1), json!(1.0), json!("abc"), json!({"a": [1.0]})],
        [json!(1.5), json!("abcd"), json!({}), json!(null)],
    );
}

#[test]
fn struct_attributes() {
    #[derive(JsonSchema, Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only decoded")]
    struct Strict {
        a: u8,
        #[serde(default)]
        b: u8,
        c: Option<u8>,
    }
    agree::<Strict>(
        [json!({"a": 1}), json!({"a": 1, "b": 2, "c": null})],
        [json!({}), json!({"a": 1, "b": null}), json!({"a": 1, "d": 1}), json!([1, 2, 3])],
    );

    #[derive(JsonSchema, Deserialize, Debug)]
    #[expect(dead_code, reason = "only decoded")]
    struct Flat {
        a: u8,
        #[serde(flatten)]
        page: Page,
        #[serde(flatten)]
        rest: HashMap<String, i64>,
    }
    #[derive(JsonSchema, Deserialize, Debug)]
    #[expect(dead_code, reason = "only decoded")]
    struct Page {
        size: u8,
    }
    agree::<Flat>(
        [json!({"a": 1, "size": 2}), json!({"a": 1.0, "size": 2.0, "x": 3.0})],
        [json!({"a": 1}), json!({"a": 1, "size": 2, "x": "y"})],
    );

    #[derive(JsonSchema, Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only decoded")]
    struct StrictFlat {
        a: u8,
        #[serde(flatten)]
        page: Page,
    }
    agree::<StrictFlat>(
        [json!({"a": 1, "size": 2})],
        [json!({"a": 1}), json!({"a": 1, "size": 2, "x": 1})],
    );

    #[derive(JsonSchema, Deserialize, Debug)]
    #[expect(dead_code, reason = "only decoded")]
    struct Payment {
        a: i64,
        #[serde(flatten)]
        choice: Choice,
    }
    #[derive(JsonSchema, Deserialize, Debug)]
    #[serde(tag = "type", rename_all = "lowercase")]
    #[expect(dead_code, reason = "only decoded")]
    enum Choice {
        Card { number: i64 },
        Cash,
    }
    agree::<Payment>(
        [json!({"a": 1.0, "type": "cash"}), json!({"a": 1, "type": "card", "number": 4.0})],
        [json!({"a": 1}), json!({"a": 1, "type": "cheque"}), json!({"a": 1, "type": "card"})],
    );

    #[derive(JsonSchema, Deserialize, Debug)]
    #[expect(dead_code, reason = "only decoded")]
    struct OptionalFlat {
        #[serde(flatten)]
        page: Option<Page>,
    }
    agree::<OptionalFlat>([json!({}), json!({"size": 1})], [json!([])]);
}

#[test]
fn a_type_that_contains_itself() {
    #[derive(JsonSchema, Deserialize, Debug)]
    #[expect(dead_code, reason = "only decoded")]
    struct Tree {
        name: String,
        #[serde(default)]
        children: Vec<Tree>,
        next: Option<Box<Tree>>,
    }
    agree::<Tree>(
        [json!({"name": "a", "children": [{"name": "b"}], "next": {"name": "c", "next": null}})],
        [json!({"name": "a", "children": [{}]}), json!({"name": "a", "next": {"name": 1}})],
    );
}

#[test]
fn formats_of_chrono() {
    agree::<NaiveDate>(
        [json!("2024-02-29"), json!("0000-01-01"), json!("9999-12-31")],
        [
            json!("2023-02-29"),
            json!("2024-2-9"),
            json!("+12024-02-29"),
            json!("2024-02-29T00:00:00Z"),
            json!(""),
        ],
    );
    agree::<DateTime<Utc>>(
        [
            json!("2024-02-29T12:30:00Z"),
            json!("2024-02-29t12:30:00.123456789z"),
            json!("2024-02-29T12:30:00.1234567891234+23:59"),
            json!("1990-12-31T15:59:60-08:00"),
            json!("0000-01-01T00:00:00+23:59"),
            json!("9999-12-31T23:59:59-23:59"),
        ],
        [
            json!("2024-02-29 12:30:00Z"),
            json!("2024-02-29T12:30:00"),
            json!("2024-02-29T24:00:00Z"),
            json!("2024-02-29T12:30:60Z"),
            json!("2024-02-29T12:30:00+24:00"),
        ],
    );
    agree::<NaiveDateTime>(
        [
            json!("2024-02-29T12:30:00"),
            json!("2024-02-29T12:30:00.5"),
            json!("2016-12-31T23:59:60"),
        ],
        [
            json!("2024-02-29T12:30:00Z"),
            json!("2024-02-30T12:30:00"),
            json!("2024-02-29"),
            json!(""),
        ],
    );
    agree::<NaiveTime>(
        [json!("12:30:00"), json!("12:30:00.25")],
        [json!("12:30:00Z"), json!("25:00:00"), json!("")],
    );
}

#[test]
fn formats_of_addresses_and_ids() {
    agree::<IpAddr>(
        [json!("192.0.2.1"), json!("2001:db8::1")],
        [json!("192.0.2.256"), json!("host"), json!("")],
    );
    agree::<Ipv4Addr>([json!("192.0.2.1")], [json!("192.0.2.01"), json!("::1")]);
    agree::<Uuid>(
        [
            json!("123e4567-e89b-12d3-a456-426614174000"),
            json!("123E4567-E89B-12D3-A456-426614174000"),
        ],
        [
            json!("123e4567e89b12d3a456426614174000"),
            json!("{123e4567-e89b-12d3-a456-426614174000}"),
        ],
    );
}

#[test]
fn formats_of_text_are_asserted_and_unknown_ones_are_not() {
    #[derive(JsonSchema, Deserialize, Debug)]
    #[expect(dead_code, reason = "only decoded")]
    struct Contact {
        #[schemars(email)]
        mail: Option<String>,
        #[schemars(url)]
        site: Option<String>,
        #[schemars(extend("format" = "hostname"))]
        host: Option<String>,
        #[schemars(extend("format" = "of-my-own"))]
        own: Option<String>,
        #[schemars(regex(pattern = r"^\p{Lu}\d+$"))]
        code: Option<String>,
    }
    agree::<Contact>(
        [
            json!({
                "mail": "ann@example.org",
                "site": "https://example.org/?q=1#x",
                "host": "a.example",
            }),
            json!({"own": "anything", "code": "Ä12"}),
        ],
        [
            json!({"mail": "ann"}),
            json!({"site": "example org"}),
            json!({"host": "-a.example"}),
            json!({"code": "ä12"}),
            json!({"code": "Ä12\n"}),
        ],
    );
}

#[test]
fn a_type_with_reasons_of_its_own_gives_them_with_the_place() {
    #[derive(JsonSchema, Deserialize, Debug)]
    #[serde(try_from = "String")]
    struct Even(#[expect(dead_code, reason = "only decoded")] String);
    impl TryFrom<String> for Even {
        type Error = &'static str;
        fn try_from(text: String) -> Result<Self, Self::Error> {
            if text.len().is_multiple_of(2) {
                Ok(Self(text))
            } else {
                Err("must be of even length")
            }
        }
    }
    #[derive(JsonSchema, Deserialize, Debug)]
    #[expect(dead_code, reason = "only decoded")]
    struct Input {
        words: Vec<Even>,
    }
    let value = json!({"words": ["ab", "abc"]});
    assert_eq!(schema::<Input>().check(&value), Ok(()));
    let violations = decode::<Input>(&value).unwrap_err();
    assert_eq!(
        (&*violations[0].pointer, &*violations[0].detail),
        ("/words/1", "must be of even length")
    );
}

#[test]
fn serde_does_not_repeat_a_refused_value() {
    let violations = decode::<Vec<std::net::SocketAddr>>(&json!(["secret"])).unwrap_err();
    assert_eq!(violations[0].pointer, "/0");
    assert!(!violations[0].detail.contains("secret"), "{violations:?}");
    let violations = decode::<u8>(&json!("secret, expected")).unwrap_err();
    assert_eq!(violations[0].detail, "expected u8");
}

#[test]
fn an_answer_follows_the_contract_of_serializing() {
    #[derive(JsonSchema, Serialize, Deserialize)]
    struct Answer {
        #[serde(default)]
        always: u8,
        #[serde(skip_serializing_if = "Option::is_none")]
        sometimes: Option<u8>,
        #[serde(skip_deserializing)]
        written: u128,
    }
    let document = crate::json::schema::output_schema::<Answer>();
    assert_eq!(document["required"], json!(["always", "written"]));
    assert_eq!(document["properties"]["always"]["maximum"], json!(255));
    assert_eq!(document["properties"]["written"].get("maximum"), None);
    assert_eq!(document["$schema"], json!("https://json-schema.org/draft/2020-12/schema"));
}

#[test]
fn a_schema_that_cannot_be_enforced_says_so_at_start() {
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only described")]
    struct LookAhead {
        #[schemars(regex(pattern = "^(?=a)b"))]
        word: String,
    }
    let error = crate::json::schema::InputSchema::of::<LookAhead>().unwrap_err().to_string();
    assert!(error.contains("LookAhead") && error.contains("(?=a)b"), "{error}");
}

#[test]
fn a_strict_schema_denies_what_no_type_declares() {
    #[derive(JsonSchema, Deserialize)]
    #[expect(dead_code, reason = "only described")]
    struct Section {
        url: String,
        limits: Option<Limits>,
        peers: Vec<Peer>,
        #[serde(default)]
        labels: HashMap<String, Limits>,
        any: Option<Value>,
        #[serde(flatten)]
        auth: Auth,
    }
    #[derive(JsonSchema, Deserialize)]
    #[expect(dead_code, reason = "only described")]
    struct Limits {
        #[serde(default)]
        calls: u32,
    }
    #[derive(JsonSchema, Deserialize)]
    #[expect(dead_code, reason = "only described")]
    enum Peer {
        Named { name: String },
        Limited(Limits),
    }
    #[derive(JsonSchema, Deserialize)]
    #[serde(tag = "auth", rename_all = "lowercase")]
    #[expect(dead_code, reason = "only described")]
    enum Auth {
        None,
        Token { token: String },
        Limited(Limits),
    }
    let strict = crate::json::schema::InputSchema::strict::<Section>().unwrap();
    let violations_of = |value| crate::json::schema::tests::violations_of(strict.check(&value));
    let good = json!({"url": "x", "limits": {"calls": 1},
        "peers": [{"Named": {"name": "a"}}, {"Limited": {}}],
        "labels": {"a": {"calls": 1}}, "any": {"x": 1}, "auth": "token", "token": "t"});
    assert_eq!(strict.check(&good), Ok(()));
    assert_eq!(
        strict.check(&json!({"url": "x", "peers": [], "auth": "limited", "calls": 1})),
        Ok(())
    );
    assert_eq!(
        violations_of(
            json!({"url": 1, "limits": {"cals": 1}, "peers": [{"Named": {"name": "a", "nam": 1}}],
            "labels": {"a": {"b": 1}}, "auth": "token", "tokn": "t"})
        ),
        [
            "/url: expected string, got number",
            "/limits/cals: unknown property `cals`: did you mean `calls`?",
            "/peers/0/Named/nam: unknown property `nam`: did you mean `name`?",
            "/labels/a/b: unknown property `b`",
            ": `token` is missing",
            "/tokn: unknown property `tokn`: did you mean `token`?",
        ]
    );
    assert_eq!(
        violations_of(json!({"url": "x", "peers": [], "auth": "none", "token": "t"})),
        ["/token: is not allowed in combination with the other properties"]
    );
}
