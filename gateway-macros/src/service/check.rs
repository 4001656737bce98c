//! Says what is wrong with a service beyond the form of its arguments, and fills in the defaults.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{ItemImpl, ItemStruct, Type};

use super::model::{Auth, CacheScope, Idempotency, Method, Service, Verb};
use super::parse::{MethodArgs, ServiceArgs};
use crate::attr::Given;
use crate::boxed::output_of;
use crate::effect::Effect;
use crate::errors::Errors;
use crate::signature::{self, Rules};
use crate::{item, literal, text};

const RULES: Rules = Rules {
    what: "an exposed method",
    no_generics: "name the types: they become the schema of the method",
    returns: "write `-> Result<()>` if there is nothing to answer",
};

/// A struct with `#[service(…)]`. A wrong argument counts as left out, so that the service is one all the same.
pub(super) fn service(item: &ItemStruct, args: ServiceArgs, errors: &mut Errors) -> Option<Service> {
    if !item.generics.params.is_empty() {
        errors.at(
            &item.generics,
            "a service is not generic: it stands at one address",
            "name the types in its fields, or write a service for each",
        );
        return None;
    }
    known_caller(args.auth.as_ref(), args.scopes.as_ref(), "scopes", errors);
    Some(Service {
        ident: item.ident.clone(),
        vis: item.vis.clone(),
        fields: item.fields.clone(),
        name: args.name.map_or_else(|| text::default_name(&item.ident), |name| name.value),
        version: args.version.map_or(1, |version| version.value),
        title: args.title.map_or_else(|| text::default_title(&item.ident), |title| title.value),
        description: text::description(&item.attrs),
        strategy: args.strategy.map(|strategy| strategy.value),
        auth: args.auth.map(|auth| auth.value),
        scopes: args.scopes.map_or_else(Vec::new, |scopes| scopes.value),
    })
}

/// Whether the impl block is one whose methods can be collected.
pub(super) fn block(item: &ItemImpl, errors: &mut Errors) -> bool {
    if let Some((path, _)) = &item.trait_ {
        errors.at(
            path,
            "`#[service]` collects the methods of a struct's own impl block, not those of a trait",
            format_args!("write `#[service] impl {} {{ … }}`", item.self_ty.to_token_stream()),
        );
        return false;
    }
    if !item.generics.params.is_empty() {
        errors.at(
            &item.generics,
            "a service is not generic: it stands at one address",
            "name the types, or write a service for each",
        );
        return false;
    }
    true
}

/// An impl block without a single exposed method is a mistake that would otherwise only show as a 404.
pub(super) fn nothing_exposed(item: &ItemImpl, errors: &mut Errors) {
    errors.at(
        &item.self_ty,
        "this `#[service] impl` exposes no method",
        "mark one: `#[expose_method(GET)] async fn …`",
    );
}

/// Whether no method before it has its name. Two of one Rust name are the compiler's to report.
pub(super) fn unique(method: &Method, before: &[Method], errors: &mut Errors) -> bool {
    let Some(other) = before.iter().find(|other| same_address(method, other)) else {
        return true;
    };
    let either_may_be_absent = !method.cfgs.is_empty() || !other.cfgs.is_empty();
    if either_may_be_absent {
        return true;
    }
    if other.ident != method.ident {
        errors.at(
            &method.ident,
            format_args!("`{}` is exposed as `{}`, and so is `{}`", method.ident, method.name, other.ident),
            "give one of the two another name: `name = \"…\"`",
        );
    }
    false
}

/// Webhooks have addresses of their own.
fn same_address(one: &Method, other: &Method) -> bool {
    one.name == other.name && one.webhook.is_some() == other.webhook.is_some()
}

/// Whether a function has the name that ours has. It goes by another then: that it is the second of its name is told once.
pub(super) fn not_the_client(method: &mut item::Method, errors: &mut Errors) {
    let ident = &mut method.sig.ident;
    if ident == "client" {
        errors.at(
            &*ident,
            "a service has a function `client` already: it makes the typed client",
            "call this one something else; with `name = \"client\"` an exposed method keeps its address",
        );
        *ident = Ident::new("client_", ident.span());
    }
}

