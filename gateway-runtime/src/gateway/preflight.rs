//! Checks before a gateway serves: idempotency keys that cannot be honoured, access without
//! authentication, and names of nothing that is registered.

use crate::json::similar::did_you_mean;
use std::{net::SocketAddr, sync::Arc};

use serde_json::Value;

use crate::{
    auth::{AcceptedCredentials, AuthSettings},
    base::{
        spec::{AuthMode, IdempotencyMode},
        start_error::StartError,
    },
    quota::{QuotaRules, QuotaSettings, RegisteredMethods},
    service::registry::{Linked, Method, Registry},
};

/// Warns of methods that require an idempotency key when there is no store. Repeating such a call
/// does harm, and nothing prevents it.
pub(super) fn warn_unhonoured_keys(registry: &Registry, honours_keys: bool) {
    let wants_key = |method: &&Arc<Method>| method.spec.idempotency == IdempotencyMode::Required;
    if !honours_keys && let Some(method) = registry.methods().find(wants_key) {
        tracing::warn!(
            method = method.path(),
            "method requires idempotency keys, which have no effect without `[store]`"
        );
    }
}

/// Rejects a gateway that everybody can call, unless it listens on loopback or is configured to
/// (SEMANTICS §4).
pub(super) fn check_protected(
    registry: &Registry,
    settings: &AuthSettings,
    accepted: AcceptedCredentials,
    address: SocketAddr,
) -> Result<(), StartError> {
    if accepted.any() {
        return Ok(());
    }
    if !address.ip().is_loopback() && !settings.allow_anonymous {
        return Err(StartError::new(format!(
            "`http.listen` ({address}) is reachable from other machines, and no authentication is \
             configured\n\
             help: configure keys of tokens (`auth.internal_key` or `INTERNAL_GATEWAY_KEY`, \
             `auth.jwt.keys`, `auth.jwt.jwks_url`) or API keys (`auth.keys`), listen on loopback, \
             or allow anonymous callers with `auth.allow_anonymous = true`"
        )));
    }
    let closed: Vec<_> = registry
        .methods()
        .filter(|method| method.auth() == AuthMode::Required)
        .map(|m| m.path())
        .collect();
    if !closed.is_empty() {
        tracing::warn!(
            methods = closed.join(" "),
            "methods require a caller, and without [auth] all their calls are rejected"
        );
    }
    Ok(())
}

/// Returns the names of sections and quotas that nothing linked has: a typing mistake, or a crate
/// that is not linked.
pub(super) fn unknown_names<'s>(
    services: impl Iterator<Item = &'s String>,
    providers: impl Iterator<Item = &'s String>,
    quota: Option<&QuotaSettings>,
) -> Vec<String> {
    let Linked { services: known_services, providers: known_providers, methods } = Linked::read();
    let methods: RegisteredMethods = methods.into();
    let mut problems = unknown("services", services, &known_services);
    problems.extend(unknown("providers", providers, &known_providers));
    let of_quota = quota.into_iter().flat_map(|quota| QuotaRules::unknown_names(quota, &methods));
    problems.extend(of_quota.map(|problem| format!("[quota]: {problem}")));
    problems
}

/// Returns the unknown names of a tree that is not valid as settings.
pub(super) fn unknown_names_in(tree: &Value) -> Vec<String> {
    let keys = |section: &str| {
        tree.get(section).and_then(Value::as_object).into_iter().flat_map(|section| section.keys())
    };
    let quota = tree.get("quota").and_then(|quota| serde_json::from_value(quota.clone()).ok());
    unknown_names(keys("services"), keys("providers"), quota.as_ref())
}

fn unknown<'s>(kind: &str, names: impl Iterator<Item = &'s String>, known: &[&str]) -> Vec<String> {
    let unknown = names.filter(|name| !known.contains(&name.as_str()));
    let noun = kind.trim_end_matches('s');
    let problem = |name: &String| {
        let help = did_you_mean(noun, name, known.iter().copied());
        format!("`{kind}.{name}` in the configuration: no {noun} has this name{help}")
    };
    unknown.map(problem).collect()
}
