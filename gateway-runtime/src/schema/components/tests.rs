use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

fn add(components: &mut Components, document: &Value, side: Side) -> Value {
    components.add(document, side, Root::Named)
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// A document of an object that has one property, of the type `Address`.
fn with_address(title: &str, address: &Value) -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "properties": { "address": { "$ref": "#/$defs/Address" } },
        "$defs": { "Address": address },
    })
}

#[test]
fn what_is_the_same_is_there_once() {
    let mut components = Components::default();
    let address = json!({ "type": "string" });
    assert_eq!(add(&mut components, &with_address("A", &address), Side::Input), reference("A"));
    assert_eq!(add(&mut components, &with_address("B", &address), Side::Output), reference("B"));
    assert_eq!(add(&mut components, &with_address("A", &address), Side::Output), reference("A"));
    let of_address = json!({ "properties": { "address": reference("Address") } });
    let expected = json!({ "A": of_address, "Address": address, "B": of_address });
    assert_eq!(Value::Object(components.into_schemas()), expected);
}

#[test]
fn what_differs_has_another_name() {
    let mut components = Components::default();
    let street = |number: u32| with_address("Street", &json!({ "const": number }));
    assert_eq!(add(&mut components, &street(1), Side::Input), reference("Street"));
    // The texts of the two `Street` are the same, and they mean different addresses.
    assert_eq!(add(&mut components, &street(2), Side::Input), reference("Street2"));
    assert_eq!(add(&mut components, &street(3), Side::Output), reference("StreetOutput"));
    assert_eq!(add(&mut components, &street(4), Side::Output), reference("StreetOutput2"));
    assert_eq!(add(&mut components, &street(2), Side::Output), reference("Street2"));
    let schemas = components.into_schemas();
    for (street, address) in [("Street2", "Address2"), ("StreetOutput2", "AddressOutput2")] {
        assert_eq!(schemas[street]["properties"]["address"], reference(address));
    }
    assert_eq!(schemas["AddressOutput2"], json!({ "const": 4 }));
}

#[test]
fn a_type_is_itself_at_the_root_and_below() {
    let tree = |child: &str| json!({ "properties": { "children": { "items": { "$ref": child } } } });
    let mut at_the_root = tree("#");
    at_the_root["title"] = json!("Tree");
    let below = json!({ "title": "List", "type": "array", "items": { "$ref": "#/$defs/Tree" },
                        "$defs": { "Tree": tree("#/$defs/Tree") } });
    let mut components = Components::default();
    assert_eq!(add(&mut components, &below, Side::Input), json!({ "type": "array", "items": reference("Tree") }));
    assert_eq!(add(&mut components, &at_the_root, Side::Input), reference("Tree"));
    let expected = json!({ "Tree": { "properties": { "children": { "items": reference("Tree") } } } });
    assert_eq!(Value::Object(components.into_schemas()), expected);
}

#[test]
fn numbers_that_depend_on_the_document_are_no_part_of_a_name() {
    let two = |first: &Value, second: &Value| {
        json!({ "title": "Two", "properties": { "a": { "$ref": "#/$defs/Address" }, "b": { "$ref": "#/$defs/Address2" } },
                "$defs": { "Address": first, "Address2": second } })
    };
    let (home, work) = (json!({ "const": "home" }), json!({ "const": "work" }));
    let mut components = Components::default();
    add(&mut components, &two(&home, &work), Side::Input);
    add(&mut components, &two(&work, &home), Side::Input);
    add(&mut components, &with_address("One", &work), Side::Input);
    let schemas = components.into_schemas();
    assert_eq!(schemas.keys().collect::<Vec<_>>(), ["Address", "Address2", "One", "Two", "Two2"]);
    assert_eq!(schemas["One"]["properties"]["address"], reference("Address2"));
}

#[test]
fn types_of_one_name_that_refer_to_each_other_are_told_apart() {
    let to = |places: &[&str]| places.iter().map(|place| json!({ "$ref": place })).collect::<Value>();
    let document = json!({
        "title": "A", "oneOf": to(&["#", "#/$defs/A"]),
        "$defs": { "A": { "oneOf": to(&["#", "#/$defs/A2"]) }, "A2": { "oneOf": to(&["#/$defs/A"]) } },
    });
    let mut components = Components::default();
    assert_eq!(add(&mut components, &document, Side::Input), reference("A"));
    let expected = json!({
        "A": { "oneOf": [reference("A"), reference("A2")] },
        "A2": { "oneOf": [reference("A"), reference("A3")] },
        "A3": { "oneOf": [reference("A2")] },
    });
    assert_eq!(Value::Object(components.into_schemas()), expected);
}