/// A method with `#[expose_method(…)]`; none if its signature is of no use.
pub(super) fn method(service: &Type, method: &item::Method, args: MethodArgs, errors: &mut Errors) -> Option<Method> {
    let item::Method { attrs, sig, .. } = method;
    let verb = args.verb.as_ref().map_or(Verb::Get, |verb| verb.value);
    let usable = signature::check(sig, &RULES, errors);
    let arguments = sig.inputs.iter().filter_map(signature::typed);
    let arguments: Vec<Type> = arguments.map(|argument| item::without_self(argument, service)).collect();
    let usable = by_value(&arguments, errors) && usable;
    let usable = args.verb.is_none() || query_input(verb, &arguments, errors) && usable;

    let effect = effect(args.verb.as_ref(), args.effect.as_ref(), errors);
    if args.webhook.is_some() {
        webhook(verb, &args, errors);
    } else {
        known_caller(args.auth.as_ref(), args.scopes.as_ref(), "scopes", errors);
        known_caller(args.auth.as_ref(), args.price.as_ref(), "price", errors);
        cache(effect, &args, errors);
        idempotency(effect, args.idempotency.as_ref(), errors);
    }

    let default_name = item::bare(&sig.ident);
    let name = args.name.map(|name| name.value).or_else(|| match literal::name(&default_name) {
        Ok(name) => Some(name),
        Err(wrong) => {
            errors.at(&sig.ident, wrong.what, "give it one: `name = \"…\"`");
            None
        }
    })?;
    let default_idempotency = match effect {
        Effect::Read => Idempotency::None,
        _ if args.webhook.is_some() => Idempotency::None,
        _ => Idempotency::Optional,
    };
    let cache_scope = args.cache_scope.map_or(CacheScope::Account, |scope| scope.value);
    usable.then(|| Method {
        cfgs: method.cfgs(),
        attrs: attrs.clone(),
        ident: sig.ident.clone(),
        verb,
        name,
        title: args.title.map_or_else(|| text::default_title(&sig.ident), |title| title.value),
        description: text::description(attrs),
        effect,
        price: args.price,
        cache: args.cache.map(|cache| (cache.value, cache_scope)),
        quota: args.quota.map(|quota| quota.value),
        idempotency: args.idempotency.map_or(default_idempotency, |idempotency| idempotency.value),
        auth: args.auth.map(|auth| auth.value),
        scopes: args.scopes.map_or_else(Vec::new, |scopes| scopes.value),
        strategy: args.strategy.map(|strategy| strategy.value),
        timeout: args.timeout.map(|timeout| timeout.value),
        webhook: args.webhook.map(|secret| secret.value),
        deprecated: args.deprecated || attrs.iter().any(|attr| attr.path().is_ident("deprecated")),
        arguments,
        inputs: sig.paren_token.span.join(),
        output: item::without_self(&output_of(sig), service),
    })
}

/// What HTTP promises of a method cannot be taken back (RFC 9110 §9.2): browsers, proxies and clients rely on it.
fn effect(verb: Option<&Given<Verb>>, effect: Option<&Given<Effect>>, errors: &mut Errors) -> Effect {
    let Some(verb) = verb.map(|verb| verb.value) else {
        return effect.map_or(Effect::Read, |effect| effect.value);
    };
    let Some(effect) = effect else {
        return verb.effect();
    };
    let name = verb.as_str();
    let wrong = match (verb, effect.value) {
        (Verb::Get, Effect::Read) | (Verb::Post, _) => None,
        (Verb::Get, _) => Some((
            "a GET changes nothing: browsers, caches and crawlers send it when they like (RFC 9110 §9.2.1)".to_owned(),
            "expose it as POST, or leave `effect` out",
        )),
        (_, Effect::Read) => Some((
            format!("a {name} changes something"),
            "a method that only reads is a GET, or a POST with `effect = read` when its input is a body",
        )),
        (Verb::Put | Verb::Delete, Effect::Once) => Some((
            format!("a {name} may be sent again by any client or proxy on the way (RFC 9110 §9.2.2)"),
            "expose it as POST, or leave `effect` out",
        )),
        (Verb::Put | Verb::Delete | Verb::Patch, _) => None,
    };
    if let Some((wrong, help)) = wrong {
        errors.at(&effect.at, wrong, help);
        return verb.effect();
    }
    effect.value
}

