//! The published documents of a program with one of everything, compared with reviewed golden
//! files.
//!
//! `BLESS=1 cargo test -p gateway-runtime --test descriptions` writes the files anew.

#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a test, with services as authors write them"
)]

mod courier;
mod depot;
// Neither this order nor its reverse is that of the names, so published documents cannot be sorted
// by chance.
#[rustfmt::skip]
mod shop;
mod newer;

use std::{collections::HashSet, path::Path, sync::Arc};

use bytes::Bytes;
use gateway_runtime::{
    App, Code, Result,
    auth::AcceptedCredentials,
    bus::BusSettings,
    http::{Documents, Info},
    provider::ProviderSettings,
    registry::{Registry, RegistrySettings},
};
use http::{Response, StatusCode, header};
use serde_json::Value;

fn registry() -> Arc<Registry> {
    Arc::new(Registry::build(&App::default(), &RegistrySettings::default()).unwrap())
}

fn documents(registry: Arc<Registry>) -> Documents {
    let title = "Shop and depot".to_owned();
    let description = "One of *everything*.".to_owned();
    let info = Info { title, version: "1.2.3".to_owned(), description, ..Info::default() };
    Documents::new(&info, registry, AcceptedCredentials::default(), &BusSettings::default())
}

fn serve(path: &str) -> Result<Response<Bytes>> {
    documents(registry()).serve(path)
}

fn get(path: &str) -> Value {
    let response = serve(path).unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
    serde_json::from_slice(response.body()).unwrap()
}

const ALL: [(&str, &str); 3] = [
    ("/meta", "meta.json"),
    ("/openapi.json", "openapi.json"),
    ("/asyncapi.json", "asyncapi.json"),
];

#[test]
fn golden() {
    for (path, file) in ALL {
        let document = format!("{:#}\n", get(path));
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/descriptions").join(file);
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&file, &document).unwrap();
        }
        let same = std::fs::read_to_string(&file).is_ok_and(|expected| expected == document);
        assert!(
            same,
            "{path} has changed: if it is meant to, write the files anew with BLESS=1, and review \
             them"
        );
    }
}

#[test]
fn nothing_internal_is_published() {
    for (path, _) in ALL {
        let text = get(path).to_string();
        for internal in [
            "SECRET",
            "::",
            ".rs",
            "tests/",
            "descriptions",
            env!("CARGO_MANIFEST_DIR"),
            "gateway_runtime",
        ] {
            assert!(!text.contains(internal), "{path} has `{internal}`");
        }
    }
}

#[test]
fn documents_are_in_the_order_of_names() {
    fn names(things: &Value) -> Vec<(String, Option<u64>)> {
        let name =
            |thing: &Value| (thing["name"].as_str().unwrap().to_owned(), thing["version"].as_u64());
        things.as_array().unwrap().iter().map(name).collect()
    }
    let meta = get("/meta");
    let services = names(&meta["services"]);
    assert!(services.is_sorted() && services.len() == 4, "{services:?}");
    for service in meta["services"].as_array().unwrap() {
        assert!(names(&service["methods"]).is_sorted(), "{}", service["name"]);
    }
    assert!(names(&meta["capabilities"][0]["providers"]).is_sorted());
    let openapi = get("/openapi.json");
    assert!(names(&openapi["tags"]).is_sorted());
    assert!(openapi["components"]["schemas"].as_object().unwrap().keys().is_sorted());
}

/// Collects every `$ref` of a document; none of these documents has one among its examples.
fn references<'d>(value: &'d Value, found: &mut Vec<&'d str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_referred_to() {
    for path in ["/openapi.json", "/asyncapi.json"] {
        let document = get(path);
        let mut found = Vec::new();
        references(&document, &mut found);
        for reference in &found {
            assert!(
                document.pointer(&reference[1..]).is_some(),
                "{path}: {reference} leads nowhere"
            );
        }
        for (kind, components) in document["components"].as_object().unwrap() {
            for name in components.as_object().unwrap().keys().filter(|_| kind != "securitySchemes")
            {
                let reference = format!("#/components/{kind}/{name}");
                assert!(
                    found.contains(&reference.as_str()),
                    "{path}: nothing refers to {reference}"
                );
            }
        }
    }
}

#[test]
fn schemas_are_named_by_their_types() {
    for path in ["/openapi.json", "/asyncapi.json"] {
        let document = get(path);
        let schemas = document["components"]["schemas"].as_object().unwrap();
        for name in ["PageOfAddress", "PageOfuint64"] {
            let page = schemas.get(name).unwrap_or_else(|| panic!("{path} has no {name}"));
            assert!(page["properties"].get("items").is_some(), "{page}");
        }
        // Two types are called `Address`; neither is named by its order.
        assert!(!schemas.contains_key("Address") && !schemas.contains_key("Address2"));
        assert_eq!(schemas.keys().filter(|name| name.starts_with("Address_")).count(), 2);
    }
}

#[test]
fn an_author_s_own_codes_are_published() {
    let meta = get("/meta/depot/v1");
    let methods = meta["services"][0]["methods"].as_array().unwrap();
    let list = methods.iter().find(|method| method["name"] == "list").unwrap();
    let errors = list["errors"].as_array().unwrap();
    assert!(
        errors.iter().any(|error| error["code"] == "full" && error["status"] == 409),
        "{errors:?}"
    );
    let list = &get("/openapi.json")["paths"]["/services/depot/v1/list"]["get"];
    assert_eq!(list["responses"]["409"]["$ref"], "#/components/responses/full");
    assert_eq!(
        (&list["summary"], &list["description"]),
        (&"Lists the addresses".into(), &"The newest first.".into())
    );
}

