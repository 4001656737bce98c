//! Scripted providers, and calls of them.

mod cancelling;
mod choosing;
mod failing_over;
mod keys;
mod pacing;
mod properties;
mod publishing;
#[cfg(feature = "redis")]
mod sharing;
mod streaming;
pub(super) mod test_call;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{future::BoxFuture, stream};
use http::HeaderMap;
use tokio::time::{Instant, sleep};

use crate::{
    Call, Effect, Error, ProviderSpec, SourceLocation, Streaming,
    base::spec::{CapabilityMethodSpec, CapabilitySpec},
    provider::{
        Argument, AttemptClass, Capability, CompletionOf, Cost, DefaultCompletion as _,
        FailoverSettings, Pool, Provider, ProviderError, ProviderImpl, ProviderSettings, Providers,
        call_method,
        strategy::{Ordered, Strategy},
        tests::test_call::{call, call_within},
    },
};

type Answer<T> = Result<T, ProviderError>;

const HERE: SourceLocation = SourceLocation { file: file!(), line: line!() };

/// The capability of scripted providers: a method for each effect, and streams.
trait Source1: Send + Sync + 'static {
    fn read<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Answer<&'static str>>;
    fn idempotent<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Answer<&'static str>>;
    fn keyed<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Answer<&'static str>>;
    fn once<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Answer<&'static str>>;
    fn ticks<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Answer<Streaming<u32>>>;
    fn orders<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Answer<Streaming<u32>>>;
}

#[derive(Debug, Default)]
struct Query {
    size: i64,
}

static METHODS: [CapabilityMethodSpec; 6] = [
    CapabilityMethodSpec { name: "read", description: "", effect: Effect::Read },
    CapabilityMethodSpec { name: "idempotent", description: "", effect: Effect::Idempotent },
    CapabilityMethodSpec { name: "keyed", description: "", effect: Effect::Keyed },
    CapabilityMethodSpec { name: "once", description: "", effect: Effect::Once },
    CapabilityMethodSpec { name: "ticks", description: "", effect: Effect::Read },
    CapabilityMethodSpec { name: "orders", description: "", effect: Effect::Once },
];

impl Capability for dyn Source1 {
    const SPEC: &'static CapabilitySpec =
        &CapabilitySpec { name: "Source1", description: "", methods: &METHODS, source: HERE };
}

macro_rules! pooled {
    ($($index:literal $method:ident -> $answer:ty;)*) => {
        impl Source1 for Providers<dyn Source1> {$(
            fn $method<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Answer<$answer>> {
                let settle = CompletionOf::<Answer<$answer>>::MODE;
                call_method(
                    self,
                    $index,
                    [query as &Argument],
                    move |provider| provider.$method(query),
                    settle,
                )
            }
        )*}
    };
}

pooled! {
    0 read -> &'static str;
    1 idempotent -> &'static str;
    2 keyed -> &'static str;
    3 once -> &'static str;
    4 ticks -> Streaming<u32>;
    5 orders -> Streaming<u32>;
}

/// The outcome of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Fulfil,
    NotSent,
    Reject,
    Ambiguous,
    Invalid,
    Unsupported,
    Status(u16),
    StatusLater(u16, Duration),
    Hang,
    FulfilAfter(Duration),
    Panic,
    /// A stream of this many items, and then an error of the class, if there is one.
    Items(u32, Option<AttemptClass>),
    /// A stream of this many items that then yields nothing, for ever.
    Stuck(u32),
    /// A stream of this many items, each after this time.
    Every(u32, Duration),
}

/// A provider that plays a script, an act for each attempt; the last act repeats for ever.
#[derive(Default)]
struct Scripted {
    name: &'static str,
    script: Mutex<VecDeque<Act>>,
    asked: Mutex<Vec<Instant>>,
}

impl Scripted {
    async fn play(&self) -> Answer<Act> {
        self.asked.lock().unwrap().push(Instant::now());
        let act = {
            let mut script = self.script.lock().unwrap();
            let act = *script.front().unwrap_or(&Act::Fulfil);
            if script.len() > 1 {
                script.pop_front();
            }
            act
        };
        match act {
            Act::Fulfil | Act::Items(..) | Act::Stuck(_) | Act::Every(..) => Ok(act),
            Act::FulfilAfter(time) => {
                sleep(time).await;
                Ok(act)
            }
            Act::NotSent => Err(ProviderError::not_sent("scripted")),
            Act::Reject => Err(ProviderError::rejected("scripted")),
            Act::Ambiguous => Err(ProviderError::ambiguous("scripted")),
            Act::Invalid => {
                Err(ProviderError::invalid("scripted").with_public_detail("no such currency"))
            }
            Act::Unsupported => Err(ProviderError::unsupported("scripted")),
            Act::Status(status) => Err(ProviderError::from_status(status)),
            Act::StatusLater(status, delay) => {
                Err(ProviderError::from_status(status).retry_after(delay))
            }
            Act::Hang => std::future::pending().await,
            Act::Panic => panic!("scripted"),
        }
    }

