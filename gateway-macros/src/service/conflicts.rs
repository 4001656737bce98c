//! Arguments of `#[expose_method]` that contradict one another, and the reasons.

use proc_macro2::TokenStream;

use super::model::{Auth, Idempotency, Verb};
use super::parse::MethodArgs;
use crate::attr::ArgumentValue;
use crate::effect::Effect;
use crate::errors::Errors;

/// Reports every contradiction and returns the effect of the method.
pub(super) fn effect_of(args: &MethodArgs, errors: &mut Errors) -> Effect {
    let effect = effect(args.verb.as_ref(), args.effect.as_ref(), errors);
    if args.webhook.is_some() {
        webhook(args, errors);
    } else {
        requires_caller(args.auth.as_ref(), args.scopes.as_ref(), "scopes", errors);
        requires_caller(args.auth.as_ref(), args.price.as_ref(), "price", errors);
        // Without a valid HTTP method the effect is unknown, and so is what conflicts with it.
        if let Some(effect) = effect {
            cache(effect, args, errors);
            idempotency(effect, args.idempotency.as_ref(), errors);
        }
    }
    effect.unwrap_or(Effect::Read)
}

/// Determines the effect. What HTTP promises of a method cannot be revoked (RFC 9110 §9.2):
/// browsers, proxies and clients rely on it.
fn effect(
    verb: Option<&ArgumentValue<Verb>>,
    effect: Option<&ArgumentValue<Effect>>,
    errors: &mut Errors,
) -> Option<Effect> {
    let (verb, effect) = match (verb.map(|verb| verb.value), effect) {
        (Some(verb), Some(effect)) => (verb, effect),
        (Some(verb), None) => return Some(verb.effect()),
        (None, effect) => return effect.map(|effect| effect.value),
    };
    let name = verb.as_str();
    let wrong = match (verb, effect.value) {
        (Verb::Get, Effect::Read) | (Verb::Post, _) => None,
        (Verb::Get, _) => Some((
            "a GET changes nothing: browsers, caches and crawlers send it when they like (RFC 9110 \
             §9.2.1)".to_owned(),
            "expose it as POST, or leave `effect` out",
        )),
        (_, Effect::Read) => Some((
            format!("a {name} changes something"),
            "a method that only reads is a GET, or a POST with `effect = read` when its input is a \
             body",
        )),
        (Verb::Put | Verb::Delete, Effect::Once) => Some((
            format!("a {name} may be sent again by any client or proxy on the way (RFC 9110 \
                     §9.2.2)"),
            "expose it as POST, or leave `effect` out",
        )),
        (Verb::Put | Verb::Delete | Verb::Patch, _) => None,
    };
    if let Some((wrong, help)) = wrong {
        errors.at(&effect.at, wrong, help);
        return Some(verb.effect());
    }
    Some(effect.value)
}

/// Reports an argument that requires a caller beside an `auth` that admits anonymous callers.
pub(super) fn requires_caller<T>(
    auth: Option<&ArgumentValue<Auth>>,
    asks: Option<&ArgumentValue<T>>,
    name: &str,
    errors: &mut Errors,
) {
    let (Some(auth), Some(_)) = (auth, asks) else {
        return;
    };
    let word = match auth.value {
        Auth::Required => return,
        Auth::Optional => "optional",
        Auth::None => "none",
    };
    errors.at(
        &auth.at,
        format_args!("`auth = {word}` lets strangers in, and `{name}` needs to know the caller"),
        format_args!("write `auth = required`, or leave `{name}` out"),
    );
}

fn cache(effect: Effect, args: &MethodArgs, errors: &mut Errors) {
    match (&args.cache, &args.cache_scope) {
        (Some(cache), _) if effect != Effect::Read => errors.at(
            &cache.at,
            "only a method that changes nothing can be answered from a cache",
            "leave `cache` out, or say `effect = read` on a POST that only reads",
        ),
        (None, Some(scope)) if !args.caches => errors.at(
            &scope.at,
            "`cache_scope` says for whom a cached answer is good, and nothing is cached",
            "say for how long: `cache = \"60s\"`",
        ),
        _ => {}
    }
}

fn idempotency(
    effect: Effect,
    idempotency: Option<&ArgumentValue<Idempotency>>,
    errors: &mut Errors,
) {
    if let Some(given) = idempotency
        && effect == Effect::Read
        && given.value != Idempotency::None
    {
        errors.at(
            &given.at,
            "a method that changes nothing can be called again without an idempotency key",
            "leave `idempotency` out",
        );
    }
}

/// Reports arguments that conflict with `webhook`. The sender of a webhook is the provider: it
/// holds a secret and no account, and sends no headers of ours.
fn webhook(args: &MethodArgs, errors: &mut Errors) {
    if let Some(given) = &args.verb
        && given.value != Verb::Post
    {
        errors.at(
            &given.at,
            format_args!("a webhook is delivered by POST, not by {}", given.value.as_str()),
            "write `#[expose_method(POST, webhook = …)]`",
        );
    }
    let beside = [
        (at(args.auth.as_ref()), "auth", "its signature is its authentication"),
        (at(args.scopes.as_ref()), "scopes", "its sender has a secret and no scopes"),
        (at(args.price.as_ref()), "price", "its sender has no account to charge"),
        (at(args.cache.as_ref()), "cache", "each delivery is news"),
        (at(args.cache_scope.as_ref()), "cache_scope", "each delivery is news"),
        (
            at(args.idempotency.as_ref()),
            "idempotency",
            "its sender sends no `Idempotency-Key`; tell repeated deliveries apart by the event's \
             own id",
        ),
    ];
    for (at, name, why) in beside {
        if let Some(at) = at {
            errors.at(at, format_args!("a webhook has no `{name}`: {why}"), "leave it out");
        }
    }
}

fn at<T>(given: Option<&ArgumentValue<T>>) -> Option<&TokenStream> {
    given.map(|given| &given.at)
}
