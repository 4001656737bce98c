//! The cost of a call of a capability through its pool: one reply of the first provider, beside a
//! plain boxed future.

use std::{hint::black_box, sync::Arc};

use criterion::{BatchSize, Criterion};
use gateway_runtime::{
    Money, ProviderError, ProviderSpec, Providers, capability, provide_method,
    provider::{Cost, FailoverSettings, Pool, Provider, ProviderImpl, ProviderSettings},
    strategy::{Cheapest, Fastest, LeastBusy, Ordered, RoundRobin, Strategy, Weighted},
};

use crate::context::{self, HERE};

/// A capability with one method.
#[capability]
trait Echo {
    /// Returns the number.
    #[provide_method(effect = read)]
    async fn echo(&self, number: &u64) -> Result<u64, ProviderError>;
}

struct At;

impl Echo for At {
    fn echo<'a>(
        &'a self,
        number: &'a u64,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<u64, ProviderError>> + Send + 'a>> {
        Box::pin(async move { Ok(*number) })
    }
}

static SPECS: [ProviderSpec; 3] = {
    const fn spec(name: &'static str) -> ProviderSpec {
        ProviderSpec { name, title: name, description: "", source: HERE }
    }
    [spec("a"), spec("b"), spec("c")]
};

fn pool(providers: usize) -> Arc<Pool<dyn Echo>> {
    let candidates = SPECS.iter().take(providers).enumerate().map(|(place, spec)| {
        let provider = Arc::new(Provider::new(spec, &ProviderSettings::default()));
        let cost = Cost::Flat(Money::literal(100 - place as i64, "USD"));
        ProviderImpl::new(provider, Arc::new(At) as Arc<dyn Echo>, vec![cost])
    });
    Arc::new(Pool::new(candidates.collect(), &FailoverSettings::default()))
}

/// Measures each strategy, and the influence of the number of providers.
pub(crate) fn measure(criterion: &mut Criterion) {
    let runtime = context::runtime();
    let mut group = criterion.benchmark_group("pool");
    group.bench_function("boxed future, no pool", |bencher| {
        let plain: Arc<dyn Echo> = Arc::new(At);
        bencher.iter_batched(
            context::call,
            |call| {
                let answer = runtime.block_on(plain.echo(black_box(&5)));
                (call, answer)
            },
            BatchSize::SmallInput,
        );
    });
    let mut with = |name: &str, providers: usize, strategy: Arc<dyn Strategy>| {
        let pool = pool(providers);
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || Providers::new(Arc::clone(&pool), Arc::clone(&strategy), context::call()),
                |providers| {
                    let answer = runtime.block_on(providers.echo(black_box(&5)));
                    (providers, answer)
                },
                BatchSize::SmallInput,
            );
        });
    };
    with("1 provider, RoundRobin", 1, Arc::new(RoundRobin));
    with("3 providers, RoundRobin", 3, Arc::new(RoundRobin));
    with("3 providers, Weighted", 3, Arc::new(Weighted));
    with("3 providers, Cheapest", 3, Arc::new(Cheapest));
    with("3 providers, Fastest", 3, Arc::new(Fastest));
    with("3 providers, LeastBusy", 3, Arc::new(LeastBusy));
    with("3 providers, Ordered", 3, Arc::new(Ordered));
    group.finish();
}
