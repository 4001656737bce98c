//! The code generator for a checked provider.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{ImplItem, ItemImpl, Path, Type};

use super::model::{Cost, Method, Provided, Provider};
use crate::item::bare;
use crate::{paths, source};

/// Replaces the members of the impl by the rewritten ones.
pub(super) fn impl_of(mut item: ItemImpl, members: &[TokenStream]) -> ItemImpl {
    item.items = vec![ImplItem::Verbatim(quote!(#(#members)*))];
    item
}

/// Generates the code for the struct: its identity and its constructor.
pub(super) fn provider(provider: &Provider) -> TokenStream {
    let gw = paths::private();
    let Provider { ident, fields, name, title, description } = provider;
    let build = source::build(&quote!(#gw::provider_instance), ident, fields);
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

/// Generates the entry that registers the provider for a capability, with the costs of its methods.
pub(super) fn provided(provided: &Provided) -> TokenStream {
    let gw = paths::private();
    let Provided { capability, provider, methods } = provided;
    let costs = methods.iter().map(|method| cost(provider, method));
    let new =
        quote_spanned!(provider.span()=> #gw::ProvisionEntry::new::<dyn #capability, #provider>);
    quote! {
        const _: () = {
            #gw::inventory::submit! {
                #new(
                    &[#(#costs),*],
                    |__instance| {
                        let __provider: #gw::Arc<dyn #capability> =
                            #gw::downcast::<#provider>(__instance)?;
                        #gw::Some(#gw::Box::new(__provider))
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

/// Generates the call of the author's cost function with the arguments that it can see.
fn computed(provider: &Type, function: &Path, arguments: &[Type]) -> TokenStream {
    let gw = paths::private();
    let seen: Vec<&Type> = arguments.iter().filter(|argument| source::is_seen(argument)).collect();
    let at = Span::mixed_site().located_at(function.span());
    let names: Vec<Ident> =
        (0..seen.len()).map(|index| format_ident!("__a{index}", span = at)).collect();
    let bindings =
        names.iter().zip(&seen).enumerate().map(
            |(index, (name, ty))| quote!(let #name: #ty = #gw::argument(__arguments, #index)?;),
        );
    // Outside the impl block `Self` has no meaning of its own.
    let mut segments = function.segments.iter();
    let function = match segments.next() {
        Some(first) if first.ident == "Self" => quote!(<#provider> #(::#segments)*),
        _ => quote!(#function),
    };
    let call = quote_spanned!(function.span()=> #function(#(#names),*));
    let pattern = if names.is_empty() { quote!(_) } else { quote!(__arguments) };
    quote! {
        #gw::Cost::PerRequest(|#pattern| {
            #(#bindings)*
            #gw::Some(#call)
        })
    }
}
