//! The cost of a method at start: its compiled schema. Beside it: the schema alone.

use criterion::Criterion;
use gateway_benches::mail::Message;
use gateway_runtime::schema::{InputSchema, output_schema};

/// Measures one schema.
pub(crate) fn measure(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("start");
    group.bench_function("a schema", |bencher| bencher.iter(output_schema::<Message>));
    group.bench_function("a schema, compiled", |bencher| bencher.iter(InputSchema::of::<Message>));
    group.finish();
}
