//! The rules for a provider. The compiler checks that its methods are those of the capability.

use quote::ToTokens;
use syn::{Generics, ItemImpl, ItemStruct, Path};

use super::model::{Cost, Method, Provider};
use super::parse::ProviderArgs;
use crate::errors::Errors;
use crate::{item, naming, signature};

/// Checks a struct with `#[provider(…)]`. An invalid argument counts as absent, so that the
/// provider exists nevertheless.
pub(super) fn provider(
    item: &ItemStruct,
    args: ProviderArgs,
    errors: &mut Errors,
) -> Option<Provider> {
    not_generic(&item.generics, errors).then(|| Provider {
        ident: item.ident.clone(),
        fields: item.fields.clone(),
        name: args.name.map_or_else(|| naming::default_name(&item.ident), |name| name.value),
        title: args.title.map_or_else(|| naming::default_title(&item.ident), |title| title.value),
        description: naming::description(&item.attrs),
    })
}

/// Returns the capability that an impl block implements.
pub(super) fn capability(item: &ItemImpl, errors: &mut Errors) -> Option<Path> {
    let Some((path, _)) = &item.trait_ else {
        errors.at(
            &item.self_ty,
            "`#[provider]` is for the impl of a capability, and this impl block names none",
            format_args!("write `impl RateSource for {} {{ … }}`", item::compact(&item.self_ty)),
        );
        return None;
    };
    not_generic(&item.generics, errors).then(|| path.clone())
}

fn not_generic(generics: &Generics, errors: &mut Errors) -> bool {
    if generics.params.is_empty() {
        return true;
    }
    errors.at(
        generics,
        "a provider is not generic: one value of it is built at start",
        "name the types, or write a provider for each",
    );
    false
}

/// Checks a method of the capability, as far as a macro sees it by itself.
pub(super) fn is_async(method: &item::Method, errors: &mut Errors) {
    let sig = &method.sig;
    if sig.asyncness.is_none() {
        errors.at(
            sig.fn_token,
            format_args!("a provider's method is async, and `{}` is not", sig.ident),
            format_args!("write `async fn {}`", sig.ident),
        );
    }
    if sig.generics.lifetimes().next().is_some() {
        errors.at(
            &sig.generics.params,
            "a provider's method names no lifetimes",
            "leave the lifetimes out; each reference has one of its own",
        );
    }
}

/// Reports a method with `#[expose_method]`, the helper of a service.
pub(super) fn exposed(helper: &syn::Attribute, errors: &mut Errors) {
    errors.at(
        helper,
        "`#[expose_method]` exposes a service's methods; a provider's methods are called by \
         services",
        "leave it out, or say what a call costs: `#[provide_method(cost = \"0.0002 USD\")]`",
    );
}

pub(super) fn method(method: &item::Method, cost: Cost) -> Method {
    let sig = &method.sig;
    Method {
        cfgs: method.cfgs(),
        ident: sig.ident.clone(),
        cost,
        arguments: sig.inputs.iter().filter_map(signature::typed).cloned().collect(),
    }
}

/// Reports arguments of `#[provider(…)]` on an impl block, which takes none.
pub(super) fn no_args(args: &impl ToTokens, errors: &mut Errors) {
    if !args.to_token_stream().is_empty() {
        errors.at(
            args,
            "on an impl block `#[provider]` takes no arguments",
            "write them on the struct: `#[provider(name = …)] struct …`",
        );
    }
}
