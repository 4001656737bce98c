//! Declarations of attributes, as constants: the vocabulary that the macros, the registry and the
//! published documents share.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::base::{error::Code, money::Money};

/// The place of a declaration in an author's source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceLocation {
    /// File, as the compiler names it.
    pub file: &'static str,
    /// Line, from 1.
    pub line: u32,
}

impl fmt::Display for SourceLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// The effect of a capability method or an exposed method (SEMANTICS §3): whether a call, or an
/// attempt at a provider, can be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// The method changes nothing.
    Read,
    /// Repeating the call changes nothing more.
    Idempotent,
    /// The provider de-duplicates by a key that the gateway sends.
    Keyed,
    /// Repeating the call executes it again.
    Once,
}

/// The HTTP method of an exposed method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verb {
    /// `GET`, with input from the query string.
    Get,
    /// `POST`, with input from a JSON body.
    Post,
    /// `PUT`, with input from a JSON body.
    Put,
    /// `PATCH`, with input from a JSON body.
    Patch,
    /// `DELETE`, with input from the query string.
    Delete,
}

impl Verb {
    /// Returns the method as it stands in a request line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Returns whether the input is in the query string rather than in a JSON body.
    #[must_use]
    pub const fn has_query_input(self) -> bool {
        matches!(self, Self::Get | Self::Delete)
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The authentication mode of a method: whether a caller must be authenticated (SEMANTICS §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthMode {
    /// Authentication is required: calls without a valid identity are refused.
    Required,
    /// Authentication is optional: an identity is used if there is one.
    Optional,
    /// Authentication is off: identities are ignored.
    None,
}

/// The idempotency mode of a method: whether calls carry an idempotency key (SEMANTICS §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum IdempotencyMode {
    /// A key is required: calls without one are refused.
    Required,
    /// A key is optional: it is honoured if there is one.
    Optional,
    /// Keys are ignored.
    None,
}

/// The scope of a cached reply: the callers that may receive it (SEMANTICS §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheScope {
    /// The account whose call stored the reply.
    Account,
    /// Every caller.
    Global,
}

/// The cache declaration of a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheSpec {
    /// Time for which a cached reply is fresh.
    pub ttl: Duration,
    /// Callers that may receive a cached reply.
    pub scope: CacheScope,
}

/// The quota of an account for a method (SEMANTICS §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaSpec {
    /// Number of calls that are allowed in each period.
    pub calls: u64,
    /// Length of the period.
    pub per: Duration,
}

/// The authentication of a webhook's sender: HMAC-SHA256, in the form of Standard Webhooks 1.0.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebhookSpec {
    /// Name of the secret, in `[secrets]` or the environment; never its value.
    pub secret: &'static str,
}

/// The declaration of a service, from `#[service]` on a struct.
#[derive(Debug)]
pub struct ServiceSpec {
    /// Name, as it stands in addresses.
    pub name: &'static str,
    /// Version, as it stands in addresses, from 1.
    pub version: u32,
    /// Title for people.
    pub title: &'static str,
    /// Description from the doc comment; empty without one.
    pub description: &'static str,
    /// Authentication mode of methods that declare none; `None` when the service declares none
    /// either.
    pub auth: Option<AuthMode>,
    /// Scopes that each method requires of a caller, besides the method's own.
    pub scopes: &'static [&'static str],
    /// Place of the declaration in the source.
    pub source: SourceLocation,
}

/// The declaration of a method, from `#[expose_method]`.
#[derive(Debug)]
pub struct MethodSpec {
    /// Name, as it stands in addresses.
    pub name: &'static str,
    /// HTTP method.
    pub verb: Verb,
    /// Title for people.
    pub title: &'static str,
    /// Description from the doc comment; empty without one.
    pub description: &'static str,
    /// Effect of a call.
    pub effect: Effect,
    /// Price of a fulfilled call, which the account pays; `None` for a method that declares none.
    pub price: Option<Money>,
    /// Cache declaration; `None` without one.
    pub cache: Option<CacheSpec>,
    /// Quota declaration; `None` without one.
    pub quota: Option<QuotaSpec>,
    /// Idempotency mode.
    pub idempotency: IdempotencyMode,
    /// Authentication mode; `None` when the method declares none.
    pub auth: Option<AuthMode>,
    /// Scopes that the method requires of a caller, besides the service's.
    pub scopes: &'static [&'static str],
    /// Codes of the author's own with which the method can fail.
    pub errors: &'static [Code],
    /// Time limit of a whole call; `None` for the configured one.
    pub timeout: Option<Duration>,
    /// Webhook declaration: the authentication of its sender; `None` for a method that is no
    /// webhook.
    pub webhook: Option<WebhookSpec>,
    /// Deprecation: callers are advised to stop using the method.
    pub deprecated: bool,
    /// Place of the declaration in the source.
    pub source: SourceLocation,
}

impl MethodSpec {
    /// Returns the method's path: `/services/{service}/v{version}/{method}`, or the webhook's
    /// address.
    #[must_use]
    pub fn path(&self, service: &ServiceSpec) -> String {
        let webhooks = if self.webhook.is_some() { "_webhooks/" } else { "" };
        format!("/services/{webhooks}{}/v{}/{}", service.name, service.version, self.name)
    }

    /// Creates the declaration of a method from its name and HTTP method alone; the macros set the
    /// other fields by struct update.
    #[must_use]
    pub const fn new(name: &'static str, verb: Verb, source: SourceLocation) -> Self {
        Self {
            name,
            verb,
            title: name,
            description: "",
            effect: match verb {
                Verb::Get => Effect::Read,
                Verb::Put | Verb::Delete => Effect::Idempotent,
                Verb::Post | Verb::Patch => Effect::Once,
            },
            price: None,
            cache: None,
            quota: None,
            idempotency: IdempotencyMode::Optional,
            auth: None,
            scopes: &[],
            errors: &[],
            timeout: None,
            webhook: None,
            deprecated: false,
            source,
        }
    }
}

impl MethodSpec {
    /// Returns the address of the declaration in memory, which tables of methods use as their key.
    pub(crate) fn identity(&'static self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

/// The declaration of a capability, from `#[capability]` on a trait.
#[derive(Debug)]
pub struct CapabilitySpec {
    /// Name of the trait.
    pub name: &'static str,
    /// Description from the doc comment; empty without one.
    pub description: &'static str,
    /// Methods, in the order of the trait.
    pub methods: &'static [CapabilityMethodSpec],
    /// Place of the declaration in the source.
    pub source: SourceLocation,
}

/// The declaration of a capability's method, from `#[provide_method]`.
#[derive(Debug)]
pub struct CapabilityMethodSpec {
    /// Name of the method.
    pub name: &'static str,
    /// Description from the doc comment; empty without one.
    pub description: &'static str,
    /// Effect of an attempt.
    pub effect: Effect,
}

/// The declaration of a provider, from `#[provider]` on a struct.
#[derive(Debug)]
pub struct ProviderSpec {
    /// Name in the configuration, the log and `/meta`.
    pub name: &'static str,
    /// Title for people.
    pub title: &'static str,
    /// Description from the doc comment; empty without one.
    pub description: &'static str,
    /// Place of the declaration in the source.
    pub source: SourceLocation,
}