#[test]
fn only_types_become_components() {
    for inline in [
        json!({ "title": "string", "type": "string" }),
        json!({ "title": "Array_of_string", "type": "array", "items": { "type": "string" } }),
        json!({ "title": "Map_of_string", "type": "object", "additionalProperties": { "type": "string" } }),
        json!({ "title": "Nullable_A", "anyOf": [{ "$ref": "https://example.org" }, { "type": "null" }] }),
        json!({ "title": "AnyValue" }),
    ] {
        let mut components = Components::default();
        let mut expected = inline.clone();
        expected.as_object_mut().unwrap().remove("title");
        assert_eq!(add(&mut components, &inline, Side::Input), expected);
        assert!(components.into_schemas().is_empty());
    }
    let mut components = Components::default();
    let object = json!({ "title": "A", "properties": {} });
    assert_eq!(components.add(&object, Side::Input, Root::Inline), json!({ "properties": {} }));
    assert_eq!(components.add(&object, Side::Input, Root::Named), reference("A"));
}

#[test]
fn names_are_what_openapi_allows_and_titles_for_people_stay() {
    let mut components = Components::default();
    let document = json!({
        "title": "What to find",
        "properties": { "a": { "$ref": "#/$defs/P%C3%A4ir%3C~1u8,~0%3E/properties/b" } },
        "$defs": { "Päir</u8,~>": { "properties": { "b": {} } } },
    });
    assert_eq!(add(&mut components, &document, Side::Input), reference("What_to_find"));
    let schemas = components.into_schemas();
    assert_eq!(schemas.keys().collect::<Vec<_>>(), ["P_ir__u8___", "What_to_find"]);
    assert_eq!(schemas["What_to_find"]["title"], "What to find");
    assert_eq!(schemas["What_to_find"]["properties"]["a"], reference("P_ir__u8___/properties/b"));
}

/// Documents with a few definitions of a few names, that refer to each other and to the root at random.
fn documents() -> impl Strategy<Value = Vec<(Value, bool)>> {
    const NAMES: [&str; 4] = ["A", "B", "A2", "C"];
    let reference = prop_oneof![
        2 => proptest::sample::select(&NAMES[..]).prop_map(|name| json!({ "$ref": format!("#/$defs/{name}") })),
        1 => Just(json!({ "$ref": "#" })),
        2 => (0..2_u8).prop_map(|number| json!({ "const": number })),
    ];
    let schema = proptest::collection::vec(reference, 1..3).prop_map(|schemas| json!({ "oneOf": schemas }));
    let schemas = proptest::collection::vec(schema, NAMES.len() + 1);
    let document = (schemas, proptest::sample::select(&NAMES[..3])).prop_map(|(mut schemas, title)| {
        let mut root = schemas.remove(0);
        root["title"] = json!(title);
        root["$defs"] = NAMES.iter().map(|name| (*name).to_owned()).zip(schemas).collect::<Map<_, _>>().into();
        root
    });
    proptest::collection::vec((document, any::<bool>()), 1..5)
}

/// What a schema means, down to some depth.
fn expand(schema: &Value, find: &impl Fn(&str) -> Value, depth: u8) -> Value {
    match schema {
        Value::Object(keywords) if depth > 0 && keywords.contains_key("$ref") => {
            expand(&find(keywords["$ref"].as_str().unwrap()), find, depth - 1)
        }
        Value::Object(keywords) => {
            let kept = keywords.iter().filter(|(keyword, _)| !matches!(keyword.as_str(), "title" | "$defs" | "$ref"));
            kept.map(|(keyword, value)| (keyword.clone(), expand(value, find, depth))).collect()
        }
        Value::Array(schemas) => schemas.iter().map(|schema| expand(schema, find, depth)).collect(),
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn a_component_means_what_its_document_says(documents in documents()) {
        let mut components = Components::default();
        let places: Vec<_> = documents
            .iter()
            .map(|(document, is_input)| add(&mut components, document, if *is_input { Side::Input } else { Side::Output }))
            .collect();
        let schemas = components.into_schemas();
        for ((document, _), place) in documents.iter().zip(&places) {
            let in_document = |reference: &str| document.pointer(&reference[1..]).unwrap().clone();
            let in_components = |reference: &str| schemas[reference.strip_prefix("#/components/schemas/").unwrap()].clone();
            prop_assert_eq!(expand(document, &in_document, 7), expand(place, &in_components, 8));
        }
    }
}

/// The shortest of a few runs: some of them are not interrupted, even on a busy machine.
fn best_of(runs: u32, mut run: impl FnMut()) -> Duration {
    let time = |_| {
        let started = Instant::now();
        run();
        started.elapsed()
    };
    (0..runs).map(time).min().unwrap()
}

#[test]
fn the_last_of_ten_thousand_namesakes_costs_what_the_first_did() {
    for (side, last_name) in [(Side::Input, "Street10000"), (Side::Output, "StreetOutput9999")] {
        let mut components = Components::default();
        let mut numbers = 0..10_000;
        let mut add_a_hundred = || {
            for number in numbers.by_ref().take(100) {
                add(&mut components, &with_address("Street", &json!({ "const": number })), side);
            }
        };
        let first = best_of(20, &mut add_a_hundred);
        best_of(60, &mut add_a_hundred);
        let last = best_of(20, &mut add_a_hundred);
        // Trying all numbers from 2 on takes eighty times as long.
        assert!(last < first * 8, "a hundred names took {first:?} at first and {last:?} at last");
        assert!(components.into_schemas().contains_key(last_name));
    }
}
