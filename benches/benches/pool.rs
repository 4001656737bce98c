//! What it costs to call a capability through its pool: one answer of the first provider, beside a plain boxed future.

use std::{hint::black_box, sync::Arc, time::Duration};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use gateway_runtime::{
    Arrival, Call, MethodSpec, Money, Origin, ProviderError, ProviderSpec, Providers, RequestId, ServiceSpec, Source,
    Verb, capability, provide_method,
    provider::{Candidate, Cost, FailoverSettings, Pool, Provider, ProviderSettings},
    strategy::{Cheapest, Fastest, LeastBusy, Ordered, RoundRobin, Strategy, Weighted},
};
use http::HeaderMap;

/// What is provided.
#[capability]
trait Echo {
    /// The number.
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

const HERE: Source = Source { file: file!(), line: line!() };

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
        Candidate::new(provider, Arc::new(At) as Arc<dyn Echo>, vec![cost])
    });
    Arc::new(Pool::new(candidates.collect(), &FailoverSettings::default()))
}

fn call() -> Call {
    static SERVICE: ServiceSpec =
        ServiceSpec { name: "s", version: 1, title: "", description: "", auth: None, scopes: &[], source: HERE };
    static METHOD: MethodSpec = MethodSpec::new("m", Verb::Get, HERE);
    let now = std::time::Instant::now();
    let arrival = Arrival {
        id: RequestId::generate(),
        origin: Origin::Http,
        peer: None,
        country: None,
        headers: HeaderMap::new(),
        started: now,
        deadline: now + Duration::from_secs(30),
    };
    Call::new(&SERVICE, &METHOD, arrival)
}

fn pools(criterion: &mut Criterion) {
    #[expect(clippy::expect_used, reason = "without a runtime there is nothing to measure")]
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let mut group = criterion.benchmark_group("pool");
    group.bench_function("boxed future, no pool", |bencher| {
        let plain: Arc<dyn Echo> = Arc::new(At);
        bencher.iter_batched(
            call,
            |call| {
                let answer = runtime.block_on(plain.echo(black_box(&5)));
                (call, answer)
            },
            BatchSize::SmallInput,
        );
    });
    let mut measure = |name: &str, providers: usize, strategy: Arc<dyn Strategy>| {
        let pool = pool(providers);
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || Providers::new(Arc::clone(&pool), Arc::clone(&strategy), call()),
                |providers| {
                    let answer = runtime.block_on(providers.echo(black_box(&5)));
                    (providers, answer)
                },
                BatchSize::SmallInput,
            );
        });
    };
    measure("1 provider, RoundRobin", 1, Arc::new(RoundRobin));
    measure("3 providers, RoundRobin", 3, Arc::new(RoundRobin));
    measure("3 providers, Weighted", 3, Arc::new(Weighted));
    measure("3 providers, Cheapest", 3, Arc::new(Cheapest));
    measure("3 providers, Fastest", 3, Arc::new(Fastest));
    measure("3 providers, LeastBusy", 3, Arc::new(LeastBusy));
    measure("3 providers, Ordered", 3, Arc::new(Ordered));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = pools
}
criterion_main!(benches);
