//! The cache policy of a method: its keys, its lifetimes (fresh, stale while revalidating, stale if
//! error) and the response fields of caching (RFC 9111, RFC 5861, RFC 9211).

use std::{fmt::Write, time::Duration};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};

use crate::{
    base::{
        call::{Call, Origin},
        reply::Reply,
        spec::{AuthMode, CacheScope, Verb},
    },
    cache::{CacheKey, CacheSettings, KeySpace},
    pipeline::invocation::Invocation,
    service::{into_reply::ReplyShape, registry::Method},
};

/// The field of RFC 9211.
const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// The fields by which a response differs, for caches between the gateway and the client.
const VARY: HeaderValue = HeaderValue::from_static("authorization, x-api-key");

/// The cache policy of one method.
#[derive(Debug)]
pub(super) struct CachePolicy {
    keys: KeySpace,
    is_global: bool,
    answer: ReplyShape,
    ttl: Duration,
    /// The maximum age of a reply that is served while it is revalidated (RFC 5861 §3).
    stale_while_revalidate: Duration,
    /// The maximum age of a reply that is served if its revalidation fails (RFC 5861 §4).
    stale_if_error: Duration,
    /// The `Cache-Control` for caches between the gateway and the client, and whether it is
    /// `public`; none for methods other than GET.
    for_others: Option<(HeaderValue, bool)>,
}

/// The freshness of a cached reply: how it may be used at some age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freshness {
    /// Served.
    Fresh,
    /// Served, and revalidated in the background.
    Revalidate,
    /// Served if a new reply cannot be made.
    IfError,
    /// Expired: never served.
    None,
}

impl CachePolicy {
    /// Creates the policy of a method that is cached; `None` for streams, which cannot be.
    pub(super) fn of(method: &Method, settings: &CacheSettings) -> Option<Self> {
        let cache = method.spec.cache?;
        if matches!(method.answer, ReplyShape::Items(_)) {
            return None;
        }
        let is_global = cache.scope == CacheScope::Global;
        // A shared cache must not hold a reply that is charged, or that is not for everybody.
        let is_public = is_global && method.auth() == AuthMode::None && method.spec.price.is_none();
        let word = if is_public { "public" } else { "private" };
        let control =
            HeaderValue::try_from(format!("{word}, max-age={}", cache.ttl.as_secs())).ok();
        Some(Self {
            keys: key_space(method),
            is_global,
            answer: method.answer.clone(),
            ttl: cache.ttl,
            stale_while_revalidate: cache.ttl + settings.stale_while_revalidate,
            stale_if_error: cache.ttl + settings.stale_if_error,
            for_others: control
                .filter(|_| method.spec.verb == Verb::Get)
                .map(|control| (control, is_public)),
        })
    }

    /// Returns the key of a call's reply.
    pub(super) fn key(&self, Invocation { request, .. }: &Invocation) -> CacheKey {
        self.keys.key(self.is_global, request.call.caller().account(), &request.input)
    }

    /// Returns the freshness of a reply of this age.
    pub(super) fn judge(&self, age: Duration) -> Freshness {
        match age {
            age if age < self.ttl => Freshness::Fresh,
            age if age < self.stale_while_revalidate => Freshness::Revalidate,
            age if age < self.stale_if_error => Freshness::IfError,
            _ => Freshness::None,
        }
    }

    /// Returns the age after which a reply is of no use.
    pub(super) fn kept(&self) -> Duration {
        self.stale_while_revalidate.max(self.stale_if_error)
    }

    /// Creates the reply from a cached body.
    pub(super) fn reply(&self, body: Bytes) -> Reply {
        match self.answer {
            ReplyShape::Raw(media) => Reply::Raw(media, body),
            ReplyShape::Json(_) => Reply::Json(body),
            ReplyShape::Empty | ReplyShape::Items(_) => Reply::Empty,
        }
    }

