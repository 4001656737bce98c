//! Idempotency keys (draft-ietf-httpapi-idempotency-key-header): a call with a key is executed
//! once, and its repetitions are replays of the stored answer (SEMANTICS §5). A repetition has the
//! same key and the same fingerprint: SHA-256 of the HTTP method and the input in canonical
//! form.
//!
//! A claim is a lease, so a gateway that crashes does not block a key. It is renewed while the call
//! runs, and fenced, so that a gateway which comes back late changes nothing.

pub(super) mod stored_reply;
#[cfg(test)]
mod tests;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures_util::future::{BoxFuture, Either};
use http::{HeaderName, HeaderValue};

use crate::{
    base::{
        call::{Call, Input, Origin, sortable_id},
        digest::digest_hex,
        duration::unix_micros,
        error::{Code, Error},
        reply::Reply,
        spec::{Effect, IdempotencyMode},
    },
    pipeline::{
        call_service::CallService,
        invocation::Invocation,
        optional_layer::{Optional, OptionalLayer, OptionalPart},
        persistence::{AnonymousBytes, Persistence},
        take_ready::take_ready,
    },
    provider::{has_idempotency_key, parse_idempotency_key},
    service::into_reply::ReplyShape,
    store::{Claim, ClaimOutcome, Command},
};

/// The field that marks a replay.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The layer that adds [`Idempotent`].
pub(super) type IdempotentLayer = OptionalLayer<Arc<Persistence>>;

/// The service that lets a call through once for each key, if there is a store.
pub(super) type Idempotent<S> = Optional<S, Arc<Persistence>>;

/// Returns whether a call may have a key: it changes something, and its reply can be stored.
fn honours_keys(invocation: &Invocation) -> bool {
    let Invocation { method, request, .. } = invocation;
    matches!(request.call.origin(), Origin::Http | Origin::Bus)
        && method.spec.effect != Effect::Read
        && method.spec.idempotency != IdempotencyMode::None
        && matches!(method.answer, ReplyShape::Empty | ReplyShape::Json(_) | ReplyShape::Raw(_))
}

/// Returns whether the call may claim a key.
pub(super) fn can_claim_key(invocation: &Invocation) -> bool {
    honours_keys(invocation) && has_idempotency_key(invocation.request.call.headers())
}

impl OptionalPart for Arc<Persistence> {
    type Future<S: CallService> = BoxFuture<'static, Result<Reply, Error>>;

    fn call<S: CallService>(
        &self,
        inner: &mut S,
        invocation: Invocation,
    ) -> Either<S::Future, Self::Future<S>> {
        if !honours_keys(&invocation) {
            return Either::Left(inner.call(invocation));
        }
        let key = match parse_idempotency_key(invocation.request.call.headers()) {
            Ok(Some(key)) => key,
            Ok(None) if invocation.method.spec.idempotency != IdempotencyMode::Required => {
                return Either::Left(inner.call(invocation));
            }
            Ok(None) => return refuse("missing header `Idempotency-Key`"),
            Err(_) => {
                return refuse(
                    "invalid header `Idempotency-Key`; send it once, with 1 to 255 printable ASCII \
                     characters",
                );
            }
        };
        let persistence = Arc::clone(self);
        let mut inner = take_ready(inner);
        Either::Right(Box::pin(async move {
            let claim = claim(&invocation, &key, &persistence);
            let (key, fence) = (Arc::clone(&claim.key), Arc::clone(&claim.fence));
            let (draft, bytes) = (&invocation.draft, claim.bytes);
            draft.claims((Arc::clone(&key), Arc::clone(&fence)));
            match persistence.writer.claim(claim).await {
                Ok(ClaimOutcome::Granted) => {
                    draft.has_claimed(true);
                    persistence.anonymous.add(bytes.unwrap_or(0));
                }
                Ok(other) => {
                    draft.has_claimed(false);
                    return reply_to_claimed(&invocation.request.call, other);
                }
                Err(error) => {
                    if !error.is_ambiguous() {
                        draft.has_claimed(false);
                    }
                    return Err(unavailable(error));
                }
            }
            let renewing = renew(&persistence, key, fence);
            tokio::select! {
                outcome = inner.call(invocation) => outcome,
                never = renewing => match never {},
            }
        }))
    }
}

