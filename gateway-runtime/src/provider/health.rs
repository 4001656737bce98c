//! The health of a capability's providers, for operators and for what is published.

use std::{collections::BTreeMap, sync::atomic::Ordering::Relaxed, time::Duration};

use serde::Serialize;
use tokio::time::Instant;

use crate::{
    base::{
        attempt::AttemptClass,
        cost::Cost,
        histogram::Histogram,
        spec::{CapabilityMethodSpec, Effect},
    },
    provider::{
        breaker::Availability, member::PoolMember, pool_core::PoolCore, strategy::BreakerState,
    },
};

/// The health of a capability's providers at one moment.
#[derive(Clone, Debug, Serialize)]
pub struct PoolHealth {
    /// The capability's name.
    pub capability: &'static str,
    /// The providers, by name.
    pub providers: Vec<ProviderHealth>,
}

/// The health of a provider.
#[derive(Clone, Debug, Serialize)]
pub struct ProviderHealth {
    /// The provider's name.
    pub name: &'static str,
    /// The provider's title.
    pub title: &'static str,
    /// Whether the provider is enabled.
    pub enabled: bool,
    /// The provider's weight under `Weighted`.
    pub weight: u32,
    /// The provider's position under `Ordered`.
    pub order: i32,
    /// The remaining time for which the provider is set aside after rejecting our credentials, in
    /// milliseconds.
    #[serde(
        rename = "set_aside_ms",
        skip_serializing_if = "Option::is_none",
        serialize_with = "millis"
    )]
    pub set_aside: Option<Duration>,
    /// The provider's methods, in the order of the capability.
    pub methods: Vec<MethodHealth>,
}

/// The health of a method of a provider.
#[derive(Clone, Debug, Serialize)]
pub struct MethodHealth {
    /// The method's name.
    pub name: &'static str,
    /// The effect of an attempt, which decides whether it may be repeated.
    pub effect: Effect,
    /// The cost of a call to us.
    pub cost: Cost,
    /// The state of the breaker. A breaker that is due for a probe, and waits for a call to send
    /// it, is half-open.
    pub breaker: BreakerState,
    /// The remaining time in which no call goes through, in milliseconds: the breaker is open, or
    /// the method is cooling down.
    #[serde(
        rename = "retry_after_ms",
        skip_serializing_if = "Option::is_none",
        serialize_with = "millis"
    )]
    pub retry_after: Option<Duration>,
    /// The moving average of latencies, in microseconds; none before the first reply.
    #[serde(
        rename = "latency_us",
        skip_serializing_if = "Option::is_none",
        serialize_with = "micros"
    )]
    pub latency: Option<Duration>,
    /// The number of attempts in flight.
    pub in_flight: u32,
    /// The number of attempts that ended in each class since the start; classes without any are
    /// left out.
    pub attempts: BTreeMap<AttemptClass, u64>,
    /// Durations of the attempts; of streams, until their first item.
    #[serde(skip)]
    pub(crate) durations: Histogram,
}

/// The health of a provider's method, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(into = "&'static str")]
pub enum Health {
    /// Calls go through.
    Ready,
    /// The provider responded with 429, and no call goes through for a while.
    CoolingDown,
    /// The breaker lets probes through.
    HalfOpen,
    /// The breaker lets nothing through.
    Open,
    /// The provider rejected our credentials.
    SetAside,
    /// The provider is disabled.
    Disabled,
}

impl Health {
    /// The values, from best to worst.
    pub const ALL: [Self; 6] = [
        Self::Ready,
        Self::CoolingDown,
        Self::HalfOpen,
        Self::Open,
        Self::SetAside,
        Self::Disabled,
    ];

    /// Returns the name: `ready`, `cooling-down`, `half-open`, `open`, `set-aside` or `disabled`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::CoolingDown => "cooling-down",
            Self::HalfOpen => "half-open",
            Self::Open => "open",
            Self::SetAside => "set-aside",
            Self::Disabled => "disabled",
        }
    }
}

impl From<Health> for &'static str {
    fn from(health: Health) -> Self {
        health.name()
    }
}

impl ProviderHealth {
    /// Returns the health of one of the provider's methods.
    #[must_use]
    pub fn health_of(&self, method: &MethodHealth) -> Health {
        match (method.breaker, method.retry_after) {
            _ if !self.enabled => Health::Disabled,
            _ if self.set_aside.is_some() => Health::SetAside,
            (BreakerState::Closed, None) => Health::Ready,
            (BreakerState::Closed, Some(_)) => Health::CoolingDown,
            (BreakerState::HalfOpen, _) => Health::HalfOpen,
            (BreakerState::Open, _) => Health::Open,
        }
    }
}

impl PoolHealth {
    pub(super) fn read(core: &PoolCore, now: Instant) -> Self {
        let providers = core.members.iter().map(|member| provider(core, member, now)).collect();
        Self { capability: core.capability.name, providers }
    }
}

fn provider(core: &PoolCore, member: &PoolMember, now: Instant) -> ProviderHealth {
    let spec = member.provider.spec();
    let settings = member.provider.settings();
    let methods = core.capability.methods.iter().enumerate();
    ProviderHealth {
        name: spec.name,
        title: spec.title,
        enabled: settings.enabled,
        weight: settings.weight,
        order: settings.order,
        set_aside: member.provider.set_aside_until(now).map(|until| until - now),
        methods: methods.map(|(index, spec)| method(core, member, index, spec, now)).collect(),
    }
}

fn method(
    core: &PoolCore,
    member: &PoolMember,
    index: usize,
    spec: &'static CapabilityMethodSpec,
    now: Instant,
) -> MethodHealth {
    let method = &member.methods[index];
    let (breaker, retry_after) = match method.breaker.availability(now, &core.settings.breaker) {
        Availability::Ready(state) => (state, None),
        Availability::Due(_) | Availability::ProbesInFlight | Availability::SingleProbeInFlight => {
            (BreakerState::HalfOpen, None)
        }
        Availability::Until(until) => (method.breaker.state(), Some(until - now)),
    };
    let counted = AttemptClass::ALL.map(|class| (class, method.counted(class)));
    MethodHealth {
        name: spec.name,
        effect: spec.effect,
        cost: method.cost,
        breaker,
        retry_after,
        latency: method.latency.read(core.millis(now)),
        in_flight: method.in_flight.load(Relaxed),
        attempts: counted.into_iter().filter(|(_, count)| *count > 0).collect(),
        durations: method.durations.read(),
    }
}

fn millis<S: serde::Serializer>(
    duration: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    whole(duration.map(|duration| duration.as_millis()), serializer)
}

fn micros<S: serde::Serializer>(
    duration: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    whole(duration.map(|duration| duration.as_micros()), serializer)
}

fn whole<S: serde::Serializer>(number: Option<u128>, serializer: S) -> Result<S::Ok, S::Error> {
    number.map(|number| u64::try_from(number).unwrap_or(u64::MAX)).serialize(serializer)
}
