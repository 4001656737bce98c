//! Metrics of the calls of each method, counted since the process started.

use crate::{
    base::call_metrics::{CallMetrics, CodeCount},
    edge::admin::{
        metrics::{Exposition, Labels, MetricKind},
        state::AdminState,
    },
};

/// Writes the metrics of calls.
pub(super) fn write(text: &mut Exposition, state: &AdminState) {
    let methods = state.registry.methods().map(|method| {
        let labels = Labels::default()
            .and("service", method.service.name)
            .and("version", method.service.version)
            .and("method", method.spec.name);
        (labels, &method.counts)
    });
    let methods: Vec<_> = methods.collect();
    by_code(text, &methods);
    single(
        text,
        &methods,
        "gateway_calls_in_flight",
        MetricKind::Gauge,
        "Calls that have not ended.",
        CallMetrics::in_flight,
    );
    let hits = |counts: &CallMetrics| counts.reuse_counts().cache_hits;
    let replays = |counts: &CallMetrics| counts.reuse_counts().replays;
    single(
        text,
        &methods,
        "gateway_cache_hits_total",
        MetricKind::Counter,
        "Replies from the cache.",
        hits,
    );
    let help = "Stored replies replayed for an idempotency key.";
    single(text, &methods, "gateway_replays_total", MetricKind::Counter, help, replays);
    let name = "gateway_call_duration_seconds";
    text.metric(name, MetricKind::Histogram, "Durations of calls; of streams until their end.");
    for (labels, counts) in &methods {
        text.histogram(name, labels, &counts.histogram());
    }
    money(text, &methods);
}

type CountedMethods<'a> = [(Labels, &'a CallMetrics)];

/// Writes a metric with one sample for each method.
fn single(
    text: &mut Exposition,
    methods: &CountedMethods<'_>,
    name: &str,
    kind: MetricKind,
    help: &str,
    read: impl Fn(&CallMetrics) -> u64,
) {
    text.metric(name, kind, help);
    for (labels, counts) in methods {
        text.sample(name, labels, read(counts));
    }
}

/// Writes the number of calls that have ended, by code.
fn by_code(text: &mut Exposition, methods: &CountedMethods<'_>) {
    let name = "gateway_calls_total";
    text.metric(name, MetricKind::Counter, "Calls that have ended, by code.");
    for (labels, counts) in methods {
        for CodeCount { code, status, count } in counts.by_code() {
            text.sample(name, &labels.and("code", code).and("status", status), count);
        }
    }
}

/// Writes price and cost for each currency. An amount is a decimal number of units of its currency.
fn money(text: &mut Exposition, methods: &CountedMethods<'_>) {
    let name = "gateway_price_charged_total";
    text.metric(
        name,
        MetricKind::Counter,
        "Prices charged to accounts, in the unit of the currency.",
    );
    for (labels, counts) in methods {
        for sum in counts.charged() {
            text.sample(name, &labels.and("currency", sum.currency().code()), sum.amount());
        }
    }
    let name = "gateway_cost_total";
    text.metric(name, MetricKind::Counter, "Known costs of attempts, in the unit of the currency.");
    for (labels, counts) in methods {
        for sum in counts.cost() {
            text.sample(name, &labels.and("currency", sum.currency().code()), sum.amount());
        }
    }
    let help = "Attempts that were or may have been executed, of unknown cost.";
    single(
        text,
        methods,
        "gateway_cost_unknown_total",
        MetricKind::Counter,
        help,
        CallMetrics::cost_unknown,
    );
}
