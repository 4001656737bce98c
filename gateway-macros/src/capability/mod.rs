//! `#[capability]`: a trait for that which several providers can do. The pool of the providers
//! implements it too.

mod check;
mod expand;
mod model;
mod parse;

use proc_macro2::TokenStream;
use quote::quote;
use syn::ItemTrait;

use crate::boxed::boxed;
use crate::errors::Errors;
use crate::helper::{self, EXPOSE_METHOD, PROVIDE_METHOD};
use crate::item::{Item, Member, Method};

pub(crate) fn expand(args: TokenStream, tokens: TokenStream) -> TokenStream {
    let mut errors = Errors::new();
    let expanded = match Item::read(tokens.clone()) {
        Ok(Item::Trait(item, members)) => on_trait(args, item, members, &mut errors),
        Ok(other) => {
            errors.here(
                format_args!("`#[capability]` is for a trait, not for {}", other.kind()),
                "write it above `trait RateSource { … }`; a type that has the capability is a \
                 `#[provider]`",
            );
            helper::without_helpers(other, tokens)
        }
        Err(error) => {
            errors.push(error);
            tokens
        }
    };
    let errors = errors.into_tokens();
    quote!(#errors #expanded)
}

fn on_trait(
    args: TokenStream,
    mut item: ItemTrait,
    members: Vec<Member>,
    errors: &mut Errors,
) -> TokenStream {
    parse::no_args(args, errors);
    check::supertraits(&mut item, errors);
    let capability = check::capability(&item, errors);
    if members.is_empty() {
        check::no_methods(&item, errors);
    }
    let mut helpers = Vec::new();
    let mut methods = Vec::new();
    let mut rewritten = Vec::new();
    for member in members {
        let mut method = match member {
            Member::Method(method) => method,
            Member::Other(what, tokens) => {
                check::no_method(what, &tokens, errors);
                continue;
            }
        };
        let helper = take_helper(&mut method, errors);
        let effect = helper.as_ref().and_then(|helper| parse::effect(helper, errors));
        helpers.extend(helper);
        match check::method(&method, effect, errors) {
            Some(checked) => {
                rewritten.push(boxed(&method));
                methods.push(checked);
            }
            None => rewritten.push(expand::keep_invalid(*method)),
        }
    }
    let mentions = helper::mentions(&helpers);
    let generated = capability.map(|capability| expand::capability(&capability, &methods));
    let item = expand::trait_of(item, &rewritten);
    quote!(#item #mentions #generated)
}

/// Takes `#[provide_method]` off. Reports if it is missing, or if the service's helper stands in
/// its place.
fn take_helper(method: &mut Method, errors: &mut Errors) -> Option<syn::Attribute> {
    let before = errors.count();
    let helper = helper::take(&PROVIDE_METHOD, method, errors);
    let other = helper::take(&EXPOSE_METHOD, method, errors);
    match (&helper, other) {
        (None, Some(other)) => check::exposed(&other, errors),
        (None, None) if errors.count() == before => check::missing_helper(method, errors),
        _ => {}
    }
    helper
}
