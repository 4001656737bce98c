//! The keys of webhooks, from the secrets of the configuration.

use crate::{
    base::{
        secret::Secret,
        spec::{MethodSpec, ServiceSpec},
    },
    edge::http::webhook::WebhookKey,
    service::registry::Linked,
};

/// Returns the problems with the secrets of all linked webhooks. No service is built for this.
pub(crate) fn webhook_problems(secret: impl Fn(&str) -> Option<Secret>) -> Vec<String> {
    let webhooks = Linked::read().methods.into_iter().filter_map(|(service, spec)| {
        let name = spec.webhook.as_ref()?.secret;
        Some(unsigned(service, spec, &key(name, secret(name)).err()?))
    });
    webhooks.collect()
}

/// Returns the problem of a webhook whose signatures cannot be verified.
pub(super) fn unsigned(service: &ServiceSpec, spec: &MethodSpec, why: &str) -> String {
    format!("{} ({}): {why}", spec.path(service), spec.source)
}

pub(super) fn key(name: &str, secret: Option<Secret>) -> Result<WebhookKey, String> {
    let how =
        "set it under `[secrets]` in the configuration, or as an environment variable of that name";
    let secret = secret.ok_or_else(|| {
        format!("its webhooks are signed with the secret `{name}`, which is not set\nhelp: {how}")
    })?;
    WebhookKey::new(&secret).map_err(|why| format!("the secret `{name}` {why}\nhelp: {how}"))
}
