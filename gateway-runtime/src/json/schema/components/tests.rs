use proptest::prelude::*;

use super::*;

fn add(components: &mut Components, document: &Value, side: Side) -> Value {
    components.add(document, side, Root::Named)
}

/// Returns the schemas by name, and `places` with the names written in.
fn finish(components: Components, places: Vec<Value>) -> (Value, Vec<Value>) {
    let (schemas, names) = components.finish();
    let written = places.into_iter().map(|mut place| {
        names.write(&mut place);
        place
    });
    (schemas.into(), written.collect())
}

/// Adds all documents in this order; returns the schemas, and the references to the documents'
/// roots.
fn named(documents: &[(Value, Side)]) -> (Value, Vec<Value>) {
    let mut components = Components::default();
    let places =
        documents.iter().map(|(document, side)| add(&mut components, document, *side)).collect();
    finish(components, places)
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Returns the document of an object that has one property, of the type `Address`.
fn with_address(title: &str, address: &Value) -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "properties": { "address": { "$ref": "#/$defs/Address" } },
        "$defs": { "Address": address },
    })
}

#[test]
fn equal_definitions_are_stored_once() {
    let address = json!({ "type": "string" });
    let (a, b) = (with_address("A", &address), with_address("B", &address));
    let (schemas, places) =
        named(&[(a.clone(), Side::Input), (b, Side::Output), (a, Side::Output)]);
    assert_eq!(places, [reference("A"), reference("B"), reference("A")]);
    let of_address = json!({ "properties": { "address": reference("Address") } });
    assert_eq!(schemas, json!({ "A": of_address, "Address": address, "B": of_address }));
}

#[test]
fn output_that_differs_from_the_input_of_its_name_ends_in_output() {
    let street = |number: u32| with_address("Street", &json!({ "const": number }));
    for order in [[0, 1], [1, 0]] {
        let both = [(street(1), Side::Input), (street(2), Side::Output)];
        let (schemas, places) = named(&order.map(|at| both[at].clone()));
        assert_eq!(order.map(|at| &places[at]), [&reference("Street"), &reference("StreetOutput")]);
        // Both `Street` have the same text, and refer to different addresses.
        assert_eq!(schemas["StreetOutput"]["properties"]["address"], reference("AddressOutput"));
        assert_eq!(schemas["AddressOutput"], json!({ "const": 2 }));
    }
}

