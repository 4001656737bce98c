//! `#[provider]`: on a struct, the identity and construction of the provider; on its impl of a
//! capability, the cost of a call.

mod check;
mod expand;
mod model;
mod parse;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{ItemImpl, ItemStruct};

use crate::boxed::boxed;
use crate::errors::Errors;
use crate::helper::{self, EXPOSE_METHOD, PROVIDE_METHOD};
use crate::item::{Item, Member};

pub(crate) fn expand(args: TokenStream, tokens: TokenStream) -> TokenStream {
    let mut errors = Errors::new();
    let expanded = match Item::read(tokens.clone()) {
        Ok(Item::Struct(item)) => on_struct(args, &item, &mut errors),
        Ok(Item::Impl(item, members)) => on_impl(&args, item, members, &mut errors),
        Ok(other) => {
            errors.here(
                format_args!(
                    "`#[provider]` is for a struct and for its impl of a capability, not for {}",
                    other.kind()
                ),
                "write it above `struct FixerIo { … }` to say who the provider is, and above `impl \
                 RateSource for \
                 FixerIo { … }` to say what it can do",
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

fn on_struct(args: TokenStream, item: &ItemStruct, errors: &mut Errors) -> TokenStream {
    let args = parse::provider_args(args, &item.ident, errors);
    let generated = check::provider(item, args, errors).map(|provider| expand::provider(&provider));
    quote!(#item #generated)
}

fn on_impl(
    args: &TokenStream,
    item: ItemImpl,
    members: Vec<Member>,
    errors: &mut Errors,
) -> TokenStream {
    check::no_args(args, errors);
    let capability = check::capability(&item, errors);
    let mut helpers = Vec::new();
    let mut methods = Vec::new();
    let mut rewritten = Vec::new();
    for member in members {
        let mut method = match member {
            Member::Method(method) => method,
            other @ Member::Other(..) => {
                rewritten.push(quote!(#other));
                continue;
            }
        };
        if let Some(helper) = helper::take(&EXPOSE_METHOD, &mut method, errors) {
            check::exposed(&helper, errors);
        }
        let helper = helper::take(&PROVIDE_METHOD, &mut method, errors);
        let cost = helper.as_ref().and_then(|helper| parse::cost(helper, errors));
        helpers.extend(helper);
        if capability.is_none() {
            rewritten.push(quote!(#method));
            continue;
        }
        check::is_async(&method, errors);
        methods.extend(cost.map(|cost| check::method(&method, cost)));
        rewritten.push(boxed(&method));
    }
    let mentions = helper::mentions(&helpers);
    let provider = (*item.self_ty).clone();
    let generated = capability
        .map(|capability| expand::provided(&model::Provided { capability, provider, methods }));
    let item = expand::impl_of(item, &rewritten);
    quote!(#item #mentions #generated)
}