    async fn answer(&self) -> Answer<&'static str> {
        self.play().await.map(|_| self.name)
    }

    async fn items(&self) -> Answer<Streaming<u32>> {
        let act = self.play().await?;
        if let Act::Every(count, pause) = act {
            return Ok(Streaming::new(stream::unfold(0, move |item| async move {
                sleep(pause).await;
                (item < count).then_some((Ok::<_, Error>(item), item + 1))
            })));
        }
        let (count, failure, stuck) = match act {
            Act::Items(count, failure) => (count, failure, false),
            Act::Stuck(count) => (count, None, true),
            _ => (2, None, false),
        };
        let failure =
            failure.map(|class| ProviderError::ambiguous("scripted").with_class(class).into());
        let items = (0..count).map(Ok::<_, Error>).chain(failure.map(Err));
        let items = stream::iter(items.collect::<Vec<_>>());
        Ok(if stuck {
            Streaming::new(futures_util::StreamExt::chain(items, stream::pending()))
        } else {
            Streaming::new(items)
        })
    }

    fn times_asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl Source1 for Scripted {
    fn read<'a>(&'a self, _: &'a Query) -> BoxFuture<'a, Answer<&'static str>> {
        Box::pin(self.answer())
    }

    fn idempotent<'a>(&'a self, _: &'a Query) -> BoxFuture<'a, Answer<&'static str>> {
        Box::pin(self.answer())
    }

    fn keyed<'a>(&'a self, _: &'a Query) -> BoxFuture<'a, Answer<&'static str>> {
        Box::pin(self.answer())
    }

    fn once<'a>(&'a self, _: &'a Query) -> BoxFuture<'a, Answer<&'static str>> {
        Box::pin(self.answer())
    }

    fn ticks<'a>(&'a self, _: &'a Query) -> BoxFuture<'a, Answer<Streaming<u32>>> {
        Box::pin(self.items())
    }

    fn orders<'a>(&'a self, _: &'a Query) -> BoxFuture<'a, Answer<Streaming<u32>>> {
        Box::pin(self.items())
    }
}

/// A pool of scripted providers, tried in the order of their scripts.
struct Bench {
    pool: Arc<Pool<dyn Source1>>,
    providers: Vec<Arc<Provider>>,
    scripts: Vec<Arc<Scripted>>,
    strategy: Arc<dyn Strategy>,
}

static SPECS: [ProviderSpec; 4] = {
    const fn spec(name: &'static str) -> ProviderSpec {
        ProviderSpec { name, title: name, description: "", source: HERE }
    }
    [spec("a"), spec("b"), spec("c"), spec("d")]
};

impl Bench {
    fn new(scripts: &[&[Act]]) -> Self {
        Self::with(&FailoverSettings::default(), scripts)
    }

    fn with(settings: &FailoverSettings, scripts: &[&[Act]]) -> Self {
        Self::with_costs(settings, scripts, &[])
    }

    fn with_costs(settings: &FailoverSettings, scripts: &[&[Act]], costs: &[Cost]) -> Self {
        let (mut providers, mut players, mut candidates) = (Vec::new(), Vec::new(), Vec::new());
        for (place, (spec, script)) in SPECS.iter().zip(scripts).enumerate() {
            let provider = Arc::new(Provider::new(spec, &ProviderSettings::default()));
            let script = Mutex::new(script.iter().copied().collect());
            let player = Arc::new(Scripted { name: spec.name, script, ..Scripted::default() });
            let costs = vec![costs.get(place).copied().unwrap_or_default(); METHODS.len()];
            candidates.push(ProviderImpl::new(
                Arc::clone(&provider),
                Arc::clone(&player) as Arc<dyn Source1>,
                costs,
            ));
            providers.push(provider);
            players.push(player);
        }
        // The pool sorts by name.
        candidates.reverse();
        let pool = Arc::new(Pool::new(candidates, settings));
        Self { pool, providers, scripts: players, strategy: Arc::new(Ordered) }
    }

    /// Returns the providers, bound to `call`.
    fn bound_to(&self, call: &Call) -> Providers<dyn Source1> {
        Providers::new(Arc::clone(&self.pool), Arc::clone(&self.strategy), call.clone())
    }

    /// Calls the method of this effect once.
    async fn call(&self, effect: Effect) -> Outcome {
        let call = call();
        let answer = ask(&self.bound_to(&call), effect).await;
        Outcome { answer: answer.map_err(Error::from), attempts: attempts(&call) }
    }

    fn in_flight(&self) -> u32 {
        let health = self.pool.health();
        health
            .providers
            .iter()
            .flat_map(|provider| &provider.methods)
            .map(|method| method.in_flight)
            .sum()
    }

    fn times_asked(&self) -> Vec<usize> {
        self.scripts.iter().map(|script| script.times_asked()).collect()
    }
}

async fn ask(providers: &Providers<dyn Source1>, effect: Effect) -> Answer<&'static str> {
    let query = Query::default();
    match effect {
        Effect::Read => providers.read(&query).await,
        Effect::Idempotent => providers.idempotent(&query).await,
        Effect::Keyed => providers.keyed(&query).await,
        Effect::Once => providers.once(&query).await,
    }
}

/// The outcome of a call.
#[derive(Debug)]
struct Outcome {
    answer: Result<&'static str, Error>,
    attempts: Vec<(&'static str, AttemptClass)>,
}

impl Outcome {
    /// Returns the provider that replied, or the code.
    fn what(&self) -> &'static str {
        match &self.answer {
            Ok(provider) => provider,
            Err(error) => error.code().name(),
        }
    }

    fn error(&self) -> &Error {
        self.answer.as_ref().expect_err("the call failed")
    }
}

fn attempts(call: &Call) -> Vec<(&'static str, AttemptClass)> {
    call.with_attempts(|attempts| {
        attempts.iter().map(|attempt| (attempt.provider, attempt.class)).collect()
    })
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
