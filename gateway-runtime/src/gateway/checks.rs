//! What is looked at before a gateway serves: whether it keeps what its methods ask for, and out whom it must.

use std::{net::SocketAddr, sync::Arc};

use crate::{
    app::StartError,
    auth::{Accepted, AuthSettings},
    registry::{Method, Registry},
    spec::{Auth, Idempotency},
};

/// A method that wants a key says that repeating it does harm; without books nothing keeps that from happening.
pub(super) fn warn_of_unhonoured(registry: &Registry, has_books: bool) {
    let wants_key = |method: &&Arc<Method>| method.spec.idempotency == Idempotency::Required;
    if !has_books && let Some(method) = registry.methods().find(wants_key) {
        tracing::warn!(method = method.path(), "wants idempotency keys, which are not honoured without `[store]`");
    }
}

/// A gateway that everybody may call is either for this machine alone, or meant to be.
pub(super) fn check_protected(
    registry: &Registry,
    settings: &AuthSettings,
    accepted: Accepted,
    address: SocketAddr,
) -> Result<(), StartError> {
    if accepted.any() {
        return Ok(());
    }
    if !address.ip().is_loopback() && !settings.allow_anonymous {
        return Err(StartError::new(format!(
            "other machines can reach http.listen ({address}), and nothing tells who is calling: configure keys of \
             tokens (auth.internal_key or INTERNAL_GATEWAY_KEY, auth.jwt.keys, auth.jwt.jwks_url) or API keys \
             (auth.keys), listen on loopback, or let everybody in with auth.allow_anonymous = true"
        )));
    }
    let closed: Vec<_> =
        registry.methods().filter(|method| method.auth() == Auth::Required).map(|m| m.path()).collect();
    if !closed.is_empty() {
        tracing::warn!(methods = closed.join(" "), "these require a caller, and without [auth] refuse everybody");
    }
    Ok(())
}
