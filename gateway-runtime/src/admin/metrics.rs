//! `/metrics`: what is counted, in the text format of Prometheus (0.0.4).

use std::{fmt::Write as _, sync::atomic::Ordering::Relaxed};

use super::desk::Desk;
use crate::{
    bus::Figures,
    metrics::{BOUNDS, LOG_LINES_DROPPED},
    provider::{MethodHealth, ProviderHealth},
    registry::Method,
    strategy::BreakerState,
};

/// The media type.
pub(super) const MEDIA: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All metrics, as they are now.
pub(super) fn text(desk: &Desk) -> String {
    let mut text = Text(String::with_capacity(4096));
    calls(&mut text, desk);
    providers(&mut text, desk);
    if let Some(kept) = &desk.books {
        let (waiting, owed, commits, changes) = kept.journal.numbers();
        text.one("gateway_journal_waiting", "gauge", "Changes and records that wait to be written.", waiting);
        text.one("gateway_journal_owed", "gauge", "Ends of calls that could not be written yet.", owed);
        text.one("gateway_journal_commits_total", "counter", "Transactions committed.", commits);
        text.one("gateway_journal_changes_total", "counter", "Changes and records written in them.", changes);
    }
    bus(&mut text, desk);
    let alone = desk.limiting.judged_alone();
    text.one("gateway_quota_local_total", "counter", "Calls judged by this gateway's share of quotas alone.", alone);
    let dropped = LOG_LINES_DROPPED.load(Relaxed);
    text.one("gateway_log_lines_dropped_total", "counter", "Log lines lost: their reader was too slow.", dropped);
    let draining = u64::from(desk.draining.has_begun());
    text.one("gateway_draining", "gauge", "Whether the gateway has been told to stop.", draining);
    text.0
}

fn bus(text: &mut Text, desk: &Desk) {
    let Figures { published, answered, pending, late, duplicate, unknown, received, lost } = desk.broker.figures();
    let is_up = u64::from(desk.broker.state().is_ok());
    text.one("gateway_bus_up", "gauge", "Whether messages can be sent and received now.", is_up);
    text.one("gateway_bus_published_total", "counter", "Messages that the broker took over.", published);
    text.one("gateway_bus_received_total", "counter", "Messages received.", received);
    text.one("gateway_bus_pending", "gauge", "Calls over the bus that wait for their answer.", pending);
    text.one("gateway_bus_lost_total", "counter", "Connections to the broker that were lost.", lost);
    text.head("gateway_bus_answers_total", "counter", "Answers from the bus; all but `first` reached nobody.");
    for (kind, count) in [("first", answered), ("late", late), ("duplicate", duplicate), ("unknown", unknown)] {
        text.line("gateway_bus_answers_total", &format!("kind=\"{kind}\""), count);
    }
}

fn calls(text: &mut Text, desk: &Desk) {
    let methods = || desk.registry.methods().map(|method| (names(method), &method.counts));
    text.head("gateway_calls_total", "counter", "Calls that have ended, by how.");
    for (names, counts) in methods() {
        for (code, status, count) in counts.by_code() {
            text.line("gateway_calls_total", &format!("{names},code=\"{code}\",status=\"{status}\""), count);
        }
    }
    text.head("gateway_cache_hits_total", "counter", "Answers that came from the cache.");
    for (names, counts) in methods() {
        text.line("gateway_cache_hits_total", &names, counts.given_again().0);
    }
    text.head("gateway_replays_total", "counter", "Answers that were given before, under the same idempotency key.");
    for (names, counts) in methods() {
        text.line("gateway_replays_total", &names, counts.given_again().1);
    }
    text.head("gateway_call_duration_seconds", "histogram", "How long calls took; streams until their end.");
    for (names, counts) in methods() {
        let (bounded, all, micros) = counts.durations();
        for (bound, count) in BOUNDS.iter().zip(bounded) {
            let labels = format!("{names},le=\"{}\"", seconds(*bound));
            text.line("gateway_call_duration_seconds_bucket", &labels, count);
        }
        text.line("gateway_call_duration_seconds_bucket", &format!("{names},le=\"+Inf\""), all);
        text.line("gateway_call_duration_seconds_sum", &names, seconds(micros));
        text.line("gateway_call_duration_seconds_count", &names, all);
    }
}

fn names(method: &Method) -> String {
    format!(
        "service=\"{}\",version=\"{}\",method=\"{}\"",
        method.service.name, method.service.version, method.spec.name
    )
}

/// Exact, and without a float.
fn seconds(micros: u64) -> String {
    let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
    let text = format!("{seconds}.{rest:06}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn providers(text: &mut Text, desk: &Desk) {
    let pools: Vec<_> = desk.registry.capabilities().iter().filter_map(|it| desk.registry.health(it.name)).collect();
    let each = |tell: &mut dyn FnMut(&ProviderHealth, &MethodHealth, String)| {
        for pool in &pools {
            for provider in &pool.providers {
                for method in &provider.methods {
                    let (capability, provider_name, name) = (pool.capability, provider.name, method.name);
                    let labels = format!("provider=\"{provider_name}\",capability=\"{capability}\",method=\"{name}\"");
                    tell(provider, method, labels);
                }
            }
        }
    };
    text.head("gateway_attempts_total", "counter", "Attempts at providers that have ended, by how.");
    each(&mut |_, method, labels| {
        for (class, count) in &method.attempts {
            let class = serde_json::to_value(class).unwrap_or_default();
            let class = class.as_str().unwrap_or_default();
            text.line("gateway_attempts_total", &format!("{labels},class=\"{class}\""), *count);
        }
    });
    text.head("gateway_attempts_in_flight", "gauge", "Attempts at providers under way.");
    each(&mut |_, method, labels| text.line("gateway_attempts_in_flight", &labels, method.in_flight));
    text.head("gateway_breaker_state", "gauge", "0 closed, 1 half open, 2 open.");
    each(&mut |_, method, labels| {
        let state = match method.breaker {
            BreakerState::Closed => 0,
            BreakerState::HalfOpen => 1,
            BreakerState::Open => 2,
        };
        text.line("gateway_breaker_state", &labels, state);
    });
    text.head("gateway_provider_enabled", "gauge", "Whether a provider is asked at all.");
    for provider in desk.registry.providers() {
        let labels = format!("provider=\"{}\"", provider.spec().name);
        text.line("gateway_provider_enabled", &labels, u8::from(provider.settings().enabled));
    }
}

/// The text. Names of services, providers and codes are of letters, digits and `-_`, so labels need no escapes; an author's
/// code that is not loses what would need one.
struct Text(String);

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a text does not fail.
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn line(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let labels = labels.replace(['\\', '\n'], "");
        let _ = writeln!(self.0, "{name}{{{labels}}} {value}");
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.head(name, kind, help);
        let _ = writeln!(self.0, "{name} {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_exact() {
        for (micros, text) in [(0, "0"), (100, "0.0001"), (1_000_000, "1"), (10_000_000, "10"), (2_500_001, "2.500001")]
        {
            assert_eq!(seconds(micros), text);
        }
    }
}