#[test]
fn operations_have_names_of_their_own() {
    let document = get("/openapi.json");
    let operations = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|path| path.as_object().unwrap().values());
    let names: Vec<_> =
        operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len(), "{names:?}");
    // Names for generators of clients, the same in both documents.
    let async_document = get("/asyncapi.json");
    for name in async_document["operations"].as_object().unwrap().keys() {
        let method = name.strip_suffix("_by_bus").unwrap_or(name);
        assert!(names.contains(&method) || name.starts_with("bus_"), "{name}");
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{name}");
    }
}

#[test]
fn meta_can_be_restricted_to_one_service() {
    let versions = |path| {
        let document = get(path);
        let services = document["services"].as_array().unwrap().clone();
        services
            .iter()
            .map(|service| format!("{}/{}", service["name"], service["version"]))
            .collect::<Vec<_>>()
    };
    assert_eq!(versions("/meta"), ["\"courier\"/1", "\"depot\"/1", "\"depot\"/2", "\"shop\"/1"]);
    assert_eq!(versions("/meta/depot"), ["\"depot\"/1", "\"depot\"/2"]);
    assert_eq!(versions("/meta/depot/v2"), ["\"depot\"/2"]);
    for path in [
        "/meta/",
        "/metadata",
        "/meta/x",
        "/meta/depot/v3",
        "/meta/depot/2",
        "/meta/depot/v2/",
        "/openapi",
    ] {
        assert_eq!(serve(path).unwrap_err().code(), Code::NOT_FOUND, "{path}");
    }
}

#[test]
fn each_document_has_a_strong_tag_of_its_own() {
    let mut tags = HashSet::new();
    for path in
        ["/meta", "/meta/depot", "/meta/depot/v2", "/meta/shop", "/openapi.json", "/asyncapi.json"]
    {
        let tag = serve(path).unwrap().headers()[header::ETAG].clone();
        assert!(tag.as_bytes().starts_with(b"\""), "{path}: {tag:?} is weak");
        assert!(tags.insert(tag), "{path} has the tag of another");
    }
}

#[test]
fn health_is_current() {
    let registry = registry();
    let documents = documents(Arc::clone(&registry));
    let read = |path| {
        let response = documents.serve(path).unwrap();
        let document: Value = serde_json::from_slice(response.body()).unwrap();
        let of_van = document.pointer("/capabilities/0/providers/1/methods/0/health").cloned();
        (response.headers()[header::ETAG].clone(), of_van)
    };
    let (before, with_providers, without) =
        (read("/meta"), read("/meta/courier/v1"), read("/meta/shop"));
    assert_eq!(before.1, Some("ready".into()));
    assert_eq!(with_providers.1, Some("ready".into()));
    assert_eq!(without.1, None);
    assert_eq!(read("/meta"), before);

    let van = registry.providers().iter().find(|provider| provider.spec().name == "van").unwrap();
    van.apply(&ProviderSettings { enabled: false, ..ProviderSettings::default() });
    assert_eq!(read("/meta").1, Some("disabled".into()));
    assert_ne!(read("/meta").0, before.0);
    assert_ne!(read("/meta/courier/v1").0, with_providers.0);
    assert_eq!(read("/meta/shop"), without);
}

#[test]
fn a_broker_is_a_server_without_its_user_and_password() {
    let with_bus = |bus: &str| -> Value {
        let bus: BusSettings = serde_json::from_str(bus).unwrap();
        let documents =
            Documents::new(&Info::default(), registry(), AcceptedCredentials::default(), &bus);
        let answer = |path| documents.serve(path).unwrap();
        let texts = ["/asyncapi.json", "/meta"]
            .map(|path| String::from_utf8(answer(path).body().to_vec()).unwrap());
        assert!(
            texts.iter().all(|text| !text.contains("hunter2") && !text.contains("clerk")),
            "{texts:?}"
        );
        let [asyncapi, meta] = texts.map(|text| serde_json::from_str::<Value>(&text).unwrap());
        serde_json::json!({ "asyncapi": asyncapi, "meta": meta })
    };
    let told = with_bus(
        r#"{
            "amqp": "amqps://clerk:hunter2@rabbit.internal/orders",
            "calls": { "queue": "own" }
        }"#,
    );
    let document = &told["asyncapi"];
    let server = &document["servers"]["bus"];
    assert_eq!(
        (&server["host"], &server["protocol"]),
        (&"rabbit.internal:5671".into(), &"amqps".into())
    );
    assert_eq!(server["pathname"], "/orders");
    let addresses = ["bus_calls", "bus_dead_letters", "bus_retries"]
        .map(|name| &document["channels"][name]["address"]);
    assert_eq!(addresses, ["own", "own.dead", "own.retry.{delay}"]);
    for (name, channel) in document["channels"].as_object().unwrap() {
        let server = channel["servers"][0]["$ref"].as_str().unwrap();
        assert_eq!(server == "#/servers/bus", name.starts_with("bus_"), "{name}: {server}");
        assert!(document.pointer(&server[1..]).is_some(), "{name}: {server}");
    }
    let told = with_bus(r#"{ "calls": { "enabled": false } }"#);
    assert!(!told.to_string().contains("gateway.calls") && told["asyncapi"]["servers"].is_null());
}
