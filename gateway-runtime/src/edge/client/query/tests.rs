//! Round trips: the server's own parser reads the query strings of the client.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use proptest::{collection::vec, option, prelude::*};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    edge::client::query::write,
    json::schema::{InputSchema, decode},
};

fn round_trip<T: Serialize + DeserializeOwned + JsonSchema>(input: &T) -> (String, T) {
    let query = write(&serde_json::to_vec(input).unwrap()).unwrap();
    let value = InputSchema::of::<T>().unwrap().parse_query(&query);
    let value = value.unwrap_or_else(|violations| panic!("{query} was refused: {violations:?}"));
    (query, decode(&value).unwrap())
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Order {
    NewestFirst,
    OldestFirst,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Page {
    after: Option<String>,
    limit: u16,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Search {
    some_text: String,
    letter: char,
    count: i64,
    large: u64,
    ratio: f64,
    single: f32,
    is_new: bool,
    order: Order,
    day: NaiveDate,
    since: DateTime<Utc>,
    maybe_text: Option<String>,
    maybe_count: Option<i32>,
    maybe_order: Option<Order>,
    #[serde(default)]
    texts: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    numbers: Vec<i16>,
    #[serde(default)]
    days: Option<Vec<NaiveDate>>,
    #[serde(flatten)]
    page: Page,
}

prop_compose! {
    fn dates()(days in 0..60_000_i32) -> NaiveDate {
        NaiveDate::from_ymd_opt(1900, 1, 1).unwrap() + chrono::Days::new(days.unsigned_abs().into())
    }
}

fn orders() -> impl Strategy<Value = Order> {
    prop_oneof![Just(Order::NewestFirst), Just(Order::OldestFirst)]
}

fn searches() -> impl Strategy<Value = Search> {
    let numbers = (
        any::<i64>(),
        any::<u64>(),
        proptest::num::f64::NORMAL,
        proptest::num::f32::NORMAL,
        any::<bool>(),
    );
    // Texts include `null` and numbers; an empty list equals none.
    let texts = || prop_oneof![".*", "null|true|[0-9]{1,4}|&=%2B+ ;"];
    let maybes = (
        option::of(texts()),
        option::of(any::<i32>()),
        option::of(orders()),
        option::of(vec(dates(), 1..3)),
    );
    let times = (dates(), 0..4_000_000_000_i64);
    let page = (option::of(texts()), any::<u16>());
    let lists = (vec(texts(), 0..4), vec(any::<i16>(), 0..4));
    (texts(), any::<char>(), numbers, orders(), times, maybes, lists, page).prop_map(
        |(some_text, letter, numbers, order, times, maybes, lists, page)| Search {
            some_text,
            letter,
            count: numbers.0,
            large: numbers.1,
            ratio: numbers.2,
            single: numbers.3,
            is_new: numbers.4,
            order,
            day: times.0,
            since: DateTime::from_timestamp_millis(times.1).unwrap(),
            maybe_text: maybes.0,
            maybe_count: maybes.1,
            maybe_order: maybes.2,
            texts: lists.0,
            numbers: lists.1,
            days: maybes.3,
            page: Page { after: page.0, limit: page.1 },
        },
    )
}

proptest! {
    #[test]
    fn the_server_reads_back_what_the_client_writes(search in searches()) {
        let (query, read) = round_trip(&search);
        prop_assert_eq!(read, search, "{}", query);
    }

    #[test]
    fn server_reads_back_properties_outside_the_schema(
        map in proptest::collection::btree_map(".+", ".*", 0..5),
    ) {
        let (query, read): (_, BTreeMap<String, String>) = round_trip(&map);
        prop_assert_eq!(read, map, "{}", query);
    }
}

#[test]
fn a_query_looks_as_one_would_write_it() {
    let page = Page { after: Some("a b&c".to_owned()), limit: 20 };
    assert_eq!(round_trip(&page).0, "after=a+b%26c&limit=20");
    assert_eq!(round_trip(&Page { after: None, limit: 1 }).0, "limit=1");
    assert_eq!(write(br#"{"to":["ann","bob"],"cc":[]}"#).unwrap(), "to=ann&to=bob");
    assert_eq!(write(b"null").unwrap(), "");
}

#[test]
fn inexpressible_properties_are_refused_by_name() {
    for (input, name) in
        [(r#"{"where":{"x":1}}"#, "`where`"), (r#"{"m":[[1]]}"#, "`m`"), ("[1]", "not a struct")]
    {
        let why = write(input.as_bytes()).unwrap_err();
        assert!(why.to_string().contains(name), "{why}");
    }
}
