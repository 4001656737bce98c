//! Streams: they fail over until their first item, and belong to their attempt until their end.

use futures_util::{StreamExt, future::join_all};

use super::*;
use crate::{Code, provider::strategy::BreakerState};

/// Returns the items of a stream, and an error by its code.
async fn drain(stream: Streaming<u32>) -> Vec<Result<u32, &'static str>> {
    stream.map(|item| item.map_err(|error| error.code().name())).collect().await
}

fn breaker(bench: &Bench, provider: usize, method: usize) -> BreakerState {
    bench.pool.health().providers[provider].methods[method].breaker
}

#[tokio::test(start_paused = true)]
async fn before_its_first_item_a_stream_fails_over_by_the_same_rules() {
    use AttemptClass::{Ambiguous, Invalid, NotSent, Rejected, Unsupported};
    for (class, read, once) in [
        (NotSent, "b", "b"),
        (Rejected, "b", "b"),
        (Unsupported, "b", "b"),
        (Ambiguous, "b", "outcome-unknown"),
        (Invalid, "invalid-request", "invalid-request"),
    ] {
        for (effect, what) in [(Effect::Read, read), (Effect::Once, once)] {
            let bench = Bench::new(&[&[Act::Items(0, Some(class))], &[Act::Items(3, None)]]);
            let call = call();
            let providers = bench.bound_to(&call);
            let query = Query::default();
            let stream = match effect {
                Effect::Read => providers.ticks(&query).await,
                _ => providers.orders(&query).await,
            };
            match stream {
                Ok(stream) => {
                    assert_eq!(
                        (drain(stream).await, what),
                        (vec![Ok(0), Ok(1), Ok(2)], "b"),
                        "{class:?} {effect:?}"
                    );
                    assert_eq!(attempts(&call), [("a", class), ("b", AttemptClass::Fulfilled)]);
                }
                Err(error) => {
                    assert_eq!(error.code().name(), what, "{class:?} {effect:?}");
                    assert_eq!(attempts(&call), [("a", class)]);
                }
            }
            assert_eq!(bench.in_flight(), 0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_at_a_stream_lasts_until_its_first_item() {
    let bench = Bench::new(&[&[Act::Stuck(0)], &[Act::Stuck(1)]]);
    let (call, begun) = (call(), Instant::now());
    let mut stream = bench.bound_to(&call).ticks(&Query::default()).await.unwrap();
    assert_eq!(
        (begun.elapsed().as_secs(), attempts(&call)),
        (10, vec![("a", AttemptClass::Ambiguous)])
    );
    assert_eq!(stream.next().await.unwrap().unwrap(), 0);
    let later = tokio::time::timeout(seconds(59), stream.next()).await;
    assert!(later.is_err(), "after its first item the limit is another: a minute between items");
}

#[tokio::test(start_paused = true)]
async fn after_its_first_item_a_stream_ends_with_its_failure() {
    let bench =
        Bench::new(&[&[Act::Items(2, Some(AttemptClass::Ambiguous))], &[Act::Items(9, None)]]);
    let call = call();
    let mut stream = bench.bound_to(&call).ticks(&Query::default()).await.unwrap();
    assert_eq!(
        (stream.next().await.unwrap().unwrap(), stream.next().await.unwrap().unwrap()),
        (0, 1)
    );
    assert_eq!((bench.in_flight(), attempts(&call)), (1, vec![]));
    let error = stream.next().await.unwrap().unwrap_err();
    assert_eq!(error.code(), Code::PROVIDER_FAILED);
    assert_eq!((bench.in_flight(), attempts(&call)), (0, vec![("a", AttemptClass::Ambiguous)]));
    assert!(
        stream.next().await.is_none() && stream.next().await.is_none(),
        "nothing follows the failure"
    );
    assert_eq!(bench.times_asked(), [1, 0]);
}

#[tokio::test(start_paused = true)]
async fn streams_that_break_open_the_breaker() {
    let bench = Bench::new(&[&[Act::Items(2, Some(AttemptClass::Ambiguous))]]);
    for _ in 0..5 {
        assert_eq!(breaker(&bench, 0, 4), BreakerState::Closed);
        let stream = bench.bound_to(&call()).ticks(&Query::default()).await.unwrap();
        assert_eq!(drain(stream).await, [Ok(0), Ok(1), Err("provider-failed")]);
    }
    assert_eq!(breaker(&bench, 0, 4), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_its_client_leaves_says_nothing_of_its_provider() {
    let bench = Bench::new(&[&[Act::Stuck(1)]]);
    for _ in 0..30 {
        let call = call();
        let mut stream = bench.bound_to(&call).ticks(&Query::default()).await.unwrap();
        assert_eq!(stream.next().await.unwrap().unwrap(), 0);
        drop(stream);
        assert_eq!(attempts(&call), [("a", AttemptClass::Cancelled)]);
    }
    assert_eq!((breaker(&bench, 0, 4), bench.in_flight()), (BreakerState::Closed, 0));
}

#[tokio::test(start_paused = true)]
async fn an_empty_stream_is_an_answer() {
    let bench = Bench::new(&[&[Act::Items(0, None)], &[Act::Fulfil]]);
    let call = call();
    let stream = bench.bound_to(&call).ticks(&Query::default()).await.unwrap();
    assert_eq!(attempts(&call), [("a", AttemptClass::Fulfilled)]);
    assert_eq!(drain(stream).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_stream_counts_as_in_flight_until_its_end() {
    let bench = Bench::new(&[&[Act::Items(2, None)]]);
    let mut stream = bench.bound_to(&call()).ticks(&Query::default()).await.unwrap();
    assert_eq!(bench.pool.core.budget.counts(), (0, 0), "the call itself has its answer");
    for left in [1, 1] {
        assert!(stream.next().await.is_some());
        assert_eq!(bench.in_flight(), left);
    }
    assert!(stream.next().await.is_none());
    assert_eq!(bench.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn first_items_of_endless_streams_close_a_half_open_breaker() {
    let script = [[Act::NotSent; 5].as_slice(), &[Act::Stuck(1)]].concat();
    let bench = Bench::with(&FailoverSettings { repeats: 0, ..Default::default() }, &[&script]);
    let open = async || {
        let (call, query) = (call(), Query::default());
        bench.bound_to(&call).ticks(&query).await
    };
    for _ in 0..5 {
        assert!(open().await.is_err());
    }
    sleep(seconds(6)).await;
    let streams = join_all([open(), open()]).await;
    assert!(streams.iter().any(Result::is_ok));
    let another = open().await;
    assert!(another.is_ok());
    assert_eq!(breaker(&bench, 0, 4), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn an_error_of_an_authors_own_before_the_first_item_is_ambiguous() {
    struct Own;
    static METHODS: [CapabilityMethodSpec; 1] =
        [CapabilityMethodSpec { name: "own", description: "", effect: Effect::Once }];
    trait Owner: Send + Sync + 'static {}
    impl Owner for Own {}
    impl Capability for dyn Owner {
        const SPEC: &'static CapabilitySpec =
            &CapabilitySpec { name: "Owner", description: "", methods: &METHODS, source: HERE };
    }
    let provider = Arc::new(Provider::new(&SPECS[0], &ProviderSettings::default()));
    let candidate = ProviderImpl::new(provider, Arc::new(Own) as Arc<dyn Owner>, vec![]);
    let pool = Arc::new(Pool::<dyn Owner>::new(vec![candidate], &FailoverSettings::default()));
    let call = call();
    let providers = Providers::new(pool, Arc::new(Ordered), call.clone());
    let attempt = |_: &dyn Owner| -> BoxFuture<'_, Answer<Streaming<u32>>> {
        let failed = Error::new(Code::NOT_FOUND, "no such seat").with_log_message("row 5");
        Box::pin(async { Ok(Streaming::new(stream::iter([Err::<u32, _>(failed)]))) })
    };
    let answer =
        call_method(&providers, 0, [], attempt, CompletionOf::<Answer<Streaming<u32>>>::MODE).await;
    assert_eq!(answer.unwrap_err().code(), Code::OUTCOME_UNKNOWN);
    call.with_attempts(|attempts| {
        assert_eq!((attempts[0].class, &*attempts[0].reason), (AttemptClass::Ambiguous, "row 5"))
    });
}

#[tokio::test(start_paused = true)]
async fn stream_is_cut_when_its_provider_is_silent_for_the_item_timeout() {
    let settings = FailoverSettings { item_timeout: seconds(7), ..Default::default() };
    for (method, code, effect) in
        [(4, "timeout", Effect::Read), (5, "outcome-unknown", Effect::Once)]
    {
        let bench = Bench::with(&settings, &[&[Act::Stuck(2)], &[Act::Items(9, None)]]);
        let call = call();
        let providers = bench.bound_to(&call);
        let query = Query::default();
        let stream = match effect {
            Effect::Read => providers.ticks(&query).await,
            _ => providers.orders(&query).await,
        };
        let begun = Instant::now();
        assert_eq!(drain(stream.unwrap()).await, [Ok(0), Ok(1), Err(code)]);
        assert_eq!(begun.elapsed(), seconds(7));
        assert_eq!((bench.in_flight(), attempts(&call)), (0, vec![("a", AttemptClass::Ambiguous)]));
        call.with_attempts(|attempts| assert_eq!(attempts[0].reason, "no item for 7s"));
        assert_eq!(bench.times_asked(), [1, 0]);
        let health = bench.pool.health();
        assert_eq!(health.providers[0].methods[method].attempts[&AttemptClass::Ambiguous], 1);
    }
}

#[tokio::test(start_paused = true)]
async fn items_that_come_in_time_and_clients_that_read_slowly_do_not_end_a_stream() {
    let bench = Bench::with(
        &FailoverSettings { item_timeout: seconds(10), ..Default::default() },
        &[&[Act::Every(5, seconds(9))]],
    );
    let mut stream = bench.bound_to(&call()).ticks(&Query::default()).await.unwrap();
    for expected in 0..5 {
        assert_eq!(stream.next().await.unwrap().unwrap(), expected);
        // The client reads more slowly than the provider may be silent.
        sleep(seconds(60)).await;
    }
    assert!(stream.next().await.is_none());
}
