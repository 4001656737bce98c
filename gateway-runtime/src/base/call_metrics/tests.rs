//! Tests of `call_metrics`.

use super::*;

#[test]
fn each_call_is_counted_once() {
    let calls = CallMetrics::default();
    let long = Duration::from_secs(60);
    calls.count(CallStatus::Done, Duration::from_micros(100), true, false);
    calls.count(CallStatus::Done, Duration::from_micros(101), false, true);
    calls.count(CallStatus::Cancelled, long, false, false);
    calls.count(CallStatus::Failed(Code::TIMEOUT), long, false, false);
    let names: Vec<&'static str> =
        (0..20).map(|number| &*Box::leak(format!("own-{number}").into_boxed_str())).collect();
    for name in names.iter().chain(&names) {
        calls.count(CallStatus::Failed(Code::new(name, 409, "Own")), long, false, false);
    }
    let by_code: Vec<_> = calls.by_code().collect();
    let count = |code, status, count| CodeCount { code, status, count };
    assert_eq!(
        by_code[..3],
        [count("ok", 200, 2), count("cancelled", 499, 1), count("other", 500, 16)]
    );
    let counted: Vec<_> = by_code[3..].iter().filter(|code| code.count > 0).take(2).collect();
    assert_eq!(counted, [&count("timeout", 504, 1), &count("own-0", 409, 2)]);
    assert!(
        Code::ALL.iter().all(|code| by_code.iter().any(|counted| counted.code == code.name())),
        "from the start"
    );
    assert_eq!(by_code.iter().map(|code| code.count).sum::<u64>(), 44);
    assert_eq!(calls.reuse_counts(), ReuseCounts { cache_hits: 1, replays: 1 });
    let Histogram { cumulative, count, sum_micros } = calls.histogram();
    assert_eq!((cumulative[0], cumulative[1], cumulative[15], count), (1, 2, 2, 44));
    assert_eq!(sum_micros, 201 + 42 * 60_000_000);
}

#[test]
fn money_is_summed_by_currency() {
    let calls = CallMetrics::default();
    for (nanos, code) in [(1, "USD"), (2, "EUR"), (3, "USD"), (4, "GBP"), (5, "JPY"), (6, "CHF")] {
        calls.spend(Some(Money::literal(nanos, code)));
    }
    calls.spend(None);
    let sums: Vec<_> =
        calls.cost().map(|sum| (sum.nanos(), sum.currency().code().to_owned())).collect();
    let expected = [(4, "USD"), (2, "EUR"), (4, "GBP"), (5, "JPY")]
        .map(|(nanos, code)| (nanos, code.to_owned()));
    assert_eq!((sums, calls.cost_unknown(), calls.charged().count()), (expected.to_vec(), 1, 0));
}
