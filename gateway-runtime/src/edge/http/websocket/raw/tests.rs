use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn items(text: &str) -> Vec<&str> {
    RawJson::check(text).unwrap().items().map(RawJson::as_str).collect()
}

#[test]
fn items_and_members_are_cut_where_they_end() {
    assert_eq!(
        items(" [ 1 ,\"a,]\\\"\",[[],{}], {\"b\":[\"}\"]}\n,-1e5 , null]\t"),
        ["1", "\"a,]\\\"\"", "[[],{}]", "{\"b\":[\"}\"]}", "-1e5", "null"]
    );
    assert!(items("[]").is_empty() && items("[ \n]").is_empty() && items("{\"a\":1}").is_empty());
    let object = RawJson::check(r#"{"a" : 1,"\u0062":"x","a":{ } }"#).unwrap();
    let members: Vec<_> =
        object.members().map(|(name, value)| (name.to_text().unwrap(), value.0)).collect();
    assert_eq!(members, [("a".into(), "1"), ("b".into(), "\"x\""), ("a".into(), "{ }")]);
    assert_eq!(RawJson::check("{ }").unwrap().members().count(), 0);
}

#[test]
fn check_rejects_invalid_json() {
    for text in ["", "[", "[1,]", "{\"a\"}", "nul", "01", "\"\\x\"", "[1] 2"] {
        assert!(RawJson::check(text).is_err(), "{text}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[\\PC\"\\\\\\[\\]{},:]{0,6}".prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec(("[a-z\"\\\\:]{0,3}", inner), 0..5)
                .prop_map(|all| Value::Object(all.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn items_and_members_are_those_of_serde_json(value in any_json(), pretty in any::<bool>()) {
        let text = if pretty {
            serde_json::to_string_pretty(&value).unwrap()
        } else {
            serde_json::to_string(&value).unwrap()
        };
        let raw = RawJson::check(&text).unwrap();
        let again = |raw: RawJson<'_>| serde_json::from_str::<Value>(raw.as_str()).unwrap();
        let items: Vec<_> = raw.items().map(again).collect();
        prop_assert_eq!(items, value.as_array().cloned().unwrap_or_default());
        let members: Vec<_> = raw
            .members()
            .map(|(name, one)| (name.to_text().unwrap().into_owned(), again(one)))
            .collect();
        let expected = value.as_object().cloned().unwrap_or_default();
        prop_assert_eq!(members, expected.into_iter().collect::<Vec<_>>());
    }
}