    /// Adds `Cache-Status`, `Cache-Control` and `Vary`, and `Age` unless the reply is new; for HTTP
    /// only.
    pub(super) fn add_cache_headers(&self, call: &Call, status: CacheStatus, age: Duration) {
        if call.origin() != Origin::Http {
            return;
        }
        let mut text = String::with_capacity(64);
        // Writing to a string cannot fail.
        let _ = match status {
            CacheStatus::Made { kept: false, .. } => write!(text, "gateway; {}", status.words()),
            _ => write!(
                text,
                "gateway; {}; ttl={}",
                status.words(),
                seconds(self.ttl) - seconds(age)
            ),
        };
        if let CacheStatus::Failed { status, .. } = status {
            let _ = write!(text, "; fwd-status={status}; detail=stale-if-error");
        }
        let Ok(text) = HeaderValue::try_from(text) else { return };
        call.update_response_headers(|headers| {
            headers.insert(CACHE_STATUS, text);
            if !matches!(status, CacheStatus::Made { .. }) {
                headers.insert(header::AGE, age.as_secs().into());
            }
            if let Some((control, is_public)) = &self.for_others {
                headers.insert(header::CACHE_CONTROL, control.clone());
                if !is_public {
                    headers.insert(header::VARY, VARY);
                }
            }
        });
    }
}

/// Converts an age or a lifetime to whole seconds, which `Cache-Status` has.
fn seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

/// Adds the `Cache-Status` of a call that has no reply from the cache; for HTTP only.
pub(super) fn tell_of_nothing(call: &Call, why: ForwardReason) {
    if call.origin() == Origin::Http
        && let Ok(text) = HeaderValue::try_from(format!("gateway; {}", why.words()))
    {
        call.add_response_header(CACHE_STATUS, text);
    }
}

/// The reason for which a call is forwarded to its method (RFC 9211 §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ForwardReason {
    /// The client forbids storing the reply.
    Bypass,
    /// The client requires a new reply.
    Request,
    /// The cache has no reply.
    Miss,
    /// The cached reply is too old.
    Stale,
}

impl ForwardReason {
    fn words(self) -> &'static str {
        match self {
            Self::Bypass => "fwd=bypass",
            Self::Request => "fwd=request",
            Self::Miss => "fwd=miss",
            Self::Stale => "fwd=stale",
        }
    }
}

/// The source of a reply, as `Cache-Status` reports it (RFC 9211).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CacheStatus {
    /// A cached reply. A time to live below zero shows that it is stale.
    Hit,
    /// A reply that the method made.
    Made { why: ForwardReason, kept: bool },
    /// A reply that was made for another call at the same time.
    Collapsed(ForwardReason),
    /// A cached reply that is too old, since its revalidation failed with this status.
    Failed { status: u16, collapsed: bool },
}

impl CacheStatus {
    fn words(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Made { why: ForwardReason::Miss, kept: true } => "fwd=miss; stored",
            Self::Made { why: ForwardReason::Stale, kept: true } => "fwd=stale; stored",
            Self::Made { why: ForwardReason::Request, kept: true } => "fwd=request; stored",
            Self::Made { why: ForwardReason::Bypass, .. } => ForwardReason::Bypass.words(),
            Self::Made { why, kept: false } => why.words(),
            Self::Collapsed(ForwardReason::Stale) | Self::Failed { collapsed: true, .. } => {
                "fwd=stale; collapsed"
            }
            Self::Collapsed(_) => "fwd=miss; collapsed",
            Self::Failed { collapsed: false, .. } => "fwd=stale",
        }
    }
}
/// Creates the key space of a method, from its service, version, name and schemas.
fn key_space(method: &Method) -> KeySpace {
    let input =
        method.input.as_ref().map(|input| input.schema.json().to_string()).unwrap_or_default();
    let answer = match &method.answer {
        ReplyShape::Empty => "empty".to_owned(),
        ReplyShape::Json(schema) => format!("json {schema}"),
        ReplyShape::Items(schema) => format!("items {schema}"),
        ReplyShape::Raw(media) => format!("raw {media}"),
    };
    let version = method.service.version.to_string();
    KeySpace::new([method.service.name, &version, method.spec.name, &input, &answer])
}
