//! The code generator for a checked service: constants, and one call for each method.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{ImplItem, ItemImpl};

use super::model::{Auth, CacheScope, Idempotency, Method, Methods, Service, Verb};
use crate::item::{self, Member, bare};
use crate::{paths, source};

/// Replaces the members of the impl block by the methods without our attributes.
pub(super) fn impl_of(mut item: ItemImpl, members: &[Member]) -> ItemImpl {
    item.items = vec![ImplItem::Verbatim(quote!(#(#members)*))];
    item
}

/// Allows the lints that an exposed method violates only because we require its signature.
pub(super) fn allow_lints(method: &mut item::Method) {
    method.attrs.push(syn::parse_quote! {
        #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    });
}

/// Generates the code for the struct: its identity and its constructor.
pub(super) fn service(service: &Service) -> TokenStream {
    let gw = paths::private();
    let Service { ident, fields, name, version, title, description, scopes, .. } = service;
    let auth = option(service.auth.map(auth));
    let strategy = source::strategy(service.strategy.as_ref());
    let build = source::build(&quote!(#gw::service_instance), ident, fields);
    let source = source::source(ident.span());
    quote! {
        const _: () = {
            impl #gw::ServiceIdentity for #ident {
                const SPEC: &'static #gw::ServiceSpec = &#gw::ServiceSpec {
                    name: #name,
                    version: #version,
                    title: #title,
                    description: #description,
                    auth: #auth,
                    scopes: &[#(#scopes),*],
                    source: #source,
                };
            }

            #gw::inventory::submit! {
                #gw::ServiceEntry::new::<#ident>(#build, #strategy)
            }
        };
    }
}

/// Generates the types, the call and the entry of each exposed method.
pub(super) fn methods(methods: &Methods) -> TokenStream {
    let Methods { service, list } = methods;
    let methods = list.iter().map(|method| {
        let cfgs = &method.cfgs;
        let exposed = exposed(service, method);
        let entry = entry(method);
        quote! {
            #(#cfgs)*
            const _: () = {
                #exposed
                #entry
            };
        }
    });
    quote!(#(#methods)*)
}

/// Returns the name of the type that represents a method.
fn marker(method: &Method) -> Ident {
    format_ident!("__exposed_{}", bare(&method.ident), span = method.ident.span())
}

fn exposed(service: &syn::Type, method: &Method) -> TokenStream {
    let gw = paths::private();
    let Method { ident, arguments, output, .. } = method;
    let marker = marker(method);
    let names: Vec<Ident> = (0..arguments.len())
        .map(|index| Ident::new(&format!("__a{index}"), proc_macro2::Span::mixed_site()))
        .collect();
    let this = Ident::new("__service", proc_macro2::Span::mixed_site());
    // The compiler reports a value that is not `Send` across an await at the method's name.
    let call = quote_spanned! {ident.span()=>
        async fn call(#this: #gw::Arc<#service>, (#(#names,)*): Self::Arguments) -> Self::Output {
            <#service>::#ident(&#this, #(#names),*).await
        }
    };
    // Each type keeps its own span, so that the compiler reports a mismatch there.
    let tuple = quote_spanned!(method.inputs=> (#(#arguments,)*));
    quote! {
        #[allow(non_camel_case_types)]
        struct #marker;

        #[allow(deprecated)]
        impl #gw::ExposedMethod for #marker {
            type Service = #service;
            type Arguments = #tuple;
            type Output = #output;

            #call
        }
    }
}

fn entry(method: &Method) -> TokenStream {
    let gw = paths::private();
    let marker = marker(method);
    let spec = spec(method);
    let strategy = source::strategy(method.strategy.as_ref());
    let at = paths::private_at(method.inputs);
    let new = quote_spanned!(method.inputs=> #at::MethodEntry::new::<#marker>(#spec, #strategy));
    let one_input = quote_spanned!(method.inputs=> #at::one_input::<#marker>());
    quote! {
        const _: () = #one_input;

        #gw::inventory::submit! {
            #new
        }
    }
}

/// Generates the specification with the declared arguments; the runtime supplies the defaults.
fn spec(method: &Method) -> TokenStream {
    let gw = paths::private();
    let Method { name, title, description, scopes, errors, .. } = method;
    let verb = verb(method.verb);
    let source = source::source(method.ident.span());
    let mut said = quote!(title: #title, description: #description,);
    if method.effect != method.verb.effect() {
        let effect = method.effect.tokens();
        said.extend(quote!(effect: #effect,));
    }
    if let Some(price) = &method.price {
        let price = source::money(price);
        said.extend(quote!(price: #gw::Some(#price),));
    }
    if let Some((ttl, scope)) = method.cache {
        let (ttl, scope) = (source::duration(ttl), cache_scope(scope));
        said.extend(quote!(cache: #gw::Some(#gw::CacheSpec { ttl: #ttl, scope: #scope }),));
    }
    if let Some(quota) = method.quota {
        let (calls, per) = (quota.calls, source::duration(quota.per));
        said.extend(quote!(quota: #gw::Some(#gw::QuotaSpec { calls: #calls, per: #per }),));
    }
    if let Some(idempotency) = idempotency(method.idempotency) {
        said.extend(quote!(idempotency: #idempotency,));
    }
    if let Some(auth) = method.auth.map(auth) {
        said.extend(quote!(auth: #gw::Some(#auth),));
    }
    if !scopes.is_empty() {
        said.extend(quote!(scopes: &[#(#scopes),*],));
    }
    if !errors.is_empty() {
        said.extend(quote!(errors: &[#(#errors),*],));
    }
    if let Some(timeout) = method.timeout.map(source::duration) {
        said.extend(quote!(timeout: #gw::Some(#timeout),));
    }
    if let Some(secret) = &method.webhook {
        said.extend(quote!(webhook: #gw::Some(#gw::WebhookSpec { secret: #secret }),));
    }
    if method.deprecated {
        said.extend(quote!(deprecated: true,));
    }
    quote!(#gw::MethodSpec { #said ..#gw::MethodSpec::new(#name, #verb, #source) })
}

fn option(value: Option<TokenStream>) -> TokenStream {
    let gw = paths::private();
    value.map_or_else(|| quote!(#gw::None), |value| quote!(#gw::Some(#value)))
}

pub(super) fn verb(verb: Verb) -> TokenStream {
    let gw = paths::private();
    match verb {
        Verb::Get => quote!(#gw::Verb::Get),
        Verb::Post => quote!(#gw::Verb::Post),
        Verb::Put => quote!(#gw::Verb::Put),
        Verb::Patch => quote!(#gw::Verb::Patch),
        Verb::Delete => quote!(#gw::Verb::Delete),
    }
}

fn auth(auth: Auth) -> TokenStream {
    let gw = paths::private();
    match auth {
        Auth::Required => quote!(#gw::AuthMode::Required),
        Auth::Optional => quote!(#gw::AuthMode::Optional),
        Auth::None => quote!(#gw::AuthMode::None),
    }
}

fn cache_scope(scope: CacheScope) -> TokenStream {
    let gw = paths::private();
    match scope {
        CacheScope::Account => quote!(#gw::CacheScope::Account),
        CacheScope::Global => quote!(#gw::CacheScope::Global),
    }
}

/// Generates the idempotency mode, or nothing for the runtime's default.
fn idempotency(idempotency: Idempotency) -> Option<TokenStream> {
    let gw = paths::private();
    match idempotency {
        Idempotency::Required => Some(quote!(#gw::IdempotencyMode::Required)),
        Idempotency::Optional => None,
        Idempotency::None => Some(quote!(#gw::IdempotencyMode::None)),
    }
}
