//! `/metrics`: counters, gauges and histograms, read when the page is requested.
//!
//! - `exposition`: the text formats
//! - `calls`: calls of methods, and what they cost
//! - `providers`: attempts at providers, and the state of each
//! - `process`: the program itself

mod calls;
mod exposition;
mod process;
mod providers;

use std::sync::atomic::Ordering::Relaxed;

pub(super) use crate::edge::admin::metrics::exposition::Format;
use crate::{
    base::call_metrics::LOG_LINES_DROPPED,
    bus::{BrokerStats, CallsStats, CallsStatus},
    edge::admin::{
        metrics::exposition::{Exposition, Labels, MetricKind},
        state::AdminState,
    },
    store::WriterStats,
};

/// Returns the text of all metrics at this moment.
pub(super) fn text(state: &AdminState, format: Format) -> String {
    let mut text = Exposition::new(format);
    let version = Labels::default().and("version", env!("CARGO_PKG_VERSION"));
    text.metric(
        "gateway_build_info",
        MetricKind::Gauge,
        "Always 1; the version of the gateway is a label.",
    );
    text.sample("gateway_build_info", &version, 1);
    calls::write(&mut text, state);
    providers::write(&mut text, state);
    store(&mut text, state);
    bus(&mut text, state);
    gateway(&mut text, state);
    process::write(&mut text);
    text.finish()
}

/// Writes the metrics of connections, Redis, quotas, log and shutdown.
fn gateway(text: &mut Exposition, state: &AdminState) {
    let open = state.connections.open();
    text.single(
        "gateway_connections_open",
        MetricKind::Gauge,
        "Open connections of clients.",
        open,
    );
    if let Some(redis) = &state.redis {
        let is_up = u64::from(!redis.is_unavailable());
        text.single(
            "gateway_redis_up",
            MetricKind::Gauge,
            "Whether Redis replied when it was last used.",
            is_up,
        );
    }
    let alone = state.limiting.judged_alone();
    let help = "Calls decided by this gateway's local share of a quota.";
    text.single("gateway_quota_local_total", MetricKind::Counter, help, alone);
    let dropped = LOG_LINES_DROPPED.load(Relaxed);
    let help = "Log lines lost because their reader was too slow.";
    text.single("gateway_log_lines_dropped_total", MetricKind::Counter, help, dropped);
    let draining = u64::from(state.draining.has_begun());
    text.single(
        "gateway_draining",
        MetricKind::Gauge,
        "Whether the gateway is shutting down.",
        draining,
    );
}

/// Writes the metrics of the store's writer.
fn store(text: &mut Exposition, state: &AdminState) {
    let Some(kept) = &state.store else { return };
    let WriterStats { queued, unwritten, commits, commands } = kept.writer.stats();
    let mut single = |name, kind, help, value| text.single(name, kind, help, value);
    single(
        "gateway_store_queued",
        MetricKind::Gauge,
        "Changes and records that wait to be written.",
        queued,
    );
    single(
        "gateway_store_unwritten",
        MetricKind::Gauge,
        "Settlements not yet written to the store.",
        unwritten,
    );
    single("gateway_store_commits_total", MetricKind::Counter, "Transactions committed.", commits);
    single(
        "gateway_store_commands_total",
        MetricKind::Counter,
        "Changes and records written in them.",
        commands,
    );
}

/// Writes the metrics of the bus.
fn bus(text: &mut Exposition, state: &AdminState) {
    let BrokerStats {
        published,
        replied: answered,
        pending,
        late_replies: late,
        duplicate,
        unknown,
        received,
        connections_lost: lost,
    } = state.broker.stats();
    let is_up = u64::from(state.broker.state().is_ok());
    let mut single = |name, kind, help, value| text.single(name, kind, help, value);
    single(
        "gateway_bus_up",
        MetricKind::Gauge,
        "Whether messages can be sent and received now.",
        is_up,
    );
    single(
        "gateway_bus_published_total",
        MetricKind::Counter,
        "Messages that the broker confirmed.",
        published,
    );
    single("gateway_bus_received_total", MetricKind::Counter, "Messages received.", received);
    single(
        "gateway_bus_pending",
        MetricKind::Gauge,
        "Calls over the bus that wait for their reply.",
        pending,
    );
    single(
        "gateway_bus_connections_lost_total",
        MetricKind::Counter,
        "Connections to the broker that were lost.",
        lost,
    );
    let name = "gateway_bus_replies_total";
    text.metric(name, MetricKind::Counter, "Replies from the bus; all but `first` were dropped.");
    for (kind, count) in
        [("matched", answered), ("late", late), ("duplicate", duplicate), ("unknown", unknown)]
    {
        text.sample(name, &Labels::default().and("kind", kind), count);
    }
    bus_calls(text, &state.calls);
}

/// Writes the metrics of calls by the bus.
fn bus_calls(text: &mut Exposition, calls: &CallsStatus) {
    let CallsStats { executing, waiting, stalled } = calls.stats();
    let mut single = |name, help, value| text.single(name, MetricKind::Gauge, help, value);
    single("gateway_bus_calls_executing", "Calls from the bus in progress.", executing);
    single("gateway_bus_calls_waiting", "Messages received that wait for a slot.", waiting);
    let help = "Time without a free slot while messages wait.";
    single("gateway_bus_calls_stalled_seconds", help, stalled.as_secs());
    let name = "gateway_bus_replies_dropped_total";
    text.metric(
        name,
        MetricKind::Counter,
        "Replies to calls from the bus that the broker rejected.",
    );
    for (reason, count) in calls.dropped() {
        text.sample(name, &Labels::default().and("reason", reason), count);
    }
}
