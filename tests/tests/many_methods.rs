//! Ten thousand methods: all of them are served and published, the start takes linear time, and one
//! call takes as long as beside nine others.

use std::{
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use bytes::Bytes;
use gateway_benches::{mail::Message, many};
use gateway_runtime::{
    Call, CallContext, CallRequest, Input, Origin, Reply, RequestId,
    auth::AcceptedCredentials,
    bus::BusSettings,
    http::{Documents, Info, RouteTable},
    pipeline::{Pipeline, Stages},
    registry::Registry,
};
use http::HeaderMap;
use serde_json::Value;

const MANY: usize = 10_000;

/// Shared by all tests, because its start takes a while.
static GATEWAY: LazyLock<Started> = LazyLock::new(|| start(MANY));

struct Started {
    registry: Arc<Registry>,
    routes: RouteTable,
    documents: Documents,
    took: Duration,
}

fn start(methods: usize) -> Started {
    let started = Instant::now();
    let registry = Arc::new(many::registry(methods).unwrap());
    let routes = RouteTable::new(&registry, |_| None).unwrap();
    let documents = Documents::new(
        &Info::default(),
        Arc::clone(&registry),
        AcceptedCredentials::default(),
        &BusSettings::default(),
    );
    Started { registry, routes, documents, took: started.elapsed() }
}

fn document(documents: &Documents, path: &str) -> Value {
    let response = documents.serve(path).unwrap();
    serde_json::from_slice(response.body()).unwrap()
}

#[test]
fn ten_thousand_methods_are_served_and_published() {
    let Started { registry, routes, documents, .. } = &*GATEWAY;
    for method in registry.methods() {
        let found = routes.method_at(&method.path()).unwrap();
        assert!(Arc::ptr_eq(found, method), "{found:?} stands at the address of {method:?}");
    }
    let meta = document(documents, "/meta");
    let services = meta["services"].as_array().unwrap();
    let described =
        services.iter().map(|service| service["methods"].as_array().unwrap().len()).sum::<usize>();
    let openapi = document(documents, "/openapi.json");
    let asyncapi = document(documents, "/asyncapi.json");
    let entries = |value: &Value| value.as_object().unwrap().len();
    assert_eq!([described, entries(&openapi["paths"])], [MANY; 2]);
    // Over a WebSocket, over the bus, and the dead letters of failed calls.
    assert_eq!(entries(&asyncapi["operations"]), 2 * MANY + 2);
}

#[test]
fn start_takes_linear_time() {
    let many = GATEWAY.took;
    // The shortest of several: some of them are not interrupted, even on a busy machine.
    let few = (0..4).map(|_| start(MANY / 40).took).min().unwrap();
    // A start with quadratic time would take 1,600 times as long.
    assert!(many < few * 200, "{} methods took {few:?}, {MANY} took {many:?}", MANY / 40);
}

/// Runs one call, from its path and its bytes to the reply.
async fn call(routes: &RouteTable, pipeline: &Pipeline, address: &str, body: &Bytes) -> Reply {
    let method = routes.method_at(address).unwrap();
    let now = Instant::now();
    let arrival = CallContext {
        id: RequestId::generate(),
        origin: Origin::Http,
        peer: None,
        country: None,
        headers: HeaderMap::new(),
        started: now,
        deadline: now + Duration::from_secs(30),
    };
    let call = Call::new(method.service, method.spec, arrival);
    pipeline.call(method, CallRequest { call, input: Input::Json(body.clone()) }).await.unwrap()
}

#[tokio::test]
async fn call_takes_the_same_time_among_ten_and_ten_thousand_methods() {
    let body = Bytes::from(serde_json::to_vec(&Message::valid()).unwrap());
    let pipeline = Pipeline::new(Stages::default());
    let few = start(10);
    let gateways = [&few, &*GATEWAY];
    let addresses = gateways.map(|gateway| gateway.registry.methods().last().unwrap().path());
    let mut best = [Duration::MAX; 2];
    // Alternately, so that both have the same quiet moments.
    for _ in 0..500 {
        for ((gateway, address), best) in gateways.iter().zip(&addresses).zip(&mut best) {
            let started = Instant::now();
            for _ in 0..4 {
                let Reply::Json(answer) = call(&gateway.routes, &pipeline, address, &body).await
                else {
                    panic!("no JSON")
                };
                assert!(answer.starts_with(br#"{"accepted":5"#));
            }
            *best = started.elapsed().min(*best);
        }
    }
    let [few, many] = best;
    // One comparison of names for each method would exceed this many times.
    assert!(many < few * 2, "four calls took {few:?} with 10 methods and {many:?} with {MANY}");
}
