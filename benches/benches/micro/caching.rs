//! The cost of a cached reply, beside the same call without a cache, from the bytes of the body to
//! the reply and its header fields. The method itself does nothing, so this is the least that a
//! cache can save.

use std::{hint::black_box, sync::Arc, time::Duration};

use bytes::Bytes;
use criterion::{BatchSize, Criterion};
use gateway_benches::{mail::Message, many};
use gateway_runtime::{
    CacheScope, CacheSpec, CallRequest, Input,
    cache::{CacheSettings, MemoryCache},
    pipeline::{Pipeline, ReplyCache, Stages},
};

use crate::context;

/// Measures the bare call, the call with a cache that its method does not use, and a hit.
#[expect(clippy::expect_used, reason = "without a gateway there is nothing to measure")]
pub(crate) fn measure(criterion: &mut Criterion) {
    let runtime = context::runtime();
    let settings = CacheSettings::default();
    let body = Bytes::from(serde_json::to_vec(&Message::valid()).expect("JSON"));
    let kept = CacheSpec { ttl: Duration::from_secs(86_400), scope: CacheScope::Account };
    let [bare, cached] =
        [None, Some(kept)].map(|cache| many::registry_of(10, cache).expect("a registry"));
    let memory = || Box::new(MemoryCache::new(settings.memory_bytes).expect("a cache"));
    let caching = ReplyCache::new(&settings, &cached, memory());
    let off = Pipeline::new(Stages::default());
    let on = Pipeline::new(Stages { caching, ..Stages::default() });

    let mut group = criterion.benchmark_group("cache");
    for (name, registry, pipeline) in [
        ("bare call", &bare, &off),
        ("call of a method that is not cached", &bare, &on),
        ("hit", &cached, &on),
    ] {
        let method = Arc::clone(registry.methods().next().expect("a method"));
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || body.clone(),
                |body| {
                    let call = context::call_of(method.service, method.spec);
                    let request = CallRequest { call: call.clone(), input: Input::Json(body) };
                    let reply = runtime.block_on(pipeline.call(black_box(&method), request));
                    (reply, call.take_response_headers())
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}
