//! Metrics of providers: attempts and their latency, and the state of each method of each provider.

use crate::{
    base::attempt::AttemptClass,
    edge::admin::{
        metrics::{Exposition, Labels, MetricKind},
        state::AdminState,
    },
    provider::{Health, MethodHealth, ProviderHealth, strategy::BreakerState},
};

/// Writes the metrics of providers.
pub(super) fn write(text: &mut Exposition, state: &AdminState) {
    let pools: Vec<_> = state
        .registry
        .capabilities()
        .iter()
        .filter_map(|it| state.registry.health(it.name))
        .collect();
    let mut methods = Vec::new();
    for pool in &pools {
        for provider in &pool.providers {
            let labels =
                Labels::default().and("provider", provider.name).and("capability", pool.capability);
            let each = provider
                .methods
                .iter()
                .map(|method| (provider, method, labels.and("method", method.name)));
            methods.extend(each);
        }
    }
    attempts(text, &methods);
    health_states(text, &methods);
    let name = "gateway_provider_enabled";
    text.metric(name, MetricKind::Gauge, "Whether a provider is enabled.");
    for provider in state.registry.providers() {
        let labels = Labels::default().and("provider", provider.spec().name);
        text.sample(name, &labels, u8::from(provider.settings().enabled));
    }
}

type ProviderMethods<'a> = [(&'a ProviderHealth, &'a MethodHealth, Labels)];

/// Writes the metrics of attempts.
fn attempts(text: &mut Exposition, methods: &ProviderMethods<'_>) {
    let name = "gateway_attempts_total";
    text.metric(name, MetricKind::Counter, "Attempts at providers that have ended, by class.");
    for (_, method, labels) in methods {
        for class in AttemptClass::ALL {
            let count = method.attempts.get(&class).copied().unwrap_or_default();
            text.sample(name, &labels.and("class", class.name()), count);
        }
    }
    let name = "gateway_attempts_in_flight";
    text.metric(name, MetricKind::Gauge, "Attempts at providers that have not ended.");
    for (_, method, labels) in methods {
        text.sample(name, labels, method.in_flight);
    }
    let name = "gateway_attempt_duration_seconds";
    text.metric(
        name,
        MetricKind::Histogram,
        "Durations of attempts; of streams until their first item.",
    );
    for (_, method, labels) in methods {
        text.histogram(name, labels, &method.durations);
    }
}

/// Writes the health and the breaker state of each provider's method.
fn health_states(text: &mut Exposition, methods: &ProviderMethods<'_>) {
    let name = "gateway_provider_state";
    text.metric(
        name,
        MetricKind::Gauge,
        "1 for the state that a provider's method is in, 0 for the others.",
    );
    for (provider, method, labels) in methods {
        let current = provider.health_of(method);
        for state in Health::ALL.into_iter().rev() {
            text.sample(name, &labels.and("state", label(state)), u8::from(state == current));
        }
    }
    let name = "gateway_breaker_state";
    text.metric(
        name,
        MetricKind::Gauge,
        "State of the circuit breaker alone: 0 closed, 1 half-open, 2 open.",
    );
    for (_, method, labels) in methods {
        let state = match method.breaker {
            BreakerState::Closed => 0,
            BreakerState::HalfOpen => 1,
            BreakerState::Open => 2,
        };
        text.sample(name, labels, state);
    }
}

/// Returns the reason why calls do not reach the method, or `closed` if they do.
fn label(health: Health) -> &'static str {
    if health == Health::Ready { "closed" } else { health.name() }
}