fn refuse<F>(detail: &'static str) -> Either<F, BoxFuture<'static, Result<Reply, Error>>> {
    Either::Right(Box::pin(async move { Err(Error::new(Code::INVALID_REQUEST, detail)) }))
}

fn unavailable(error: crate::store::StoreError) -> Error {
    Error::new(
        Code::OVERLOADED,
        "the idempotency key cannot be checked now and the call was not executed; retry later",
    )
    .with_log_message(error)
}

/// Returns the reply to a call whose key is not free.
fn reply_to_claimed(call: &Call, claimed: ClaimOutcome) -> Result<Reply, Error> {
    match claimed {
        ClaimOutcome::Done(text) => {
            call.mark_replayed();
            call.add_response_header(REPLAYED, HeaderValue::from_static("true"));
            stored_reply::deserialize(&text)
        }
        ClaimOutcome::Mismatch => Err(Error::new(
            Code::IDEMPOTENCY_MISMATCH,
            "the idempotency key was used with another request; use a new key",
        )),
        ClaimOutcome::InProgress(_) | ClaimOutcome::Granted => Err(Error::new(
            Code::IDEMPOTENCY_CONFLICT,
            "a call with this idempotency key is in progress; retry later",
        )
        .with_retry_after(Duration::from_secs(1))),
        ClaimOutcome::NoRoom => Err(Error::new(
            Code::OVERLOADED,
            "too many idempotency keys of anonymous callers are stored; authenticate, or retry \
             later",
        )),
        ClaimOutcome::Unknown => Err(Error::new(
            Code::OUTCOME_UNKNOWN,
            "the outcome of the call with this idempotency key is unknown; the call is not \
             executed again",
        )),
    }
}

fn claim(invocation: &Invocation, key: &str, persistence: &Persistence) -> Claim {
    let Invocation { method, request, .. } = invocation;
    let call = &request.call;
    let now = SystemTime::now();
    let is_anonymous = call.caller().account().is_none();
    let version = method.service.version.to_string();
    let unique_for = [
        call.caller().account().unwrap_or_default(),
        method.service.name,
        &version,
        method.spec.name,
        key,
    ];
    Claim {
        key: digest_hex(unique_for),
        fingerprint: digest_hex([
            method.spec.verb.as_str().as_bytes(),
            &fingerprint_input(&request.input),
        ]),
        fence: String::from_utf8_lossy(&sortable_id()).into(),
        at: unix_micros(now),
        until: unix_micros(now + persistence.keys.lease),
        once: matches!(method.spec.effect, Effect::Once | Effect::Keyed),
        bytes: is_anonymous.then_some(AnonymousBytes::KEY),
        has_room: !is_anonymous || persistence.anonymous.has_room(persistence.keys.anonymous_bytes),
    }
}

/// Returns the input in canonical form, for the fingerprint. The order of members, whitespace and
/// the order of a query make no difference.
fn fingerprint_input(input: &Input) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Input::Valid(document) = input {
        document.write_canonical(&mut bytes);
    }
    bytes
}

/// Renews a claim for as long as this future is polled.
async fn renew(
    persistence: &Persistence,
    key: Arc<str>,
    fence: Arc<str>,
) -> std::convert::Infallible {
    let lease = persistence.keys.lease;
    loop {
        tokio::time::sleep(lease / 3).await;
        let until = unix_micros(SystemTime::now() + lease);
        let renewal = Command::Renew { key: Arc::clone(&key), fence: Arc::clone(&fence), until };
        if let Err(error) = persistence.writer.write(renewal).await {
            tracing::warn!(%error, "lease of an idempotency key not extended");
        }
    }
}
