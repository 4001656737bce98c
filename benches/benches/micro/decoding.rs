//! The cost of decoding with validation: a body of 1.2 KB and a query string, from bytes to the
//! typed input. Beside it: the same by `serde_json` and `serde_html_form`, which do not validate.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput};
use gateway_benches::mail::Message;
use gateway_runtime::{
    prelude::*,
    schema::{InputSchema, decode},
};

/// A search in a shop.
#[model]
struct Search {
    base: String,
    #[schemars(length(max = 10))]
    symbols: Vec<String>,
    amount: Option<f64>,
    page: Option<u32>,
}

/// Measures a body and a query string.
#[expect(clippy::expect_used, reason = "without a schema there is nothing to measure")]
pub(crate) fn measure(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decoding");
    let body = Bytes::from(serde_json::to_vec(&Message::valid()).expect("JSON"));
    let schema = InputSchema::of::<Message>().expect("a schema");
    group.throughput(Throughput::Bytes(body.len() as u64));
    group.bench_function("body, serde_json alone", |bencher| {
        bencher.iter(|| serde_json::from_slice::<Message>(black_box(&body)));
    });
    group.bench_function("body, judged", |bencher| {
        bencher.iter(|| decode::<Message>(&schema.parse_json(black_box(&body).clone())?));
    });

    let query = "base=EUR&symbols=USD&symbols=JPY&amount=12.5&page=2";
    let schema = InputSchema::of::<Search>().expect("a schema");
    group.throughput(Throughput::Bytes(query.len() as u64));
    group.bench_function("query, serde_html_form alone", |bencher| {
        bencher.iter(|| serde_html_form::from_str::<Search>(black_box(query)));
    });
    group.bench_function("query, judged", |bencher| {
        bencher.iter(|| decode::<Search>(&schema.parse_query(black_box(query))?));
    });
    group.finish();
}
