//! The rules for a capability: it is a trait object, implemented by providers and by their pool.

use proc_macro2::Ident;
use quote::{ToTokens, format_ident};
use syn::visit::{self, Visit};
use syn::{FnArg, ItemTrait, Pat, Path, Signature, Type, TypeParamBound, TypeReference};

use super::model::{Argument, Capability, Method};
use super::parse::SAY_EFFECT;
use crate::effect::Effect;
use crate::errors::Errors;
use crate::signature::{self, SignatureRules};
use crate::{item, naming};

const RULES: SignatureRules = SignatureRules {
    what: "a capability's method",
    no_generics: "providers are reached through a trait object, which has no type parameters: name \
                  the types",
    returns: "write `-> Result<(), ProviderError>` if there is nothing to answer",
};

/// Checks the trait itself. Returns `None` if it cannot be a capability.
pub(super) fn capability(item: &ItemTrait, errors: &mut Errors) -> Option<Capability> {
    if let Some(unsafety) = &item.unsafety {
        errors.at(unsafety, "a capability is a safe trait", "leave `unsafe` out");
        return None;
    }
    if !item.generics.params.is_empty() {
        errors.at(
            &item.generics,
            "a capability is not generic: providers are collected for one trait object",
            "name the types, or write a trait for each",
        );
        return None;
    }
    if let Some(clause) = &item.generics.where_clause {
        errors.at(clause, "a capability has no where clause", "leave it out");
        return None;
    }
    Some(Capability { ident: item.ident.clone(), description: naming::description(&item.attrs) })
}

/// Keeps the supertraits that a pool has too, and reports the others.
pub(super) fn supertraits(item: &mut ItemTrait, errors: &mut Errors) {
    let bounds = std::mem::take(&mut item.supertraits);
    for bound in bounds {
        if !is_pool_bound(&bound) {
            errors.at(
                &bound,
                format_args!(
                    "a capability has no supertraits besides `Send` and `Sync`: the pool of its \
                     providers implements it, and \
                     could not implement `{}`",
                    item::compact(&bound)
                ),
                "leave it out; what providers have in common can be a method of the capability",
            );
            continue;
        }
        item.supertraits.push(bound);
    }
    if item.supertraits.is_empty() {
        item.colon_token = None;
    }
}

fn is_pool_bound(bound: &TypeParamBound) -> bool {
    match bound {
        TypeParamBound::Lifetime(lifetime) => lifetime.ident == "static",
        TypeParamBound::Trait(bound) => bound
            .path
            .segments
            .last()
            .is_some_and(|last| last.ident == "Send" || last.ident == "Sync"),
        _ => false,
    }
}

/// Reports a member of the trait that is not a method.
pub(super) fn no_method(what: &str, tokens: &impl ToTokens, errors: &mut Errors) {
    errors.at(
        tokens,
        format_args!(
            "a capability has methods alone, and this is {what}: the pool of its providers could \
             not have one"
        ),
        "leave it out; what a provider knows about itself belongs in its struct",
    );
}

pub(super) fn no_methods(item: &ItemTrait, errors: &mut Errors) {
    errors.at(
        &item.ident,
        "a capability without a method is nothing that a provider could do",
        "add one: `#[provide_method(effect = read)] async fn …(&self) -> Result<…, \
         ProviderError>;`",
    );
}

/// Reports a method with `#[expose_method]`, the helper of a service.
pub(super) fn exposed(helper: &syn::Attribute, errors: &mut Errors) {
    errors.at(
        helper,
        "`#[expose_method]` exposes a service's methods; a capability's methods are called by \
         services",
        SAY_EFFECT,
    );
}

/// Reports a method without `#[provide_method]`.
pub(super) fn missing_helper(method: &item::Method, errors: &mut Errors) {
    let ident = &method.sig.ident;
    errors.at(ident, format_args!("`{ident}` does not say what it does to repeat it"), SAY_EFFECT);
}

/// Checks a method. Returns `None` if it cannot be called through a pool. A missing or invalid
/// effect counts as `once` (SEMANTICS §3: the default).
pub(super) fn method(
    method: &item::Method,
    effect: Option<Effect>,
    errors: &mut Errors,
) -> Option<Method> {
    let sig = &method.sig;
    let before = errors.count();
    signature::check(sig, &RULES, errors);
    for ty in sig.inputs.iter().filter_map(signature::typed) {
        argument(ty, errors);
    }
    if let syn::ReturnType::Type(_, output) = &sig.output {
        answer(output, errors);
    }
    (errors.count() == before).then(|| Method {
        item: method.clone(),
        description: naming::description(&method.attrs),
        effect: effect.unwrap_or(Effect::Once),
        arguments: arguments(sig),
    })
}

fn argument(ty: &Type, errors: &mut Errors) {
    if let Some(path) = OwnType::within(ty) {
        errors.at(
            path,
            "a capability's method takes no `Self`: behind a trait object nobody knows which \
             provider that is",
            "name a type",
        );
    } else if let Type::Reference(TypeReference { mutability: Some(_), elem, .. }) = ty {
        let elem = item::compact(elem);
        errors.at(
            ty,
            "an argument of a capability's method is not changed: the next attempt would see what \
             a failed one left of it",
            format_args!("write `&{elem}`, and return what is new"),
        );
    }
}

fn answer(ty: &Type, errors: &mut Errors) {
    if let Some(path) = OwnType::within(ty) {
        errors.at(
            path,
            "a capability's method returns no `Self`: behind a trait object nobody knows which \
             provider that is",
            "name a type",
        );
    } else if let Some(borrow) = signature::borrow_in(ty) {
        errors.at(
            borrow,
            "what a capability's method returns is owned: the provider that answered is let go of",
            "return an owned type, such as `String` for `&str`",
        );
    }
}

/// Returns the arguments after `&self`. An argument without a usable name gets one.
fn arguments(sig: &Signature) -> Vec<Argument> {
    let typed = sig.inputs.iter().filter_map(|arg| match arg {
        FnArg::Typed(arg) => Some(arg),
        FnArg::Receiver(_) => None,
    });
    typed
        .enumerate()
        .map(|(index, arg)| {
            let ident = match &*arg.pat {
                Pat::Ident(pat) if !pat.ident.to_string().starts_with('_') => pat.ident.clone(),
                _ => format_ident!("__a{index}"),
            };
            Argument { ident, ty: (*arg.ty).clone() }
        })
        .collect()
}

/// A search for the first `Self` in a type.
struct OwnType(Option<Ident>);

impl OwnType {
    fn within(ty: &Type) -> Option<Ident> {
        let mut search = Self(None);
        search.visit_type(ty);
        search.0
    }
}

impl<'ast> Visit<'ast> for OwnType {
    fn visit_path(&mut self, path: &'ast Path) {
        if let Some(first) = path.segments.first()
            && first.ident == "Self"
        {
            self.0.get_or_insert_with(|| first.ident.clone());
        }
        visit::visit_path(self, path);
    }
}
