//! Writes the code of a checked provider.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{ImplItem, ItemImpl, Path, Type};

use super::model::{Cost, Method, Provided, Provider};
use crate::item::bare;
use crate::{paths, source};

/// The impl, its methods rewritten.
pub(super) fn impl_of(mut item: ItemImpl, members: &[TokenStream]) -> ItemImpl {
    item.items = vec![ImplItem::Verbatim(quote!(#(#members)*))];
    item
}

/// What a struct is: its identity, and how it is built.
pub(super) fn provider(provider: &Provider) -> TokenStream {
    let gw = paths::private();
    let Provider { ident, fields, name, title, description } = provider;
    let build = source::build(ident, fields);
    let source = source::source(ident.span());
    quote! {
        const _: () = {
            impl #gw::ProviderIdentity for #ident {
                const SPEC: &'static #gw::ProviderSpec = &#gw::ProviderSpec {
                    name: #name,
                    title: #title,
                    description: #description,
                    source: #source,
                };
            }

            #gw::inventory::submit! {
                #gw::ProviderEntry::new::<#ident>(#build)
            }
        };
    }
}

/// That a provider has a capability, and what its methods cost.
pub(super) fn provided(provided: &Provided) -> TokenStream {
    let gw = paths::private();
    let Provided { capability, provider, methods } = provided;
    let costs = methods.iter().map(|method| cost(provider, method));
    let new = quote_spanned!(provider.span()=> #gw::ProvisionEntry::new::<dyn #capability, #provider>);
    quote! {
        const _: () = {
            #gw::inventory::submit! {
                #new(
                    &[#(#costs),*],
                    |instance| {
                        let provider: #gw::Arc<#provider> = instance.downcast().ok()?;
                        #gw::Some(#gw::Box::new(provider as #gw::Arc<dyn #capability>))
                    },
                )
            }
        };
    }
}

fn cost(provider: &Type, method: &Method) -> TokenStream {
    let gw = paths::private();
    let Method { cfgs, ident, .. } = method;
    let name = bare(ident);
    let cost = match &method.cost {
        Cost::Fixed(money) => {
            let money = source::money(money);
            quote!(#gw::Cost::Flat(#money))
        }
        Cost::Computed(function) => computed(provider, function, &method.arguments),
    };
    quote!(#(#cfgs)* (#name, #cost))
}

/// The author's function, called with the arguments that it can see.
fn computed(provider: &Type, function: &Path, arguments: &[Type]) -> TokenStream {
    let gw = paths::private();
    let seen = arguments.iter().filter(|argument| source::is_seen(argument));
    let given = seen.enumerate().map(|(index, argument)| match argument {
        Type::Reference(reference) => {
            let ty = &reference.elem;
            quote!(arguments.get(#index)?.downcast_ref::<#ty>()?)
        }
        other => quote!(#other),
    });
    // Outside the impl block `Self` has no meaning of its own.
    let mut segments = function.segments.iter();
    let function = match segments.next() {
        Some(first) if first.ident == "Self" => quote!(<#provider> #(::#segments)*),
        _ => quote!(#function),
    };
    let call = quote_spanned!(function.span()=> #function(#(#given),*));
    let pattern = if arguments.iter().any(source::is_seen) { quote!(arguments) } else { quote!(_) };
    quote!(#gw::Cost::Of(|#pattern| #gw::Some(#call)))
}
