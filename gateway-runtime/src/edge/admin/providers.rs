//! Providers: how they are, what they cost, how much they are asked, and their switches.

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

/// All providers.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ProviderList {
    /// Them, by name.
    items: Vec<ProviderView>,
}

/// A provider.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ProviderView {
    /// Its name.
    name: &'static str,
    /// Its title.
    title: &'static str,
    /// Whether it is asked at all.
    enabled: bool,
    /// Its share of the calls under the strategy `Weighted`, beside the others' weights.
    weight: u32,
    /// Its place under the strategy `Ordered`, smallest first.
    order: i32,
    /// In a word: `ready`, `disabled`, `set-aside`, `cooling-down`, `half-open` or `open`, whichever is worst of its methods.
    health: &'static str,
    /// For how long it is still set aside after refusing our credentials, in milliseconds.
    set_aside_ms: Option<u64>,
    /// Its methods, for each capability that some service asks for.
    methods: Vec<ProviderMethodView>,
}

/// A provider's method, as this gateway sees it since it was started.
#[derive(Debug, Serialize, JsonSchema)]
struct ProviderMethodView {
    /// The capability …
    capability: &'static str,
    /// … and its method.
    name: &'static str,
    /// What repeating an attempt does: `read`, `idempotent`, `keyed`, `once`.
    #[schemars(with = "String")]
    effect: Effect,
    /// What a call costs us.
    #[schemars(with = "Value")]
    cost: crate::provider::Cost,
    /// Its circuit breaker: `closed`, `half-open` or `open`.
    #[schemars(with = "String")]
    breaker: BreakerState,
    /// For how long no call goes through, in milliseconds.
    retry_after_ms: Option<u64>,
    /// How long answers take, as a moving average, in microseconds.
    latency_us: Option<u64>,
    /// Attempts under way.
    in_flight: u32,
    /// Which share of all attempts at this method of the capability were made at this provider, from 0 to 1.
    share: f64,
    /// How many attempts ended in each class.
    attempts: std::collections::BTreeMap<String, u64>,
}

/// Lists providers.
pub(super) async fn list(
    desk: Arc<AdminState>,
    _: OperationRequest<EmptyInput>,
) -> Result<ProviderList, Error> {
    let items =
        desk.registry.providers().iter().map(|provider| describe(&desk, provider)).collect();
    Ok(ProviderList { items })
}

/// Changes the switches that are named; it holds for every call that begins here after the answer, and within two seconds
/// on all gateways.
pub(super) async fn change(
    desk: Arc<AdminState>,
    request: OperationRequest<ProviderOverrides>,
) -> Result<ProviderView, Error> {
    let name = &request.path_params[0];
    let provider = desk.registry.providers().iter().find(|provider| provider.spec().name == *name);
    let provider = provider
        .ok_or_else(|| Error::not_found("no provider of this name is part of this gateway"))?;
    if request.input != ProviderOverrides::default() {
        set(&desk, ChangeKind::Provider, name, &request.input, &request.operator).await?;
    }
    Ok(describe(&desk, provider))
}

fn describe(desk: &AdminState, provider: &Provider) -> ProviderView {
    let (spec, settings) = (provider.spec(), provider.settings());
    let mut methods = Vec::new();
    let mut set_aside = None;
    let mut health = if settings.enabled { Health::Ready } else { Health::Disabled };
    for capability in desk.registry.capabilities_of(spec.name) {
        let Some(pool) = desk.registry.health(capability) else { continue };
        let made = |place: usize| -> u64 {
            pool.providers.iter().map(|it| attempts(&it.methods[place])).sum()
        };
        let Some(own) = pool.providers.iter().find(|it| it.name == spec.name) else { continue };
        set_aside = set_aside.max(own.set_aside);
        for (place, method) in own.methods.iter().enumerate() {
            health = health.max(own.health_of(method));
            methods.push(describe_method(capability, method, made(place)));
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

#[expect(clippy::cast_precision_loss, reason = "a share of so many attempts need not be exact")]
fn describe_method(
    capability: &'static str,
    method: &MethodHealth,
    made: u64,
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
        share: if made == 0 { 0.0 } else { attempts(method) as f64 / made as f64 },
        attempts: method
            .attempts
            .iter()
            .filter_map(|(class, count)| Some((name(class)?, *count)))
            .collect(),
    }
}

fn attempts(method: &MethodHealth) -> u64 {
    method.attempts.values().sum()
}

fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
