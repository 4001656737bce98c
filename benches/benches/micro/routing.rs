//! The cost of the number of registered methods: a lookup from a path to its method, and a whole
//! call in the pipeline. Beside it: the lookup of the same path in a `HashMap` of the standard
//! library.

use std::{collections::HashMap, hint::black_box, sync::Arc};

use bytes::Bytes;
use criterion::{BatchSize, BenchmarkId, Criterion};
use gateway_benches::{mail::Message, many};
use gateway_runtime::{
    CallRequest, Input,
    http::RouteTable,
    pipeline::{Pipeline, Stages},
    registry::Method,
};

use crate::context;

const NUMBERS: [usize; 3] = [10, 1_000, 10_000];

/// Measures lookups of one path, of each path in turn, and of an unknown path; then calls.
#[expect(clippy::expect_used, reason = "without a gateway there is nothing to measure")]
pub(crate) fn measure(criterion: &mut Criterion) {
    let gateways = NUMBERS.map(|methods| {
        let registry = many::registry(methods).expect("a registry");
        let routes = RouteTable::new(&registry, |_| None).expect("routes");
        let addresses: Vec<String> =
            spread(registry.methods().map(|method| method.path()).collect());
        (routes, addresses)
    });
    look_ups(criterion, &gateways);
    calls(criterion, &gateways);
}

type Gateway = (RouteTable, Vec<String>);

fn look_ups(criterion: &mut Criterion, gateways: &[Gateway]) {
    let mut group = criterion.benchmark_group("routing");
    for (routes, addresses) in gateways {
        let methods = addresses.len();
        let plain: HashMap<&str, Arc<Method>> = addresses
            .iter()
            .filter_map(|path| Some((&**path, Arc::clone(routes.method_at(path)?))))
            .collect();
        let one = addresses[methods / 2].as_str();
        group.bench_function(BenchmarkId::new("HashMap of std, one address", methods), |bencher| {
            bencher.iter(|| plain.get(black_box(one)));
        });
        group.bench_function(BenchmarkId::new("one address", methods), |bencher| {
            bencher.iter(|| routes.method_at(black_box(one)));
        });
        group.bench_function(BenchmarkId::new("nothing there", methods), |bencher| {
            bencher.iter(|| routes.method_at(black_box("/services/desk/v1/take-nothing")));
        });
        // Cycling through all paths defeats the processor's caches.
        let mut all = addresses.iter().cycle();
        group.bench_function(
            BenchmarkId::new("HashMap of std, all addresses", methods),
            |bencher| {
                bencher.iter(|| all.next().map(|path| plain.get(path.as_str())));
            },
        );
        group.bench_function(BenchmarkId::new("all addresses", methods), |bencher| {
            bencher.iter(|| all.next().map(|path| routes.method_at(path)));
        });
    }
    group.finish();
}

/// Measures calls from the path and the bytes of the body to the reply: everything but HTTP.
#[expect(clippy::expect_used, reason = "a message is JSON")]
fn calls(criterion: &mut Criterion, gateways: &[Gateway]) {
    let runtime = context::runtime();
    let pipeline = Pipeline::new(Stages::default());
    let body = Bytes::from(serde_json::to_vec(&Message::valid()).expect("JSON"));
    let mut group = criterion.benchmark_group("call");
    for (routes, addresses) in gateways {
        let one = addresses[addresses.len() / 2].as_str();
        group.bench_function(BenchmarkId::new("one method", addresses.len()), |bencher| {
            bencher.iter_batched(
                || body.clone(),
                |body| {
                    let method = routes.method_at(black_box(one)).expect("a method");
                    let call = context::call_of(method.service, method.spec);
                    runtime.block_on(
                        pipeline.call(method, CallRequest { call, input: Input::Json(body) }),
                    )
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

/// Reorders the paths so that the order does not follow memory: by a step that shares no factor
/// with the numbers of methods.
fn spread(addresses: Vec<String>) -> Vec<String> {
    (0..addresses.len()).map(|at| addresses[at * 7_919 % addresses.len()].clone()).collect()
}
