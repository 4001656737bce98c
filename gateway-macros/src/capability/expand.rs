//! The code generator for a checked capability.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{FnArg, ItemTrait, Signature, TraitItem, parse_quote};

use super::model::{Argument, Capability, Method};
use crate::boxed::{boxed_signature, ends, output_of};
use crate::{item, paths, source};

/// Replaces the methods of the trait and adds the supertraits `Send`, `Sync` and `'static`, since
/// calls on all threads share the object.
pub(super) fn trait_of(mut item: ItemTrait, methods: &[TokenStream]) -> ItemTrait {
    item.colon_token.get_or_insert_with(Default::default);
    item.supertraits.push(parse_quote!(::core::marker::Send));
    item.supertraits.push(parse_quote!(::core::marker::Sync));
    item.supertraits.push(parse_quote!('static));
    item.items = vec![TraitItem::Verbatim(quote!(#(#methods)*))];
    item
}

/// Adds `where Self: Sized` and a body to an invalid method. The trait stays usable as an object,
/// and the method's own error is the only one.
pub(super) fn keep_invalid(mut method: item::Method) -> TokenStream {
    let clause = method.sig.generics.make_where_clause();
    clause.predicates.push(parse_quote!(Self: ::core::marker::Sized));
    if method.body.is_none() {
        let body = quote!({ ::core::unimplemented!() });
        method.body = syn::parse2(body).ok();
    }
    quote!(#method)
}

/// Generates the specification of the capability and its implementation for the pool of its
/// providers.
pub(super) fn capability(capability: &Capability, methods: &[Method]) -> TokenStream {
    let gw = paths::private();
    let Capability { ident, description } = capability;
    let name = item::bare(ident);
    let source = source::source(ident.span());
    let specs = methods.iter().map(spec);
    let pooled = methods.iter().enumerate().map(|(index, method)| pooled(index, method));
    quote! {
        const _: () = {
            use #gw::DefaultCompletion as _;

            impl #gw::Capability for dyn #ident {
                const SPEC: &'static #gw::CapabilitySpec = &#gw::CapabilitySpec {
                    name: #name,
                    description: #description,
                    methods: &[#(#specs),*],
                    source: #source,
                };
            }

            #[allow(deprecated)]
            impl #ident for #gw::Providers<dyn #ident> {
                #(#pooled)*
            }
        };
    }
}

fn spec(method: &Method) -> TokenStream {
    let gw = paths::private();
    let name = item::bare(&method.item.sig.ident);
    let description = &method.description;
    let effect = method.effect.tokens();
    quote!(#gw::CapabilityMethodSpec { name: #name, description: #description, effect: #effect })
}

/// Generates a method of the pool: its index, the arguments that strategies see, and the call of
/// one provider.
fn pooled(index: usize, method: &Method) -> TokenStream {
    let gw = paths::private();
    let Method { item, arguments, .. } = method;
    let sig = boxed_signature(&named(&item.sig, arguments));
    let name = &item.sig.ident;
    let this = item.sig.receiver().map(|receiver| receiver.self_token);
    let provider = Ident::new("__provider", Span::mixed_site());
    let seen = arguments.iter().filter(|argument| source::is_seen(&argument.ty)).map(|argument| {
        let (ident, ty) = (&argument.ident, &argument.ty);
        quote_spanned!(ty.span()=> #ident as &#gw::Argument)
    });
    let handed = arguments.iter().map(|argument| {
        let (ident, ty) = (&argument.ident, &argument.ty);
        if argument.is_borrowed() {
            quote!(#ident)
        } else {
            quote_spanned!(ty.span()=> #gw::clone_for_retry(&#ident))
        }
    });
    // Method resolution picks the completion by the type of the reply: a value is complete when it
    // is returned, a stream with its first item (SEMANTICS §3).
    let answer = output_of(&item.sig);
    let (first, last) = ends(&answer);
    let at = paths::private_at(first);
    let run = Ident::new("run", last);
    let run = quote_spanned!(first=> <#answer as #at::CapabilityResult>::#run);
    let attempt = quote!(move |#provider| #provider.#name(#(#handed),*));
    let settle = quote!(#gw::CompletionOf::<#answer>::MODE);
    let given = quote_spanned!(last=> (#this, #index, [#(#seen),*], #attempt, #settle));
    quote!(#sig { #run #given })
}

/// Returns the signature with a plain name for each argument.
fn named(sig: &Signature, arguments: &[Argument]) -> Signature {
    let mut sig = sig.clone();
    let typed = sig.inputs.iter_mut().filter_map(|arg| match arg {
        FnArg::Typed(arg) => Some(arg),
        FnArg::Receiver(_) => None,
    });
    for (arg, argument) in typed.zip(arguments) {
        let ident = &argument.ident;
        *arg.pat = parse_quote!(#ident);
        arg.attrs.clear();
    }
    sig
}
