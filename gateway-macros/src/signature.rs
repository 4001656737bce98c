//! The rules that the signatures of exposed methods and of a capability's methods share.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{
    FnArg, Lifetime, ParenthesizedGenericArguments, ReceiverKind, ReturnType, Safety, Signature,
    Type, TypeFnPtr, TypeImplTrait, TypeReference,
};

use crate::errors::Errors;
use crate::item;

/// The words and help texts that differ between the two kinds of methods.
pub(crate) struct SignatureRules {
    /// The subject of the messages: "an exposed method".
    pub(crate) what: &'static str,
    /// The reason why the method has no type parameters.
    pub(crate) no_generics: &'static str,
    /// The help text for a missing return type.
    pub(crate) returns: &'static str,
}

/// Reports every mistake in `sig`; returns whether there is none.
pub(crate) fn check(sig: &Signature, rules: &SignatureRules, errors: &mut Errors) -> bool {
    let before = errors.count();
    qualifiers(sig, rules, errors);
    receiver(sig, rules, errors);
    generics(sig, rules, errors);
    if let ReturnType::Default = sig.output {
        errors.at(
            &sig.ident,
            format_args!("{} returns a `Result`, and `{}` returns nothing", rules.what, sig.ident),
            rules.returns,
        );
    }
    errors.count() == before
}

fn qualifiers(sig: &Signature, rules: &SignatureRules, errors: &mut Errors) {
    let what = rules.what;
    if sig.asyncness.is_none() {
        errors.at(
            sig.fn_token,
            format_args!("{what} is async, and `{}` is not", sig.ident),
            format_args!("write `async fn {}`", sig.ident),
        );
    }
    let odd = [
        sig.constness.map(ToTokens::into_token_stream),
        matches!(sig.safety, Safety::Safe(_) | Safety::Unsafe(_))
            .then(|| sig.safety.to_token_stream()),
        sig.abi.as_ref().map(ToTokens::to_token_stream),
    ];
    for qualifier in odd.into_iter().flatten() {
        let wrong = format!("{what} cannot be `{qualifier}`");
        errors.at(qualifier, wrong, "leave it out");
    }
}

fn receiver(sig: &Signature, rules: &SignatureRules, errors: &mut Errors) {
    let what = rules.what;
    let Some(receiver) = sig.receiver() else {
        errors.at(
            &sig.ident,
            format_args!("{what} takes `&self`, and `{}` has no `self`", sig.ident),
            format_args!("write `async fn {}(&self, …)`", sig.ident),
        );
        return;
    };
    match &receiver.kind {
        ReceiverKind::Reference(_, None, None) => {}
        ReceiverKind::Reference(_, _, Some(_)) => errors.at(
            receiver,
            format_args!(
                "{what} takes `&self`, not `&mut self`: one value serves all calls at once"
            ),
            "write `&self`, and keep what changes in a `Mutex`, an atomic or a store",
        ),
        // The parameter that declares the lifetime is reported instead.
        ReceiverKind::Reference(_, Some(_), None) if sig.generics.lifetimes().next().is_some() => {}
        ReceiverKind::Reference(_, Some(lifetime), None) => {
            errors.at(lifetime, format_args!("{what} names no lifetimes"), "write `&self`")
        }
        _ => errors.at(
            receiver,
            format_args!(
                "{what} takes `&self`, not `{}`: one value serves all calls",
                item::compact(receiver)
            ),
            "write `&self`",
        ),
    }
}

fn generics(sig: &Signature, rules: &SignatureRules, errors: &mut Errors) {
    let generics = &sig.generics;
    if !generics.params.is_empty() {
        let reason = if generics.lifetimes().count() == generics.params.len() {
            "leave the lifetimes out; each reference has one of its own"
        } else {
            rules.no_generics
        };
        errors.at(generics, format_args!("{} is not generic", rules.what), reason);
    } else if let Some(clause) = &generics.where_clause {
        errors.at(clause, format_args!("{} has no where clause", rules.what), "leave it out");
    }
    let mut opaque = Opaque(None);
    for arg in sig.inputs.iter().filter_map(typed) {
        opaque.visit_type(arg);
    }
    if let Some(found) = opaque.0 {
        errors.at(
            found,
            format_args!("an argument of {} cannot be an `impl Trait`", rules.what),
            rules.no_generics,
        );
    }
}

/// Returns the type of an argument other than the receiver.
pub(crate) fn typed(arg: &FnArg) -> Option<&Type> {
    match arg {
        FnArg::Receiver(_) => None,
        FnArg::Typed(arg) => Some(&arg.ty),
    }
}

/// A search for the first `impl Trait` in a type.
struct Opaque(Option<TypeImplTrait>);

impl<'ast> Visit<'ast> for Opaque {
    fn visit_type_impl_trait(&mut self, found: &'ast TypeImplTrait) {
        self.0.get_or_insert_with(|| found.clone());
        visit::visit_type_impl_trait(self, found);
    }
}

/// Returns the first borrow in a type that is shorter than `'static`.
pub(crate) fn borrow_in(ty: &Type) -> Option<TokenStream> {
    let mut search = Borrow(None);
    search.visit_type(ty);
    search.0
}

struct Borrow(Option<TokenStream>);

impl<'ast> Visit<'ast> for Borrow {
    fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
        if reference.lifetime.is_none() {
            self.0.get_or_insert_with(|| reference.to_token_stream());
        }
        visit::visit_type_reference(self, reference);
    }

    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        if lifetime.ident != "static" {
            self.0.get_or_insert_with(|| lifetime.to_token_stream());
        }
    }

    fn visit_type_fn_ptr(&mut self, _: &'ast TypeFnPtr) {}
    fn visit_parenthesized_generic_arguments(&mut self, _: &'ast ParenthesizedGenericArguments) {}
}