/// What asks for a caller cannot stand beside what lets strangers in.
fn known_caller<T>(auth: Option<&Given<Auth>>, asks: Option<&Given<T>>, name: &str, errors: &mut Errors) {
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
        (None, Some(scope)) => errors.at(
            &scope.at,
            "`cache_scope` says for whom a cached answer is good, and nothing is cached",
            "say for how long: `cache = \"60s\"`",
        ),
        _ => {}
    }
}

fn idempotency(effect: Effect, idempotency: Option<&Given<Idempotency>>, errors: &mut Errors) {
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

/// The sender of a webhook is the provider: it holds a secret and no account, and sends no headers of ours.
fn webhook(verb: Verb, args: &MethodArgs, errors: &mut Errors) {
    if let Some(given) = &args.verb
        && verb != Verb::Post
    {
        errors.at(
            &given.at,
            format_args!("a webhook is delivered by POST, not by {}", verb.as_str()),
            "write `#[expose_method(POST, webhook = …)]`",
        );
    }
    let at = |given: Option<&dyn ToTokens>| given.map(ToTokens::to_token_stream);
    let beside = [
        (at(args.auth.as_ref().map(|given| &given.at as _)), "auth", "its signature is its authentication"),
        (at(args.scopes.as_ref().map(|given| &given.at as _)), "scopes", "its sender has a secret and no scopes"),
        (at(args.price.as_ref().map(|given| &given.at as _)), "price", "its sender has no account to charge"),
        (at(args.cache.as_ref().map(|given| &given.at as _)), "cache", "each delivery is news"),
        (at(args.cache_scope.as_ref().map(|given| &given.at as _)), "cache_scope", "each delivery is news"),
        (
            at(args.idempotency.as_ref().map(|given| &given.at as _)),
            "idempotency",
            "its sender sends no `Idempotency-Key`; tell repeated deliveries apart by the event's own id",
        ),
    ];
    for (at, name, why) in beside {
        if let Some(at) = at {
            errors.at(at, format_args!("a webhook has no `{name}`: {why}"), "leave it out");
        }
    }
}

fn by_value(arguments: &[Type], errors: &mut Errors) -> bool {
    let before = errors.count();
    for argument in arguments {
        if let Type::Reference(reference) = argument {
            let owned = reference.elem.to_token_stream();
            errors.at(
                reference,
                "an exposed method takes its arguments by value",
                format_args!("write `{}`", item::compact(&owned)),
            );
        }
    }
    errors.count() == before
}

/// A query string is a list of named values, so what has no names cannot come from one. What a struct contains is only
/// known from its schema, at start.
fn query_input(verb: Verb, arguments: &[Type], errors: &mut Errors) -> bool {
    let before = errors.count();
    for argument in arguments.iter().filter(|argument| verb.has_query_input() && has_no_names(argument)) {
        errors.at(
            argument,
            format_args!(
                "a {} takes its input from the query string, and `{}` has no named fields",
                verb.as_str(),
                item::compact(argument),
            ),
            "take a struct: `#[model] struct Query { … }`, or expose the method as POST",
        );
    }
    errors.count() == before
}

/// Whether the type is, by its form alone, an input without named fields. None of these can be a type that injects
/// something, since the orphan rule leaves that to the crate which defines it.
fn has_no_names(ty: &Type) -> bool {
    const NAMELESS: &[&str] = &[
        "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32", "f64", "bool",
        "char", "String", "Vec", "VecDeque", "HashSet", "BTreeSet", "HashMap", "BTreeMap",
    ];
    match ty {
        Type::Tuple(_) | Type::Array(_) | Type::Slice(_) => true,
        Type::Paren(inner) => has_no_names(&inner.elem),
        Type::Group(inner) => has_no_names(&inner.elem),
        Type::Path(path) => match path.path.segments.last() {
            Some(last) => NAMELESS.iter().any(|name| last.ident == name),
            None => false,
        },
        _ => false,
    }
}
