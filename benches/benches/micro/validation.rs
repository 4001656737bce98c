//! The cost of validation alone, of a valid message and of one with four violations. Beside it:
//! typed decoding by `serde_json`.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{BatchSize, Criterion};
use gateway_benches::mail::Message;
use gateway_runtime::{Document, schema::InputSchema};

/// Measures a parsed value and a body.
#[expect(clippy::expect_used, reason = "without a schema there is nothing to measure")]
pub(crate) fn measure(criterion: &mut Criterion) {
    let schema = InputSchema::of::<Message>().expect("a schema");
    let [valid, invalid] =
        [Message::valid(), Message::invalid()].map(|it| serde_json::to_value(it).expect("JSON"));
    let refused = Bytes::from(serde_json::to_vec(&invalid).expect("JSON"));
    assert_eq!(schema.check(&invalid).map_err(|violations| violations.len()), Err(4));

    let mut group = criterion.benchmark_group("validation");
    let body = serde_json::to_vec(&valid).expect("JSON");
    let document = Document::from(&valid);
    group.bench_function("typed decoding by serde_json", |bencher| {
        bencher.iter(|| serde_json::from_slice::<Message>(black_box(&body)));
    });
    group.bench_function("allowed", |bencher| {
        bencher.iter_batched(
            || document.clone(),
            |document| schema.validate(document),
            BatchSize::SmallInput,
        );
    });
    group.bench_function("four violations", |bencher| {
        bencher.iter(|| schema.check(black_box(&invalid)));
    });
    group.bench_function("four violations, from the body", |bencher| {
        bencher.iter(|| schema.parse_json(black_box(&refused).clone()));
    });
    group.finish();
}
