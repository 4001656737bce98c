//! The costs of the parts of a call, each beside a comparable operation in the same run:
//! `cargo bench -p gateway-benches`, or `cargo bench -p gateway-benches -- routing` for one group.

mod caching;
mod context;
mod decoding;
mod framing;
mod pool;
mod routing;
mod start;
mod validation;

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets =
        routing::measure,
        decoding::measure,
        framing::measure,
        validation::measure,
        pool::measure,
        caching::measure,
        start::measure
}
criterion_main!(benches);
