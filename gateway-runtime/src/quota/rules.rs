//! The policies that a call is under, from settings and attributes: by method, and by the caller's
//! plan and account.

use std::{
    collections::{BTreeMap, HashMap},
    iter::once,
    ptr,
    sync::{Arc, Mutex, PoisonError},
};

use foldhash::fast::RandomState;
use http::HeaderValue;

use crate::{
    base::{
        call::Call,
        spec::{MethodSpec, ServiceSpec},
    },
    json::similar::did_you_mean,
    quota::{Limit, LimitOverrides, LimitSettings, Policy, QuotaSettings, Rate},
};

/// The limits of a call of one method.
#[derive(Debug)]
pub struct MethodLimits {
    /// The policies: rates first, then concurrencies; of each kind the widest first.
    pub policies: Vec<Policy>,
    /// The local share of each policy, for a gateway while Redis is unavailable.
    pub share: Vec<Policy>,
    /// The policies in the form that clients read, as the value of `RateLimit-Policy`.
    pub header: HeaderValue,
    /// Whether any policy has slots, which must be released.
    pub has_concurrency: bool,
}

/// The limits of methods, by the address of their specification in the program.
type ByMethod = HashMap<usize, Arc<MethodLimits>, RandomState>;

/// The registered methods.
pub type RegisteredMethods = Arc<[(&'static ServiceSpec, &'static MethodSpec)]>;

/// The rules of the current settings.
#[derive(Debug)]
pub struct QuotaRules {
    methods: RegisteredMethods,
    /// The limits that hold for every account.
    general: LimitOverrides,
    plans: BTreeMap<String, PlanRules>,
    accounts: BTreeMap<String, AccountRules>,
    /// The limits of accounts without a plan or rules of their own.
    limits: ByMethod,
    replicas: u64,
    /// Whether a call that failed gives back the tokens of its rates.
    pub only_fulfilled: bool,
}

#[derive(Debug)]
struct PlanRules {
    own: LimitOverrides,
    limits: ByMethod,
}

#[derive(Debug)]
struct AccountRules {
    own: LimitOverrides,
    /// The limits at the account's last call.
    last: Mutex<Option<Last>>,
}

#[derive(Debug)]
struct Last {
    plan: Option<Box<str>>,
    limits: Arc<ByMethod>,
}

impl QuotaRules {
    /// Creates the rules of `settings` for these methods.
    #[must_use]
    pub fn new(settings: &QuotaSettings, methods: RegisteredMethods) -> Self {
        let mut this = Self {
            methods,
            general: LimitOverrides {
                total: settings.total,
                services: settings.services.clone(),
                methods: settings.methods.clone(),
            },
            plans: BTreeMap::new(),
            accounts: BTreeMap::new(),
            limits: ByMethod::default(),
            replicas: settings.replicas.into(),
            only_fulfilled: settings.only_fulfilled,
        };
        if settings.enabled {
            this.limits = this.by_method(&[&this.general]);
            this.plans =
                settings.plans.iter().map(|(name, own)| (name.clone(), this.plan(own))).collect();
            let account =
                |own: &LimitOverrides| AccountRules { own: own.clone(), last: Mutex::default() };
            this.accounts =
                settings.accounts.iter().map(|(name, own)| (name.clone(), account(own))).collect();
        }
        this
    }

    /// Returns the problems of `settings`: names of services and methods that are not registered.
    #[must_use]
    pub fn unknown_names(settings: &QuotaSettings, methods: &RegisteredMethods) -> Vec<String> {
        let services: Vec<_> = methods.iter().map(|(service, _)| service.name.to_owned()).collect();
        let names: Vec<_> = methods.iter().map(|(service, method)| name(service, method)).collect();
        let mut problems = Vec::new();
        let mut check = |section: &str,
                         kind: &str,
                         limits: &BTreeMap<String, LimitSettings>,
                         known: &[String]| {
            for name in limits.keys().filter(|name| !known.contains(name)) {
                let noun = kind.trim_end_matches('s');
                let help = did_you_mean(noun, name, known.iter().map(String::as_str));
                problems.push(format!("`{section}{kind}.{name}`: no {noun} has this name{help}"));
            }
        };
        check("", "services", &settings.services, &services);
        check("", "methods", &settings.methods, &names);
        let plans = settings.plans.iter().map(|(name, own)| (format!("plans.{name}."), own));
        for (section, own) in plans
            .chain(settings.accounts.iter().map(|(name, own)| (format!("accounts.{name}."), own)))
        {
            check(&section, "services", &own.services, &services);
            check(&section, "methods", &own.methods, &names);
        }
        problems
    }

