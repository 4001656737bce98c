//! `#[service]`: on a struct, the identity and construction of the service; on an impl block, its
//! methods.

mod check;
mod client;
mod conflicts;
mod expand;
mod input;
mod model;
mod parse;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{ItemImpl, ItemStruct};

use crate::errors::Errors;
use crate::helper::{self, EXPOSE_METHOD};
use crate::item::{Item, Member};

pub(crate) fn expand(args: TokenStream, tokens: TokenStream) -> TokenStream {
    let mut errors = Errors::new();
    let expanded = match Item::read(tokens.clone()) {
        Ok(Item::Struct(item)) => on_struct(args, &item, &mut errors),
        Ok(Item::Impl(item, members)) => on_impl(&args, item, members, &mut errors),
        Ok(other) => {
            errors.here(
                format_args!(
                    "`#[service]` is for a struct and for its impl block, not for \
                              {}",
                    other.kind()
                ),
                "write it above `struct Currency;` to say who the service is, and above `impl \
                 Currency { … }` to say \
                 what it can do",
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
    let args = parse::service_args(args, &item.ident, errors);
    let generated = check::service(item, args, errors).map(|service| {
        let entry = expand::service(&service);
        let client = client::client_struct(&service);
        quote!(#entry #client)
    });
    quote!(#item #generated)
}

fn on_impl(
    args: &TokenStream,
    item: ItemImpl,
    mut members: Vec<Member>,
    errors: &mut Errors,
) -> TokenStream {
    if !args.is_empty() {
        errors.at(
            args,
            "on an impl block `#[service]` takes no arguments",
            "write them on the struct: `#[service(name = …)] struct …`",
        );
    }
    let usable = check::block(&item, errors);
    let mut helpers = Vec::new();
    let mut list = Vec::new();
    for member in &mut members {
        let Member::Method(method) = member else { continue };
        check::not_the_client(method, errors);
        let Some(helper) = helper::take(&EXPOSE_METHOD, method, errors) else { continue };
        if usable {
            let args = parse::method_args(&helper, errors);
            let method = check::method(&item.self_ty, method, args, errors);
            let method = method.filter(|method| check::unique(method, &list, errors));
            list.extend(method);
        }
        expand::allow_lints(method);
        helpers.push(helper);
    }
    if helpers.is_empty() && usable {
        check::nothing_exposed(&item, errors);
    }
    let mentions = helper::mentions(&helpers);
    let methods = model::Methods { service: (*item.self_ty).clone(), list };
    let entries = expand::methods(&methods);
    let client = client::client_impl(&methods);
    let item = expand::impl_of(item, &members);
    quote!(#item #mentions #entries #client)
}
