//! Whether an idempotency key has an effect on a method.

use crate::{
    base::spec::{Effect, IdempotencyMode},
    service::{into_reply::ReplyShape, registry::Method},
};

/// Returns whether an idempotency key has an effect: the gateway stores the reply under it, or a
/// provider may be sent it (`keyed`).
pub(super) fn takes_key(method: &Method) -> bool {
    let spec = method.spec;
    let is_kept = spec.effect != Effect::Read && !matches!(method.answer, ReplyShape::Items(_));
    let mut methods = method.capabilities.iter().flat_map(|capability| capability.methods);
    let is_passed_on = methods.any(|method| method.effect == Effect::Keyed);
    spec.webhook.is_none() && spec.idempotency != IdempotencyMode::None && (is_kept || is_passed_on)
}
