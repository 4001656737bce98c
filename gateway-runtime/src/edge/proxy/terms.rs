//! The settings of an upstream, checked.

use std::sync::Arc;

use http::uri::PathAndQuery;

use crate::{
    edge::proxy::{
        balance::Balancer,
        connection::Clocks,
        pool_terms::PoolTerms,
        settings::{Balance, CheckSettings, UpstreamSettings},
    },
    json::similar::did_you_mean,
    resolver::{Endpoint, Resolver, Resolvers, StaticEndpoints},
};

/// The settings of an upstream, with what is made of them.
#[derive(Debug)]
pub(super) struct Terms {
    pub(super) settings: UpstreamSettings,
    pub(super) clocks: Clocks,
    pub(super) pool: PoolTerms,
    pub(super) balancer: Balancer,
}

impl Terms {
    /// Checks the settings of a section `[upstreams.NAME]`; adds what is wrong to `problems`.
    pub(super) fn new(name: &str, settings: &UpstreamSettings, problems: &mut Vec<String>) -> Self {
        let mut problem = |key: &str, why: &str| {
            problems.push(format!("`upstreams.{name}.{key}` in the configuration {why}"));
        };
        number_problems(settings, &mut problem);
        if let Some(check) = &settings.check {
            check_problems(check, &mut problem);
        }
        let hash_header = match &settings.hash_header {
            Some(name) => name.parse().map_err(|_| {
                problem("hash_header", "is not the name of a header field");
            }),
            None => Err(()),
        };
        if settings.balance == Balance::Hash && settings.hash_header.is_none() {
            problem(
                "hash_header",
                "is missing\nhelp: `balance = \"hash\"` needs one, such as \
                 `hash_header = \"x-user\"`",
            );
        }
        Self {
            clocks: Clocks { first_byte: settings.first_byte_timeout, idle: settings.idle_timeout },
            pool: PoolTerms::new(settings, may_use_tls(settings)),
            balancer: Balancer::new(settings.balance, hash_header.ok()),
            settings: settings.clone(),
        }
    }
}

/// Returns whether an instance may have TLS: one of the URLs, or one that a resolver finds.
fn may_use_tls(settings: &UpstreamSettings) -> bool {
    settings.resolver.is_some()
        || settings.urls.iter().any(|one| one.parts().0.starts_with("https:"))
}

/// Finds times and numbers that are out of range.
fn number_problems(settings: &UpstreamSettings, problem: &mut impl FnMut(&str, &str)) {
    let times = [
        ("connect_timeout", settings.connect_timeout),
        ("first_byte_timeout", settings.first_byte_timeout),
        ("idle_timeout", settings.idle_timeout),
        ("attempts_timeout", settings.attempts_timeout),
    ];
    for (key, _) in times.iter().filter(|(_, time)| time.is_zero()) {
        problem(key, "is 0\nhelp: write a time, such as `2s`");
    }
    let numbers = [
        ("attempts", settings.attempts),
        ("max_requests", settings.max_requests),
        ("fails", settings.fails as usize),
        ("passes", settings.passes as usize),
    ];
    for (key, _) in numbers.iter().filter(|(_, number)| *number == 0) {
        problem(key, "is 0\nhelp: write 1 or more");
    }
    if settings.max_ejected_percent > 100 {
        problem("max_ejected_percent", "is over 100\nhelp: write a number up to 100");
    }
}

/// Finds what is wrong with the settings of checks.
fn check_problems(check: &CheckSettings, problem: &mut impl FnMut(&str, &str)) {
    if !check.path.starts_with('/') || check.path.parse::<PathAndQuery>().is_err() {
        problem("check.path", "is not a path\nhelp: write one such as `/health`");
    }
    for (key, time) in [("check.interval", check.interval), ("check.timeout", check.timeout)] {
        if time.is_zero() {
            problem(key, "is 0\nhelp: write a time, such as `5s`");
        }
    }
    for (key, number) in [("check.fails", check.fails), ("check.passes", check.passes)] {
        if number == 0 {
            problem(key, "is 0\nhelp: write 1 or more");
        }
    }
}

/// Returns the resolver of a section's instances: that of its `urls`, or the one that it names;
/// adds what is wrong to `problems`.
pub(super) fn resolver(
    name: &str,
    settings: &UpstreamSettings,
    terms: &Terms,
    resolvers: &Resolvers,
    problems: &mut Vec<String>,
) -> Option<Arc<dyn Resolver>> {
    let section = format!("[upstreams.\"{name}\"]");
    let problem = match (&settings.resolver, settings.urls.is_empty()) {
        (None, false) => {
            let endpoints = endpoints(name, settings, &terms.pool, problems);
            return Some(Arc::new(StaticEndpoints::new(endpoints)));
        }
        (None, true) => format!(
            "{section}: missing key `urls`\nhelp: write `urls = [\"http://127.0.0.1:9000\"]`"
        ),
        (Some(_), false) => {
            format!("{section} has `urls` and `resolver`\nhelp: remove one of them")
        }
        (Some(resolver), true) => match resolvers.get(resolver) {
            Some(resolver) => {
                let service = settings.service.as_deref().unwrap_or(name);
                match resolver.check(service) {
                    Ok(()) => return Some(Arc::clone(resolver)),
                    Err(why) => format!("{section}: the service `{service}` {why}"),
                }
            }
            None => {
                let known = resolvers.keys().map(String::as_str);
                let help = did_you_mean("resolver", resolver, known);
                format!("{section}: unknown resolver `{resolver}`{help}")
            }
        },
    };
    problems.push(problem);
    None
}

/// Parses the URLs of a section; adds what is wrong to `problems`.
fn endpoints(
    name: &str,
    settings: &UpstreamSettings,
    terms: &PoolTerms,
    problems: &mut Vec<String>,
) -> Vec<Endpoint> {
    let mut endpoints = Vec::<Endpoint>::new();
    for one in &settings.urls {
        let (url, weight) = one.parts();
        let at = format!("`upstreams.{name}.urls` in the configuration: `{url}`");
        if !(1..=1_000).contains(&weight) {
            problems.push(format!("{at} has the weight {weight}\nhelp: write 1 to 1000"));
        }
        match Endpoint::parse(url) {
            Ok(endpoint) if is_listed(&endpoints, &endpoint) => {
                problems.push(format!("{at} is there twice\nhelp: give it a `weight` instead"));
            }
            Ok(endpoint) => match terms.connector(&endpoint) {
                Ok(_) => endpoints.push(endpoint.with_weight(weight)),
                Err(why) => problems.push(format!("{at}: {why}")),
            },
            Err(why) => problems
                .push(format!("{at} {why}\nhelp: write `http://host:port` or `https://host:port`")),
        }
    }
    endpoints
}

/// Returns whether an endpoint of the same address is there already; names have no case.
fn is_listed(endpoints: &[Endpoint], endpoint: &Endpoint) -> bool {
    endpoints.iter().any(|other| other.address().eq_ignore_ascii_case(endpoint.address()))
}
