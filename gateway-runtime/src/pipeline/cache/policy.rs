//! The cache policy of a method: its keys, its lifetimes (fresh, stale while revalidating, stale if error) and the response
//! fields of caching (RFC 9111, RFC 5861, RFC 9211).

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
    pipeline::Invocation,
    service::{argument::ReplyShape, registry::Method},
};

/// RFC 9211.
const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// What an answer may differ by, for caches between the gateway and the client.
const VARY: HeaderValue = HeaderValue::from_static("authorization, x-api-key");

/// The terms of one method.
#[derive(Debug)]
pub(super) struct CachePolicy {
    keys: KeySpace,
    is_global: bool,
    answer: ReplyShape,
    ttl: Duration,
    /// So old an answer may be while it is being made anew.
    stale_while_revalidate: Duration,
    /// So old an answer may be when it cannot be made anew.
    stale_if_error: Duration,
    /// What caches between the gateway and the client may do with answers; GET alone is theirs to keep.
    for_others: Option<(HeaderValue, bool)>,
}

/// What may be done with an answer of some age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freshness {
    /// It is given.
    Fresh,
    /// It is given, and made anew.
    Revalidate,
    /// It is given if it cannot be made anew.
    IfError,
    /// Nothing.
    None,
}

impl CachePolicy {
    /// Those of a method that is cached; a stream cannot be.
    pub(super) fn of(method: &Method, settings: &CacheSettings) -> Option<Self> {
        let cache = method.spec.cache?;
        if matches!(method.answer, ReplyShape::Items(_)) {
            return None;
        }
        let is_global = cache.scope == CacheScope::Global;
        // What somebody is to pay for, or may not be seen by all, is not for caches that serve all.
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

    /// The key of a call's answer.
    pub(super) fn key(&self, Invocation { request, .. }: &Invocation) -> CacheKey {
        self.keys.key(self.is_global, request.call.caller().account(), &request.input)
    }

    /// What may be done with an answer of this age.
    pub(super) fn judge(&self, age: Duration) -> Freshness {
        match age {
            age if age < self.ttl => Freshness::Fresh,
            age if age < self.stale_while_revalidate => Freshness::Revalidate,
            age if age < self.stale_if_error => Freshness::IfError,
            _ => Freshness::None,
        }
    }

    /// For how long an answer is of any use.
    pub(super) fn kept(&self) -> Duration {
        self.stale_while_revalidate.max(self.stale_if_error)
    }

    /// The answer that was kept.
    pub(super) fn reply(&self, body: Bytes) -> Reply {
        match self.answer {
            ReplyShape::Raw(media) => Reply::Raw(media, body),
            ReplyShape::Json(_) => Reply::Json(body),
            ReplyShape::Empty | ReplyShape::Items(_) => Reply::Empty,
        }
    }

    /// Tells the client where its answer comes from, and how old it is if it was not made just now.
    pub(super) fn add_cache_headers(&self, call: &Call, status: CacheStatus, age: Duration) {
        if call.origin() != Origin::Http {
            return;
        }
        let mut text = String::with_capacity(64);
        // Writing to a text does not fail.
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

/// Ages are told in whole seconds, and no answer is kept for longer than these hold.
fn seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

/// Tells the client that there was nothing to give it.
pub(super) fn tell_of_nothing(call: &Call, why: ForwardReason) {
    if call.origin() == Origin::Http
        && let Ok(text) = HeaderValue::try_from(format!("gateway; {}", why.words()))
    {
        call.add_response_header(CACHE_STATUS, text);
    }
}

/// Why a call goes to its method (RFC 9211 §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ForwardReason {
    /// Its client wants nothing kept.
    Bypass,
    /// Its client wants it made.
    Request,
    /// There is no answer.
    Miss,
    /// There is one, which is too old.
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

/// How a call came to its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CacheStatus {
    /// It was there; a time to live below zero tells that it is stale.
    Hit,
    /// It was made.
    Made { why: ForwardReason, kept: bool },
    /// It was made for another call meanwhile.
    Collapsed(ForwardReason),
    /// It was there and too old, and could not be made anew: that ended with this status.
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
/// Returns the keys of a method: its service, version, name and schemas are in each.
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