#[test]
fn definitions_of_one_name_are_distinguished_by_content_and_not_by_order() {
    let street = |number: u32| with_address("Street", &json!({ "const": number }));
    let all: Vec<_> = (0..4)
        .map(|number| (street(number), [Side::Input, Side::Output][number as usize % 2]))
        .collect();
    let (_, places) = named(&all);
    let turned: Vec<_> = all.iter().rev().cloned().collect();
    let (schemas, turned) = named(&turned);
    assert_eq!(places.iter().rev().collect::<Vec<_>>(), turned.iter().collect::<Vec<_>>());
    assert_eq!(schemas.as_object().unwrap().len(), 8);
    for place in &places {
        let name = place["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
        assert!(name.starts_with("Street_") && name.len() == "Street_".len() + 8, "{name}");
    }
    // Another definition changes none of these names.
    let (_, more) = named(&[(street(9), Side::Input)].into_iter().chain(all).collect::<Vec<_>>());
    assert_eq!(more[1..], places);
}

#[test]
fn own_names_of_the_gateway_are_given_to_no_other_schema() {
    let street = |number: u32| with_address("Street", &json!({ "const": number }));
    for side in [Side::Input, Side::Output] {
        let mut components = Components::default();
        let theirs = add(&mut components, &street(2), side);
        components.add_own(&street(1));
        let ours = add(&mut components, &street(1), Side::Output);
        let (_, places) = finish(components, vec![ours, theirs]);
        assert_eq!(places[0], reference("Street"));
        assert!(
            places[1]["$ref"].as_str().unwrap().starts_with("#/components/schemas/Street_"),
            "{places:?}"
        );
    }
}

#[test]
fn type_is_one_component_at_the_root_and_below() {
    let tree =
        |child: &str| json!({ "properties": { "children": { "items": { "$ref": child } } } });
    let mut at_the_root = tree("#");
    at_the_root["title"] = json!("Tree");
    let below = json!({ "title": "List", "type": "array", "items": { "$ref": "#/$defs/Tree" },
                        "$defs": { "Tree": tree("#/$defs/Tree") } });
    let (schemas, places) = named(&[(below, Side::Input), (at_the_root, Side::Input)]);
    assert_eq!(places, [json!({ "type": "array", "items": reference("Tree") }), reference("Tree")]);
    assert_eq!(
        schemas,
        json!({ "Tree": { "properties": { "children": { "items": reference("Tree") } } } })
    );
}

#[test]
fn numbers_that_depend_on_the_document_are_no_part_of_a_name() {
    let two = |first: &Value, second: &Value| {
        json!({ "title": "Two", "properties": {
                    "a": { "$ref": "#/$defs/Address" }, "b": { "$ref": "#/$defs/Address2" } },
                "$defs": { "Address": first, "Address2": second } })
    };
    let (home, work) = (json!({ "const": "home" }), json!({ "const": "work" }));
    let documents = [two(&home, &work), two(&work, &home), with_address("One", &work)];
    let (schemas, _) = named(&documents.map(|document| (document, Side::Input)));
    let names: Vec<_> =
        schemas.as_object().unwrap().keys().map(|name| name.split('_').next().unwrap()).collect();
    assert_eq!(names, ["Address", "Address", "One", "Two", "Two"]);
    let of_one = schemas["One"]["properties"]["address"]["$ref"].as_str().unwrap();
    assert_eq!(schemas[of_one.rsplit('/').next().unwrap()], work);
}

#[test]
fn types_of_one_name_that_refer_to_each_other_are_distinguished() {
    let to =
        |places: &[&str]| places.iter().map(|place| json!({ "$ref": place })).collect::<Value>();
    let document = json!({
        "title": "A", "oneOf": to(&["#", "#/$defs/A"]),
        "$defs": {
            "A": { "oneOf": to(&["#", "#/$defs/A2"]) },
            "A2": { "oneOf": to(&["#/$defs/A"]) },
        },
    });
    let (schemas, places) = named(&[(document, Side::Input)]);
    let follow = |place: &Value, at: usize| {
        let name = place["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
        schemas[name]["oneOf"][at].clone()
    };
    let root = &places[0];
    assert_eq!(schemas.as_object().unwrap().len(), 3);
    assert_eq!(follow(root, 0), *root);
    let first = follow(root, 1);
    assert_eq!(follow(&first, 0), *root);
    assert_eq!(follow(&follow(&first, 1), 0), first);
}

#[test]
fn only_types_become_components() {
    for inline in [
        json!({ "title": "string", "type": "string" }),
        json!({ "title": "Array_of_string", "type": "array", "items": { "type": "string" } }),
        json!({
            "title": "Map_of_string",
            "type": "object",
            "additionalProperties": { "type": "string" },
        }),
        json!({
            "title": "Nullable_A",
            "anyOf": [{ "$ref": "https://example.org" }, { "type": "null" }],
        }),
        json!({ "title": "AnyValue" }),
    ] {
        let mut components = Components::default();
        let mut expected = inline.clone();
        expected.as_object_mut().unwrap().remove("title");
        assert_eq!(add(&mut components, &inline, Side::Input), expected);
        assert!(components.finish().0.is_empty());
    }
    let mut components = Components::default();
    let object = json!({ "title": "A", "properties": {} });
    assert_eq!(components.add(&object, Side::Input, Root::Inline), json!({ "properties": {} }));
    let place = components.add(&object, Side::Input, Root::Named);
    assert_eq!(finish(components, vec![place]).1, [reference("A")]);
}

#[test]
fn names_are_what_openapi_allows_and_titles_for_people_stay() {
    let document = json!({
        "title": "What to find",
        "properties": { "a": { "$ref": "#/$defs/P%C3%A4ir%3C~1u8,~0%3E/properties/b" } },
        "$defs": { "Päir</u8,~>": { "properties": { "b": {} } } },
    });
    let (schemas, places) = named(&[(document, Side::Input)]);
    assert_eq!(places, [reference("What_to_find")]);
    assert_eq!(
        schemas.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["P_ir__u8___", "What_to_find"]
    );
    assert_eq!(schemas["What_to_find"]["title"], "What to find");
    assert_eq!(schemas["What_to_find"]["properties"]["a"], reference("P_ir__u8___/properties/b"));
}

/// Generates documents with a few definitions of a few names, which refer to each other and to the
/// root at random.
fn documents() -> impl Strategy<Value = Vec<(Value, bool)>> {
    const NAMES: [&str; 4] = ["A", "B", "A2", "C"];
    let reference = prop_oneof![
        2 => proptest::sample::select(&NAMES[..])
            .prop_map(|name| json!({ "$ref": format!("#/$defs/{name}") })),
        1 => Just(json!({ "$ref": "#" })),
        2 => (0..2_u8).prop_map(|number| json!({ "const": number })),
    ];
    let schema =
        proptest::collection::vec(reference, 1..3).prop_map(|schemas| json!({ "oneOf": schemas }));
    let schemas = proptest::collection::vec(schema, NAMES.len() + 1);
    let document =
        (schemas, proptest::sample::select(&NAMES[..3])).prop_map(|(mut schemas, title)| {
            let mut root = schemas.remove(0);
            root["title"] = json!(title);
            root["$defs"] = NAMES
                .iter()
                .map(|name| (*name).to_owned())
                .zip(schemas)
                .collect::<Map<_, _>>()
                .into();
            root
        });
    proptest::collection::vec((document, any::<bool>()), 1..5)
}

/// Replaces the references of a schema by their targets, down to some depth.
fn expand(schema: &Value, find: &impl Fn(&str) -> Value, depth: u8) -> Value {
    match schema {
        Value::Object(keywords) if depth > 0 && keywords.contains_key("$ref") => {
            expand(&find(keywords["$ref"].as_str().unwrap()), find, depth - 1)
        }
        Value::Object(keywords) => {
            let kept = keywords
                .iter()
                .filter(|(keyword, _)| !matches!(keyword.as_str(), "title" | "$defs" | "$ref"));
            kept.map(|(keyword, value)| (keyword.clone(), expand(value, find, depth))).collect()
        }
        Value::Array(schemas) => schemas.iter().map(|schema| expand(schema, find, depth)).collect(),
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn a_component_means_what_its_document_says(documents in documents()) {
        let side = |is_input: bool| if is_input { Side::Input } else { Side::Output };
        let sided: Vec<_> = documents
            .iter()
            .map(|(document, is_input)| (document.clone(), side(*is_input)))
            .collect();
        let (schemas, places) = named(&sided);
        for ((document, _), place) in documents.iter().zip(&places) {
            let in_document = |reference: &str| document.pointer(&reference[1..]).unwrap().clone();
            let in_components = |reference: &str| {
                schemas[reference.strip_prefix("#/components/schemas/").unwrap()].clone()
            };
            prop_assert_eq!(expand(document, &in_document, 7), expand(place, &in_components, 8));
        }
    }
}
