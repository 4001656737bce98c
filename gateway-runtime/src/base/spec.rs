//! What attributes declare, as constants: the vocabulary between the macros, the registry and what is published.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::base::{error::Code, money::Money};

/// Where in an author's source something is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceLocation {
    /// The file, as the compiler names it.
    pub file: &'static str,
    /// The line, from 1.
    pub line: u32,
}

impl fmt::Display for SourceLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// What repeating does: may a call, or an attempt at a provider, be made again?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Nothing changes.
    Read,
    /// Repeating changes nothing more.
    Idempotent,
    /// The provider de-duplicates by a key that we send.
    Keyed,
    /// Repeating does it again.
    Once,
}

/// The HTTP method of an exposed method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verb {
    /// Input from the query string.
    Get,
    /// Input from a JSON body.
    Post,
    /// Input from a JSON body.
    Put,
    /// Input from a JSON body.
    Patch,
    /// Input from the query string.
    Delete,
}

impl Verb {
    /// As it stands in a request line.
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

    /// Whether the input is in the query string rather than in a JSON body.
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

/// Whether a caller must be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthMode {
    /// Calls without a valid identity are refused.
    Required,
    /// An identity is used where there is one.
    Optional,
    /// Identities are not looked at.
    None,
}

/// Whether calls carry an idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum IdempotencyMode {
    /// Calls without a key are refused.
    Required,
    /// A key is honoured where there is one.
    Optional,
    /// Keys are not looked at.
    None,
}

/// For whom a cached answer is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheScope {
    /// For the account that caused it.
    Account,
    /// For everybody.
    Global,
}

/// How long an answer may be given again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheSpec {
    /// How long it is fresh.
    pub ttl: Duration,
    /// For whom.
    pub scope: CacheScope,
}

/// How often an account may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaSpec {
    /// So many calls …
    pub calls: u64,
    /// … in each such time.
    pub per: Duration,
}

/// How a webhook's sender proves itself: HMAC-SHA256, in the form of Standard Webhooks 1.0.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebhookSpec {
    /// The name of the secret, in `[secrets]` or the environment; never its value.
    pub secret: &'static str,
}

/// What `#[service]` says of a struct.
#[derive(Debug)]
pub struct ServiceSpec {
    /// In addresses.
    pub name: &'static str,
    /// In addresses, from 1.
    pub version: u32,
    /// For people.
    pub title: &'static str,
    /// From the doc comment; empty without one.
    pub description: &'static str,
    /// For methods that say nothing themselves; none when the service says nothing either.
    pub auth: Option<AuthMode>,
    /// What a caller must hold for each method, besides the method's own.
    pub scopes: &'static [&'static str],
    /// Where.
    pub source: SourceLocation,
}

/// What `#[expose_method]` says of a method.
#[derive(Debug)]
pub struct MethodSpec {
    /// In addresses.
    pub name: &'static str,
    /// The HTTP method.
    pub verb: Verb,
    /// For people.
    pub title: &'static str,
    /// From the doc comment; empty without one.
    pub description: &'static str,
    /// What repeating the call does.
    pub effect: Effect,
    /// What the account pays for a fulfilled call.
    pub price: Option<Money>,
    /// How long answers may be given again.
    pub cache: Option<CacheSpec>,
    /// How often an account may call.
    pub quota: Option<QuotaSpec>,
    /// Whether calls carry an idempotency key.
    pub idempotency: IdempotencyMode,
    /// Whether a caller must be known; none when the method says nothing.
    pub auth: Option<AuthMode>,
    /// What a caller must hold, besides the service's scopes.
    pub scopes: &'static [&'static str],
    /// The codes of the author's own that it fails with.
    pub errors: &'static [Code],
    /// How long a call may take in all, instead of the configured time.
    pub timeout: Option<Duration>,
    /// Whether it is a webhook, and how its sender proves itself.
    pub webhook: Option<WebhookSpec>,
    /// Whether callers are advised to leave it.
    pub deprecated: bool,
    /// Where.
    pub source: SourceLocation,
}

impl MethodSpec {
    /// `/services/{service}/v{version}/{method}`, or the webhook's address.
    #[must_use]
    pub fn path(&self, service: &ServiceSpec) -> String {
        let webhooks = if self.webhook.is_some() { "_webhooks/" } else { "" };
        format!("/services/{webhooks}{}/v{}/{}", service.name, service.version, self.name)
    }

    /// A method that says nothing but its name and HTTP method; the macros set the rest by struct update.
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
    /// Where it stands in the program: what tables of methods are looked up by.
    pub(crate) fn identity(&'static self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

/// What `#[capability]` says of a trait.
#[derive(Debug)]
pub struct CapabilitySpec {
    /// The trait's name.
    pub name: &'static str,
    /// From the doc comment; empty without one.
    pub description: &'static str,
    /// Its methods, in the order of the trait.
    pub methods: &'static [CapabilityMethodSpec],
    /// Where.
    pub source: SourceLocation,
}

/// What `#[provide_method]` says of a trait's method.
#[derive(Debug)]
pub struct CapabilityMethodSpec {
    /// The method's name.
    pub name: &'static str,
    /// From the doc comment; empty without one.
    pub description: &'static str,
    /// What repeating an attempt does.
    pub effect: Effect,
}

/// What `#[provider]` says of a struct.
#[derive(Debug)]
pub struct ProviderSpec {
    /// In the configuration, the log and `/meta`.
    pub name: &'static str,
    /// For people.
    pub title: &'static str,
    /// From the doc comment; empty without one.
    pub description: &'static str,
    /// Where.
    pub source: SourceLocation,
}
