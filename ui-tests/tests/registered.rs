//! The registry holds what the attributes of `pass/` declare.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    sync::{Arc, mpsc},
    time::Duration,
};

use gateway_runtime::{
    __private::BoxFuture,
    App, AuthMode, CacheScope, CacheSpec, Effect, IdempotencyMode, Money, QuotaSpec, Result, Verb,
    WebhookSpec,
    client::{ClientError, Transport, TransportRequest, TransportResponse},
    registry::{Method, RegisteredService, Registry, RegistrySettings},
};
use gateway_ui_tests::{arguments, places};

fn registry() -> Registry {
    let mut app = App::default();
    app.insert(Arc::new("EUR".to_owned()));
    Registry::build(&app, &RegistrySettings::default()).unwrap()
}

fn service<'a>(registry: &'a Registry, name: &str) -> &'a RegisteredService {
    registry.services().iter().find(|service| service.spec.name == name).unwrap()
}

fn method<'a>(service: &'a RegisteredService, name: &str) -> &'a Method {
    service.methods.iter().find(|method| method.spec.name == name).unwrap()
}

fn money(text: &str) -> Money {
    text.parse().unwrap()
}

#[test]
fn every_argument_arrives() {
    let registry = registry();
    let everything = service(&registry, "every-argument");
    let spec = everything.spec;
    assert_eq!(
        (spec.version, spec.title, spec.auth),
        (7, "Every argument", Some(AuthMode::Required))
    );
    assert_eq!(spec.description, "What is written on the struct.\n\nIn two paragraphs.");
    assert_eq!(spec.scopes, ["all", "all:read"]);
    assert!(spec.source.file.ends_with("arguments.rs"), "{}", spec.source);

    let read = method(everything, "read-it").spec;
    assert_eq!((read.verb, read.title, read.description), (Verb::Get, "Read it", "Reads."));
    assert_eq!((read.effect, read.idempotency), (Effect::Read, IdempotencyMode::None));
    assert_eq!(read.price, Some(money("0.001 USD")));
    assert_eq!(
        read.cache,
        Some(CacheSpec { ttl: Duration::from_secs(300), scope: CacheScope::Global })
    );
    assert_eq!(read.quota, Some(QuotaSpec { calls: 100, per: Duration::from_secs(60) }));
    assert_eq!((read.auth, read.scopes), (Some(AuthMode::Required), &["read"][..]));
    assert_eq!(read.timeout, Some(Duration::from_millis(500)));
    assert!(read.deprecated && read.webhook.is_none());
    assert_eq!(method(everything, "read-it").capabilities.len(), 1);

    let put = method(everything, "put").spec;
    assert_eq!(
        (put.verb, put.effect, put.idempotency),
        (Verb::Put, Effect::Keyed, IdempotencyMode::Required)
    );
    let patch = method(everything, "patch").spec;
    assert_eq!((patch.verb, patch.effect), (Verb::Patch, Effect::Idempotent));
    let search = method(everything, "search").spec;
    assert_eq!((search.verb, search.effect), (Verb::Post, Effect::Read));
    assert_eq!(
        search.cache,
        Some(CacheSpec { ttl: Duration::from_secs(86_400), scope: CacheScope::Account })
    );
    let said = method(everything, "said").spec;
    assert_eq!(said.webhook, Some(WebhookSpec { secret: "PARROT_SECRET" }));
    assert_eq!(said.idempotency, IdempotencyMode::None);
}

#[test]
fn missing_arguments_have_defaults() {
    let registry = registry();
    let codes = service(&registry, "http_status_codes");
    assert_eq!((codes.spec.version, codes.spec.title), (1, "Http status codes"));
    assert_eq!((codes.spec.description, codes.spec.auth), ("A block comment.", None));
    let find = method(codes, "find_all").spec;
    assert_eq!((find.title, find.description), ("Find all", "Docs from a macro."));
    assert_eq!((find.effect, find.idempotency), (Effect::Read, IdempotencyMode::None));
    assert_eq!((find.price, find.cache, find.quota, find.timeout), (None, None, None, None));
    let raw = method(codes, "type").spec;
    assert_eq!(
        (raw.effect, raw.idempotency, raw.deprecated),
        (Effect::Once, IdempotencyMode::Optional, false)
    );
    assert!(registry.providers().iter().any(|provider| provider.spec().name == "no_name"));
}

#[test]
fn a_service_is_the_sum_of_its_impl_blocks() {
    let registry = registry();
    let private = service(&registry, "private");
    let names: Vec<_> = private.methods.iter().map(|method| method.spec.name).collect();
    assert_eq!(names, ["old", "one", "present", "three", "two"]);
    assert!(method(private, "old").spec.deprecated);
    let lines: Vec<_> = private.methods.iter().map(|method| method.spec.source.line).collect();
    assert!(
        lines.iter().enumerate().all(|(place, line)| !lines[..place].contains(line)),
        "{lines:?}"
    );
    assert!(
        places::in_a_function()
            > method(service(&registry, "in_a_function"), "call").spec.source.line
    );
}

#[test]
fn capabilities_and_costs_arrive() {
    let registry = registry();
    let mailer =
        registry.capabilities().iter().find(|capability| capability.name == "Mailer").unwrap();
    let methods: Vec<_> =
        mailer.methods.iter().map(|method| (method.name, method.effect)).collect();
    assert_eq!(
        methods,
        [
            ("ping", Effect::Idempotent),
            ("send", Effect::Once),
            ("type", Effect::Read),
            ("size_of", Effect::Read)
        ]
    );
    assert_eq!(mailer.methods[0].description, "Nothing in, nothing out.");
    let smtp =
        registry.providers().iter().find(|provider| provider.spec().name == "smtp-1").unwrap();
    assert_eq!((smtp.spec().title, smtp.spec().description), ("SMTP", "A tuple."));
}

/// A transport that records calls, and returns an empty reply.
struct Noted(mpsc::Sender<TransportRequest>);

impl Transport for Noted {
    fn call(
        &self,
        request: TransportRequest,
    ) -> BoxFuture<'static, Result<TransportResponse, ClientError>> {
        self.0.send(request).unwrap();
        Box::pin(async { Ok(TransportResponse::Empty) })
    }
}

#[tokio::test]
async fn the_client_has_a_method_for_each_exposed() {
    let (noted, requests) = mpsc::channel();
    let client = arguments::Everything::client(Noted(noted));
    let query = arguments::Query { word: "a".to_owned() };
    client.put(&query).await.unwrap_err();
    let request = requests.try_recv().unwrap();
    assert_eq!((request.service.version, request.method, request.verb), (7, "put", Verb::Put));
    assert_eq!(&*request.input, br#"{"word":"a"}"#);
    client.patch().await.unwrap();
    assert_eq!(requests.try_recv().unwrap().method, "patch");
    client.search(&vec![query]).await.unwrap();
    assert_eq!(&*requests.try_recv().unwrap().input, br#"[{"word":"a"}]"#);
}
