//! The code generator for the typed client of a service: a struct beside the service's own, with a
//! method for each exposed method.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Attribute, PathSegment, Type};

use super::expand::verb;
use super::model::{Method, Methods, Service};
use crate::item::bare;
use crate::paths;

/// Generates `struct CurrencyClient` and its constructor `Currency::client`.
pub(super) fn client_struct(service: &Service) -> TokenStream {
    let gw = paths::private();
    let Service { ident, vis, .. } = service;
    let client = client_of(ident);
    let about =
        format!(" The typed client of [`{}`]: the same methods, called elsewhere.", bare(ident));
    let remote = remote(&client);
    quote! {
        #[doc = #about]
        #[derive(::core::clone::Clone, ::core::fmt::Debug)]
        #[allow(dead_code, unreachable_pub)]
        #vis struct #client(#gw::Remote);

        const _: () = {
            #[allow(unused_imports)]
            use #gw::NoService as _;

            #remote

            impl<T: #gw::Transport> #gw::From<T> for #client {
                fn from(__transport: T) -> Self {
                    Self(#gw::Remote::new(#gw::DeclaredService::<#ident>::SPEC, __transport))
                }
            }

            #[allow(dead_code, unreachable_pub)]
            impl #ident {
                /// A typed client of this service: `client(Http::to("http://…"))`.
                #vis fn client(transport: impl #gw::Transport) -> #client {
                    #gw::From::from(transport)
                }
            }
        };
    }
}

/// Generates the client's methods for one impl block.
///
/// The client stands beside the struct. If the struct is no service, there is no client; that error
/// is reported elsewhere and once. The methods then belong to a fallback client in the outer block,
/// since a glob import in the inner block takes precedence over declarations of the outer block.
pub(super) fn client_impl(methods: &Methods) -> TokenStream {
    let gw = paths::private();
    let called: Vec<&Method> =
        methods.list.iter().filter(|method| method.webhook.is_none()).collect();
    let Some((module, client)) = module_of(&methods.service).filter(|_| !called.is_empty()) else {
        return TokenStream::new();
    };
    let inputs = called.iter().map(|method| input_alias(method));
    let calls = called.iter().map(|method| call(method));
    let remote = remote(&client);
    quote! {
        const _: () = {
            // Selects the input by the types of the arguments; see
            // `gateway_runtime::client::select`.
            #[allow(unused_imports)]
            use #gw::NoInput as _;

            #[allow(dead_code)]
            struct #client(#gw::Remote);

            #remote

            #(#inputs)*

            const _: () = {
                #[allow(unused_imports)]
                use #module::*;

                #[allow(dead_code, deprecated, private_interfaces, unreachable_pub)]
                impl #client {
                    #(#calls)*
                }
            };
        };
    }
}

/// Generates the access of a client's methods to its `Remote`.
fn remote(client: &Ident) -> TokenStream {
    let gw = paths::private();
    quote! {
        impl #gw::AsRef<#gw::Remote> for #client {
            fn as_ref(&self) -> &#gw::Remote {
                &self.0
            }
        }
    }
}

fn client_of(service: &Ident) -> Ident {
    format_ident!("{}Client", bare(service), span = service.span())
}

/// Returns the module of a service, as seen from its impl block, and the name of its client there.
fn module_of(service: &Type) -> Option<(TokenStream, Ident)> {
    let Type::Path(path) = service else { return None };
    let mut segments: Vec<&PathSegment> = path.path.segments.iter().collect();
    let service = segments.pop()?;
    let client = Ident::new(&format!("{}Client", bare(&service.ident)), Span::call_site());
    let leading = path.path.leading_colon;
    let module = if segments.is_empty() { quote!(self) } else { quote!(#leading #(#segments)::*) };
    Some((module, client))
}

const NAME_OF_OURS: &str = "an input has the name of a type that the SDK brings (`Call`, `Caller`, \
                            `Providers`, \
                            `IdempotencyKey`): rename it, so that the typed client knows that it \
                            is one";

/// Generates the type of the input among the arguments; if their names say that there is none, an
/// assertion of that.
fn input_alias(method: &Method) -> TokenStream {
    let gw = paths::private();
    let Method { cfgs, arguments, .. } = method;
    if takes_nothing(method) {
        let proof = quote_spanned! {method.ident.span()=>
            ::core::assert!(#(!#gw::InputProbe::<#arguments>::IS_INPUT &&)* true, #NAME_OF_OURS)
        };
        return quote!(#(#cfgs)* const _: () = #proof;);
    }
    let alias = alias(method);
    let picked = arguments.iter().rev().fold(quote!(()), |rest, argument| {
        let is_input = quote!(#gw::InputProbe::<#argument>::IS_INPUT);
        quote!(#gw::ArgumentList<{ #is_input }, #argument, #rest>)
    });
    quote! {
        #(#cfgs)*
        #[allow(deprecated, non_camel_case_types)]
        type #alias = <#picked as #gw::Select>::Input;
    }
}

fn alias(method: &Method) -> Ident {
    format_ident!("__input_of_{}", bare(&method.ident))
}

fn call(method: &Method) -> TokenStream {
    let gw = paths::private();
    let Method { cfgs, ident, name, output, .. } = method;
    let alias = alias(method);
    let verb = verb(method.verb);
    let mut kept: Vec<Attribute> =
        method.attrs.iter().filter(|attr| is_kept(attr)).cloned().collect();
    if !kept.iter().any(|attr| attr.path().is_ident("doc")) {
        let about = format!(" Calls `{name}`.");
        kept.push(syn::parse_quote!(#[doc = #about]));
    }
    let (parameter, input, given) = if takes_nothing(method) {
        (None, quote!(()), quote!(&()))
    } else {
        (Some(quote!(input: &'a #alias)), quote!(#alias), quote!(input))
    };
    quote! {
        #(#cfgs)*
        #(#kept)*
        pub fn #ident<'a>(&'a self, #parameter) -> #gw::PendingCall<'a, #input, #output> {
            #gw::Remote::call(#gw::AsRef::as_ref(self), #verb, #name, #given)
        }
    }
}

fn is_kept(attr: &Attribute) -> bool {
    attr.path().is_ident("doc") || attr.path().is_ident("deprecated")
}

/// Returns whether the client's method has no parameter: all arguments of the method come from the
/// call.
fn takes_nothing(method: &Method) -> bool {
    method.arguments.iter().all(is_brought)
}

/// Returns whether the call supplies the argument, as far as the name of its type tells.
fn is_brought(argument: &Type) -> bool {
    let Type::Path(path) = argument else { return false };
    let last = path.path.segments.last();
    last.is_some_and(|last| {
        ["Call", "Caller", "Providers", "IdempotencyKey"].iter().any(|name| last.ident == name)
    })
}
