//! Providers: their health, cost and share of the attempts, and their switches.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::{
    base::{attempt::AttemptClass, error::Error, spec::Effect},
    control::ProviderOverrides,
    edge::admin::{
        operation::{EmptyInput, OperationRequest},
        state::{AdminState, set},
    },
    provider::{Health, MethodHealth, Provider, strategy::BreakerState},
    store::ChangeKind,
};

/// A list of all providers.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ProviderList {
    /// The providers, by name.
    items: Vec<ProviderView>,
}

/// A provider.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ProviderView {
    /// The name.
    name: &'static str,
    /// The title.
    title: &'static str,
    /// True if the provider is used at all.
    enabled: bool,
    /// The weight under the strategy `Weighted`, relative to the weights of the others.
    weight: u32,
    /// The position under the strategy `Ordered`, smallest first.
    order: i32,
    /// The worst health of any of the methods: `ready`, `disabled`, `set-aside`, `cooling-down`,
    /// `half-open` or `open`.
    health: &'static str,
    /// The time for which the provider is still set aside after refusing our credentials, in
    /// milliseconds.
    set_aside_ms: Option<u64>,
    /// The methods, for each capability that some service uses.
    methods: Vec<ProviderMethodView>,
}

/// A provider's method, as this gateway sees it since it was started.
#[derive(Debug, Serialize, JsonSchema)]
struct ProviderMethodView {
    /// The capability.
    capability: &'static str,
    /// The method of the capability.
    name: &'static str,
    /// The effect, which says what repeating an attempt does: `read`, `idempotent`, `keyed` or
    /// `once`.
    #[schemars(with = "String")]
    effect: Effect,
    /// The cost of a call to us.
    #[schemars(with = "Value")]
    cost: crate::provider::Cost,
    /// The state of the circuit breaker: `closed`, `half-open` or `open`.
    #[schemars(with = "String")]
    breaker: BreakerState,
    /// The time until a call may go through again, in milliseconds.
    retry_after_ms: Option<u64>,
    /// The latency of replies as a moving average, in microseconds.
    latency_us: Option<u64>,
    /// The attempts in flight.
    in_flight: u32,
    /// The share of this provider in all attempts at this method of the capability, from 0 to 1.
    share: f64,
    /// The number of attempts that ended in each class.
    attempts: std::collections::BTreeMap<String, u64>,
}

/// Lists all providers.
pub(super) async fn list(
    state: Arc<AdminState>,
    _: OperationRequest<EmptyInput>,
) -> Result<ProviderList, Error> {
    let items =
        state.registry.providers().iter().map(|provider| describe(&state, provider)).collect();
    Ok(ProviderList { items })
}

/// Changes the switches that the input names. The change holds for every call that begins here
/// after the reply, and within two seconds on all gateways.
pub(super) async fn change(
    state: Arc<AdminState>,
    request: OperationRequest<ProviderOverrides>,
) -> Result<ProviderView, Error> {
    let name = &request.path_params[0];
    let provider = state.registry.providers().iter().find(|provider| provider.spec().name == *name);
    let provider = provider.ok_or_else(|| Error::not_found("no provider has this name"))?;
    if request.input != ProviderOverrides::default() {
        set(&state, ChangeKind::Provider, name, &request.input, &request.operator).await?;
    }
    Ok(describe(&state, provider))
}

/// Describes a provider with all of its methods.
fn describe(state: &AdminState, provider: &Provider) -> ProviderView {
    let (spec, settings) = (provider.spec(), provider.settings());
    let mut methods = Vec::new();
    let mut set_aside = None;
    let mut health = if settings.enabled { Health::Ready } else { Health::Disabled };
    for capability in state.registry.capabilities_of(spec.name) {
        let Some(pool) = state.registry.health(capability) else { continue };
        let total = |index: usize| -> u64 {
            pool.providers.iter().map(|it| attempts(&it.methods[index])).sum()
        };
        let Some(own) = pool.providers.iter().find(|it| it.name == spec.name) else { continue };
        set_aside = set_aside.max(own.set_aside);
        for (index, method) in own.methods.iter().enumerate() {
            health = health.max(own.health_of(method));
            methods.push(describe_method(capability, method, total(index)));
        }
    }
    ProviderView {
        name: spec.name,
        title: spec.title,
        enabled: settings.enabled,
        weight: settings.weight,
        order: settings.order,
        health: health.name(),
        set_aside_ms: set_aside.map(millis),
        methods,
    }
}

/// Describes a method of a provider; `total` counts the attempts at it at all providers.
#[expect(clippy::cast_precision_loss, reason = "a share of so many attempts need not be exact")]
fn describe_method(
    capability: &'static str,
    method: &MethodHealth,
    total: u64,
) -> ProviderMethodView {
    let name = |class: &AttemptClass| {
        serde_json::to_value(class).ok().and_then(|it| Some(it.as_str()?.to_owned()))
    };
    ProviderMethodView {
        capability,
        name: method.name,
        effect: method.effect,
        cost: method.cost,
        breaker: method.breaker,
        retry_after_ms: method.retry_after.map(millis),
        latency_us: method.latency.map(|it| u64::try_from(it.as_micros()).unwrap_or(u64::MAX)),
        in_flight: method.in_flight,
        share: if total == 0 { 0.0 } else { attempts(method) as f64 / total as f64 },
        attempts: method
            .attempts
            .iter()
            .filter_map(|(class, count)| Some((name(class)?, *count)))
            .collect(),
    }
}

/// Counts the attempts at a method that have ended.
fn attempts(method: &MethodHealth) -> u64 {
    method.attempts.values().sum()
}

/// Converts a duration to whole milliseconds.
fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
