//! Tests of query strings.

use std::collections::HashMap;

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::json::schema::tests::{schema, violations_of};

#[derive(JsonSchema, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only described")]
struct Search {
    text: String,
    page: Option<u32>,
    ratio: Option<f64>,
    exact: Option<bool>,
    #[serde(default)]
    tag: Vec<String>,
    #[serde(default)]
    point: Option<(f64, String)>,
    order: Option<Order>,
    on: Option<NaiveDate>,
    id: Option<Id>,
    limit: Option<Limit>,
}

#[derive(JsonSchema, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Order {
    Up,
    Down,
}

#[derive(JsonSchema, Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "only described")]
enum Id {
    Number(#[schemars(range(max = 99))] u32),
    Name(String),
}

#[derive(JsonSchema, Deserialize)]
struct Limit(#[expect(dead_code, reason = "only described")] u16);

fn read<T: JsonSchema>(query: &str) -> Value {
    schema::<T>().parse_query(query).unwrap().to_value()
}

fn refused<T: JsonSchema>(query: &str) -> Vec<String> {
    violations_of(schema::<T>().parse_query(query))
}

#[test]
fn texts_become_what_the_schema_says() {
    assert_eq!(
        read::<Search>(
            "text=1&page=2&ratio=-1.5e1&exact=true&tag=7&order=up&on=2024-02-29&limit=10"
        ),
        json!({"text": "1", "page": 2, "ratio": -15.0, "exact": true, "tag": ["7"], "order": "up",
            "on": "2024-02-29", "limit": 10})
    );
    assert_eq!(
        read::<Search>("text=a&tag=x&tag=y&tag="),
        json!({"text": "a", "tag": ["x", "y", ""]})
    );
    assert_eq!(read::<Search>("text=&point=1&point=2"), json!({"text": "", "point": [1, "2"]}));
    assert_eq!(read::<Search>("&&text&"), json!({"text": ""}));
    assert_eq!(read::<Search>("text=a=b"), json!({"text": "a=b"}));
}

#[test]
fn encodings() {
    assert_eq!(read::<Search>("te%78t=a+b%20c%2B%C3%A4"), json!({"text": "a b c+ä"}));
    assert_eq!(read::<Search>("text=a;b%26c"), json!({"text": "a;b&c"}));
    assert_eq!(read::<Search>("text=ä"), json!({"text": "ä"}));
    for broken in ["%", "%4", "%zz", "%+1", "%ff", "%C3", "a%00%80"] {
        assert_eq!(
            refused::<Search>(&format!("text={broken}&page=x")),
            ["/text: the value is not percent-encoded UTF-8"]
        );
        let named = refused::<Search>(&format!("{broken}=1"));
        assert_eq!(named, [": the name of a parameter is not percent-encoded UTF-8"]);
    }
}

#[test]
fn numbers_are_written_as_in_json() {
    for (text, number) in
        [("0", json!(0)), ("1.0", json!(1.0)), ("1e2", json!(100.0)), ("-0", json!(-0.0))]
    {
        assert_eq!(read::<Search>(&format!("text=&page={text}"))["page"], number);
    }
    for text in [
        "", "01", "+1", "%2B1", "1.", ".5", "1e", "0x1", "NaN", "inf", "%201", "1%20", "1_0",
        "1e400", "٣", "--1",
    ] {
        let violations = refused::<Search>(&format!("text=&page={text}"));
        assert_eq!(violations, ["/page: expected null or integer, got string"], "{text}");
    }
    assert_eq!(
        refused::<Search>("text=&page=1.5"),
        ["/page: expected null or integer, got a number with a fraction"]
    );
    assert_eq!(refused::<Search>("text=&page=-1"), ["/page: must be at least 0"]);
    assert_eq!(
        refused::<Search>("text=&exact=1"),
        ["/exact: expected null or boolean, got string"]
    );
}

#[test]
fn null_is_null_only_where_it_is_no_string() {
    assert_eq!(
        read::<Search>("text=null&page=null&order=null&on=null"),
        json!({"text": "null", "page": null, "order": null, "on": null})
    );
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only described")]
    struct Named {
        name: Option<String>,
    }
    assert_eq!(read::<Named>("name=null"), json!({"name": "null"}));
}

#[test]
fn an_ambiguous_text_is_read_in_the_way_that_is_valid() {
    assert_eq!(read::<Search>("text=&id=7"), json!({"text": "", "id": 7}));
    assert_eq!(read::<Search>("text=&id=700"), json!({"text": "", "id": "700"}));
    assert_eq!(read::<Search>("text=&id=007"), json!({"text": "", "id": "007"}));
    #[derive(JsonSchema)]
    #[serde(untagged)]
    #[expect(dead_code, reason = "only described")]
    enum OneOrMany {
        One(u8),
        Many(Vec<u8>),
    }
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only described")]
    struct Ids {
        id: OneOrMany,
        any: Option<Value>,
    }
    assert_eq!(read::<Ids>("id=1"), json!({"id": 1}));
    assert_eq!(read::<Ids>("id=1&id=2"), json!({"id": [1, 2]}));
    assert_eq!(read::<Ids>("id=1&any=x&any=5"), json!({"id": 1, "any": ["x", 5]}));
}

#[test]
fn variants_decide_the_type_of_a_shared_name() {
    #[derive(JsonSchema)]
    #[serde(tag = "by", rename_all = "lowercase")]
    #[expect(dead_code, reason = "only described")]
    enum Find {
        Number { value: u32 },
        Name { value: String },
    }
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only described")]
    struct Query {
        #[serde(flatten)]
        find: Find,
        page: u8,
    }
    assert_eq!(
        read::<Query>("by=number&value=5&page=1"),
        json!({"by": "number", "value": 5, "page": 1})
    );
    assert_eq!(
        read::<Query>("by=name&value=5&page=1"),
        json!({"by": "name", "value": "5", "page": 1})
    );
    assert_eq!(
        refused::<Query>("by=number&value=x&page=1"),
        ["/value: expected integer, got string"]
    );
}

#[test]
fn flattened_structs_and_maps() {
    #[derive(JsonSchema, Deserialize)]
    #[expect(dead_code, reason = "only described")]
    struct Page {
        size: u8,
    }
    #[derive(JsonSchema, Deserialize)]
    #[expect(dead_code, reason = "only described")]
    struct Query {
        #[serde(flatten)]
        page: Page,
        #[serde(flatten)]
        rest: HashMap<String, u32>,
    }
    assert_eq!(read::<Query>("size=1&x=2"), json!({"size": 1, "x": 2}));
    assert_eq!(refused::<Query>("size=1&x=y"), ["/x: expected integer, got string"]);
    assert_eq!(
        refused::<Query>("size=1&x=2&x=3"),
        ["/x: is repeated, but takes a single value; send it once"]
    );
    assert_eq!(read::<HashMap<String, bool>>("a=true"), json!({"a": true}));
    assert_eq!(read::<HashMap<u8, String>>("1=x"), json!({"1": "x"}));
}

#[test]
fn repeated_name_requires_a_list() {
    assert_eq!(
        refused::<Search>("page=1&page=2&page=3&pag=1"),
        [
            "/page: is repeated, but takes a single value; send it once",
            "/pag: unknown property `pag`: did you mean `page`?",
            ": `text` is missing",
        ]
    );
}

#[test]
fn unknown_names_are_refused_only_where_they_are_denied() {
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only described")]
    struct Open {
        a: Option<u8>,
    }
    assert_eq!(read::<Open>("a=1&x=y&x=z"), json!({"a": 1, "x": ["y", "z"]}));
    assert_eq!(refused::<Search>("text=&x=1"), ["/x: unknown property `x`"]);
}

#[test]
fn an_empty_query() {
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only described")]
    struct Open {
        a: Option<u8>,
    }
    assert_eq!(read::<Open>(""), json!({}));
    assert_eq!(read::<()>(""), Value::Null);
    assert_eq!(refused::<()>("a=1"), [": expected null, got object"]);
    assert_eq!(refused::<Search>(""), [": `text` is missing"]);
}

#[test]
fn a_list_that_is_not_named_is_empty() {
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only described")]
    struct Lists {
        all: Vec<u8>,
        #[schemars(length(min = 1))]
        some: Vec<u8>,
        maybe: Option<Vec<u8>>,
    }
    assert_eq!(read::<Lists>("some=1"), json!({"some": [1], "all": []}));
    assert_eq!(refused::<Lists>(""), [": `some` is missing"]);
}

#[test]
fn property_that_no_query_string_can_hold_is_named() {
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only described")]
    struct Inner {
        a: u8,
    }
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only described")]
    struct Nested {
        fine: u8,
        filter: Option<Inner>,
    }
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only described")]
    struct Objects {
        rows: Vec<Inner>,
    }
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only described")]
    struct Lists {
        rows: Option<Vec<Vec<u8>>>,
    }
    let why = |schema: crate::json::schema::tests::InputSchema| {
        schema.query_compatible().unwrap_err().to_string()
    };
    assert_eq!(why(schema::<Nested>()), "its property `filter` can be an object");
    assert_eq!(why(schema::<Objects>()), "its property `rows` can be a list of objects");
    assert_eq!(why(schema::<Lists>()), "its property `rows` can be a list of lists");
    assert_eq!(
        why(schema::<HashMap<String, Inner>>()),
        "its undeclared properties can be an object"
    );
    assert_eq!(
        why(schema::<Vec<u8>>()),
        "the input can be of type array, but a query string is always an object"
    );
    assert_eq!(
        why(schema::<Order>()),
        "the input can be of type string, but a query string is always an object"
    );
    assert_eq!(schema::<Search>().query_compatible(), Ok(()));
    assert_eq!(schema::<Option<Limits>>().query_compatible(), Ok(()));
    assert_eq!(refused::<Vec<u8>>("a=1").len(), 1);

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only described")]
    struct Limits {
        a: Limit,
    }
}

#[derive(JsonSchema, Deserialize, Debug, PartialEq)]
#[serde(untagged)]
enum Key {
    Number(u64),
    Name(String),
}

#[derive(JsonSchema, Deserialize)]
#[expect(dead_code, reason = "only described")]
struct Keys {
    #[serde(default)]
    ids: Vec<Key>,
    a: Option<Key>,
    b: Option<Key>,
    c: Option<Key>,
    d: Option<Key>,
    e: Option<Key>,
    lists: Option<Lists>,
}

/// A list whose items are all of one kind.
#[derive(JsonSchema, Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "only described")]
enum Lists {
    Numbers(Vec<u64>),
    Flags(Vec<bool>),
    Names(Vec<String>),
}

#[test]
fn each_item_of_a_list_is_decided_by_itself() {
    assert_eq!(read::<Keys>("ids=1&ids=2&ids=3&ids=4&ids=-5"), json!({"ids": [1, 2, 3, 4, "-5"]}));
    assert_eq!(
        read::<Keys>("a=-1&b=-2&c=-3&d=-4&e=-5&ids=x"),
        json!({"a": "-1", "b": "-2", "c": "-3", "d": "-4", "e": "-5", "ids": ["x"]})
    );
    assert_eq!(read::<Keys>("lists=1&lists=2"), json!({"lists": [1, 2]}));
    assert_eq!(read::<Keys>("lists=true&lists=false"), json!({"lists": [true, false]}));
    assert_eq!(read::<Keys>("lists=1&lists=true&lists=-3"), json!({"lists": ["1", "true", "-3"]}));
    assert_eq!(read::<Keys>("ids=18446744073709551616"), json!({"ids": ["18446744073709551616"]}));
}

#[test]
fn several_enums_decide_the_types_of_their_own_names() {
    #[derive(JsonSchema)]
    #[serde(tag = "by", rename_all = "lowercase")]
    #[expect(dead_code, reason = "only described")]
    enum Find {
        Number { value: u32 },
        Name { value: String },
    }
    #[derive(JsonSchema)]
    #[serde(tag = "order", rename_all = "lowercase")]
    #[expect(dead_code, reason = "only described")]
    enum Order {
        After { cursor: u32 },
        Page { cursor: String },
        None { more: Option<bool> },
    }
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only described")]
    struct Query {
        #[serde(flatten)]
        find: Find,
        #[serde(flatten)]
        order: Order,
        ids: Vec<Key>,
    }
    assert_eq!(
        read::<Query>("by=name&value=5&order=after&cursor=7&ids=1&ids=-1"),
        json!({"by": "name", "value": "5", "order": "after", "cursor": 7, "ids": [1, "-1"]})
    );
    assert_eq!(
        read::<Query>("by=number&value=5&order=page&cursor=7&ids=x"),
        json!({"by": "number", "value": 5, "order": "page", "cursor": "7", "ids": ["x"]})
    );
    assert_eq!(
        read::<Query>("by=name&value=5&order=none&more=true"),
        json!({"by": "name", "value": "5", "order": "none", "more": true, "ids": []})
    );
}

#[test]
fn reading_takes_steps_in_proportion_to_the_query() {
    let keys = schema::<Keys>();
    let steps =
        |query: &str| crate::json::schema::query::steps::of(|| drop(keys.parse_query(query)));
    for item in ["ids=-5", "ids=5", "ids=18446744073709551616", "lists=x", "lists=1", "other=1"] {
        let query = |count| vec![item; count].join("&");
        let (few, many) = (steps(&query(100)), steps(&query(10_000)));
        assert!(many <= 100 * few.max(1) + 100, "{item}: {few} and {many} steps");
        assert!(many <= 8 * 10_000, "{item}: {many} steps");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config {
        failure_persistence: None,
        ..Default::default()
    })]

    /// Every list that the type can hold is read, and as itself, except for texts that write a
    /// number.
    #[test]
    fn lists_that_the_schema_allows_are_read(
        texts in proptest::collection::vec(
            "-?[0-9]{1,21}|[a-z.-]{0,4}|true|null|1e1|1\\.0",
            0..40,
        ),
    ) {
        let query: Vec<String> = texts.iter().map(|text| format!("ids={text}")).collect();
        let document = schema::<Keys>().parse_query(&query.join("&")).unwrap();
        let ids: Vec<Key> = crate::json::schema::decode::<Ids>(&document).unwrap().ids;
        let expected: Vec<Key> = texts
            .into_iter()
            .map(|text| match text.as_str() {
                "1e1" => Key::Number(10),
                "1.0" => Key::Number(1),
                "-0" => Key::Number(0),
                number if number.starts_with('0') && number.len() > 1 => Key::Name(text),
                _ => text.parse().map_or(Key::Name(text), Key::Number),
            })
            .collect();
        proptest::prop_assert_eq!(ids, expected);
    }
}

#[derive(Deserialize)]
struct Ids {
    #[serde(default)]
    ids: Vec<Key>,
}