    /// Returns the limits of a call; `None` if it has none.
    #[must_use]
    pub fn limits(&self, call: &Call) -> Option<Arc<MethodLimits>> {
        let method = address(call.method());
        let plan = call.plan().and_then(|plan| self.plans.get(plan));
        if !self.accounts.is_empty()
            && let Some(account) =
                call.caller().account().and_then(|account| self.accounts.get(account))
        {
            return self.of_account(account, plan, call.plan()).get(&method).cloned();
        }
        plan.map_or(&self.limits, |plan| &plan.limits).get(&method).cloned()
    }

    fn plan(&self, own: &LimitOverrides) -> PlanRules {
        PlanRules { own: own.clone(), limits: self.by_method(&[own, &self.general]) }
    }

    /// Returns the limits of an account, created at its first call, and again after a change of its
    /// plan.
    fn of_account(
        &self,
        account: &AccountRules,
        plan: Option<&PlanRules>,
        name: Option<&str>,
    ) -> Arc<ByMethod> {
        let mut last = account.last.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some(last) if last.plan.as_deref() == name => Arc::clone(&last.limits),
            _ => {
                let layers =
                    once(&account.own).chain(plan.map(|plan| &plan.own)).chain([&self.general]);
                let limits = Arc::new(self.by_method(&layers.collect::<Vec<_>>()));
                *last = Some(Last { plan: name.map(Box::from), limits: Arc::clone(&limits) });
                limits
            }
        }
    }

    /// Returns the limits of all methods. Each value is that of the first of `layers` that sets it.
    fn by_method(&self, layers: &[&LimitOverrides]) -> ByMethod {
        let limits = |(service, method): &(&'static ServiceSpec, &'static MethodSpec)| {
            Some((
                address(method),
                Arc::new(MethodLimits::of(service, method, layers, self.replicas)?),
            ))
        };
        self.methods.iter().filter_map(limits).collect()
    }
}

fn address(method: &'static MethodSpec) -> usize {
    ptr::from_ref(method).addr()
}

/// Returns a method's name in settings and for clients.
fn name(service: &ServiceSpec, method: &MethodSpec) -> String {
    format!("{}/v{}/{}", service.name, service.version, method.name)
}

impl MethodLimits {
    fn of(
        service: &ServiceSpec,
        method: &MethodSpec,
        layers: &[&LimitOverrides],
        replicas: u64,
    ) -> Option<Self> {
        let name = name(service, method);
        let first = |of: &dyn Fn(&LimitOverrides) -> Option<LimitSettings>| {
            let limits: Vec<_> = layers.iter().filter_map(|layer| of(layer)).collect();
            let rate = limits.iter().find_map(|limit| limit.rate);
            LimitSettings { rate, concurrency: limits.iter().find_map(|limit| limit.concurrency) }
        };
        let attribute = method.quota.map(|quota| Rate { calls: quota.calls, per: quota.per });
        let of_method = first(&|layer| layer.methods.get(&name).copied());
        let subjects = [
            ("total", first(&|layer| Some(layer.total))),
            (service.name, first(&|layer| layer.services.get(service.name).copied())),
            (&name, LimitSettings { rate: of_method.rate.or(attribute), ..of_method }),
        ];
        let rates = subjects.iter().filter_map(|(name, limits)| {
            Some(Policy { name: (*name).into(), limit: Limit::Rate(limits.rate?) })
        });
        let concurrencies = subjects.iter().filter_map(|(name, limits)| {
            Some(Policy {
                name: format!("{name}:concurrent").into(),
                limit: Limit::Concurrency(limits.concurrency?),
            })
        });
        Self::new(rates.chain(concurrencies).collect(), replicas)
    }

    fn new(policies: Vec<Policy>, replicas: u64) -> Option<Self> {
        let header = policies.iter().map(Policy::to_string).collect::<Vec<_>>().join(", ");
        let header = HeaderValue::try_from(header).ok()?;
        let share = policies.iter().map(|policy| policy.share(replicas)).collect();
        let has_concurrency = policies.iter().any(|policy| policy.concurrency().is_some());
        (!policies.is_empty()).then_some(Self { policies, share, header, has_concurrency })
    }
}
