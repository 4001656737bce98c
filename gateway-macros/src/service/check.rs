//! The rules for a service beyond the syntax of its arguments, and the defaults.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{ItemImpl, ItemStruct, Signature, Type};

use super::conflicts;
use super::input::{self, Types};
use super::model::{CacheScope, Idempotency, Method, Service, Verb};
use super::parse::{MethodArgs, ServiceArgs};
use crate::attr::ArgumentValue;
use crate::effect::Effect;
use crate::errors::Errors;
use crate::{item, literal, naming};

/// Checks a struct with `#[service(…)]`. An invalid argument counts as absent, so that the service
/// exists nevertheless.
pub(super) fn service(
    item: &ItemStruct,
    args: ServiceArgs,
    errors: &mut Errors,
) -> Option<Service> {
    if !item.generics.params.is_empty() {
        errors.at(
            &item.generics,
            "a service is not generic: it stands at one address",
            "name the types in its fields, or write a service for each",
        );
        return None;
    }
    conflicts::requires_caller(args.auth.as_ref(), args.scopes.as_ref(), "scopes", errors);
    Some(Service {
        ident: item.ident.clone(),
        vis: item.vis.clone(),
        fields: item.fields.clone(),
        name: args.name.map_or_else(|| naming::default_name(&item.ident), |name| name.value),
        version: args.version.map_or(1, |version| version.value),
        title: args.title.map_or_else(|| naming::default_title(&item.ident), |title| title.value),
        description: naming::description(&item.attrs),
        strategy: args.strategy.map(|strategy| strategy.value),
        auth: args.auth.map(|auth| auth.value),
        scopes: args.scopes.map_or_else(Vec::new, |scopes| scopes.value),
    })
}

/// Returns whether the methods of the impl block can be collected.
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

/// Reports an impl block without an exposed method, a mistake that would otherwise appear only as a
/// 404.
pub(super) fn nothing_exposed(item: &ItemImpl, errors: &mut Errors) {
    errors.at(
        &item.self_ty,
        "this `#[service] impl` exposes no method",
        "mark one: `#[expose_method(GET)] async fn …`",
    );
}

/// Returns whether no earlier method has the same name. The compiler reports two methods with one
/// Rust name.
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
            format_args!(
                "`{}` is exposed as `{}`, and so is `{}`",
                method.ident, method.name, other.ident
            ),
            "give one of the two another name: `name = \"…\"`",
        );
    }
    false
}

/// Returns whether two methods share an address. Webhooks have addresses of their own.
fn same_address(one: &Method, other: &Method) -> bool {
    one.name == other.name && one.webhook.is_some() == other.webhook.is_some()
}

/// Reports a function called `client`, the name of the generated constructor, and renames it, so
/// that the compiler does not report the duplicate a second time.
pub(super) fn not_the_client(method: &mut item::Method, errors: &mut Errors) {
    let ident = &mut method.sig.ident;
    if ident == "client" {
        errors.at(
            &*ident,
            "a service has a function `client` already: it makes the typed client",
            "call this one something else; with `name = \"client\"` an exposed method keeps its \
             address",
        );
        *ident = Ident::new("client_", ident.span());
    }
}

/// Checks a method with `#[expose_method(…)]`. Returns `None` if its signature is invalid.
pub(super) fn method(
    service: &Type,
    method: &item::Method,
    args: MethodArgs,
    errors: &mut Errors,
) -> Option<Method> {
    let item::Method { attrs, sig, .. } = method;
    let types = input::types(service, sig, args.verb.as_ref(), errors);
    let effect = conflicts::effect_of(&args, errors);
    let name = name(sig, args.name.as_ref(), errors);
    let default_idempotency = match effect {
        Effect::Read => Idempotency::None,
        _ if args.webhook.is_some() => Idempotency::None,
        _ => Idempotency::Optional,
    };
    let cache_scope = args.cache_scope.map_or(CacheScope::Account, |scope| scope.value);
    types.map(|Types { arguments, output }| Method {
        cfgs: method.cfgs(),
        attrs: attrs.clone(),
        ident: sig.ident.clone(),
        verb: args.verb.map_or(Verb::Get, |verb| verb.value),
        name,
        title: args.title.map_or_else(|| naming::default_title(&sig.ident), |title| title.value),
        description: naming::description(attrs),
        effect,
        price: args.price,
        cache: args.cache.map(|cache| (cache.value, cache_scope)),
        quota: args.quota.map(|quota| quota.value),
        idempotency: args.idempotency.map_or(default_idempotency, |idempotency| idempotency.value),
        auth: args.auth.map(|auth| auth.value),
        scopes: args.scopes.map_or_else(Vec::new, |scopes| scopes.value),
        errors: args.errors.map_or_else(Vec::new, |errors| errors.value),
        strategy: args.strategy.map(|strategy| strategy.value),
        timeout: args.timeout.map(|timeout| timeout.value),
        webhook: args.webhook.map(|secret| secret.value),
        deprecated: args.deprecated || attrs.iter().any(|attr| attr.path().is_ident("deprecated")),
        arguments,
        inputs: sig.paren_token.span.join(),
        output,
    })
}

/// Returns the declared name, otherwise the function's own name; reports a name that no address can
/// hold.
fn name(sig: &Signature, given: Option<&ArgumentValue<String>>, errors: &mut Errors) -> String {
    if let Some(given) = given {
        return given.value.clone();
    }
    let name = item::bare(&sig.ident);
    if let Err(wrong) = literal::name(&name) {
        errors.at(&sig.ident, wrong.what, "give it one: `name = \"…\"`");
    }
    name
}
