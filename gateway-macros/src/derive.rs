//! `#[derive(FromApp)]` and `#[derive(FromCall)]`: injection of an author's own types, composed of
//! injectable fields.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Data, DeriveInput, Fields};

use crate::errors::Errors;
use crate::{paths, source};

/// Expands `#[derive(FromApp)]`: the type can be a field of services and providers.
pub(crate) fn from_app(tokens: TokenStream) -> TokenStream {
    derive("FromApp", tokens, |ident, fields| {
        let gw = paths::private();
        let scope = Ident::new("__scope", Span::mixed_site());
        let value = source::from_app(&quote!(Self), fields, &scope);
        quote! {
            #[automatically_derived]
            impl #gw::FromApp for #ident {
                fn from_app(#scope: &#gw::BuildContext<'_>) -> #gw::Result<Self, #gw::StartError> {
                    let _ = #scope;
                    #gw::Ok(#value)
                }
            }
        }
    })
}

/// Expands `#[derive(FromCall)]`: the type can be an argument of exposed methods. Its fields are
/// resolved as the arguments of a method are.
pub(crate) fn from_call(tokens: TokenStream) -> TokenStream {
    derive("FromCall", tokens, |ident, fields| {
        let gw = paths::private();
        let types = fields.iter().map(|field| &field.ty);
        let values: Vec<Ident> = (0..fields.len())
            .map(|index| Ident::new(&format!("__a{index}"), Span::mixed_site()))
            .collect();
        let members = fields.members();
        // The only place that requires the types to be arguments; the errors appear at the fields
        // themselves.
        let place = span_of(fields);
        let tuple = quote_spanned!(place=> (#(#types,)*));
        let at = paths::private_at(place);
        let one_input = quote_spanned!(place=> #at::one_input_composed::<#ident>());
        quote! {
            #[automatically_derived]
            impl #gw::Composed for #ident {
                type Fields = #tuple;

                fn compose((#(#values,)*): Self::Fields) -> Self {
                    Self { #(#members: #values),* }
                }
            }

            const _: () = #one_input;

            #[automatically_derived]
            impl #gw::FromCall for #ident {
                const IS_INPUT: bool = #gw::composed_input::<Self>();

                type State = #gw::ComposedState<Self>;

                fn prepare(
                    __binder: &mut #gw::Binder<'_>,
                ) -> #gw::Result<Self::State, #gw::StartError> {
                    #gw::prepare_composed(__binder)
                }

                async fn from_call(
                    __state: &Self::State,
                    __request: &mut #gw::CallRequest,
                ) -> #gw::Result<Self, #gw::Error> {
                    #gw::compose(__state, __request).await
                }
            }
        }
    })
}

/// Returns the span of the fields with their braces or parentheses.
fn span_of(fields: &Fields) -> Span {
    match fields {
        Fields::Named(fields) => fields.brace_token.span.join(),
        Fields::Unnamed(fields) => fields.paren_token.span.join(),
        Fields::Unit => Span::call_site(),
    }
}

fn derive(
    name: &str,
    tokens: TokenStream,
    implement: impl FnOnce(&Ident, &Fields) -> TokenStream,
) -> TokenStream {
    let mut errors = Errors::new();
    let generated = match syn::parse2::<DeriveInput>(tokens) {
        Ok(DeriveInput { generics, .. }) if !generics.params.is_empty() => {
            let wrong = format!("`#[derive({name})]` is not for generic types");
            errors.at(&generics, wrong, "name the types, or implement the trait by hand");
            TokenStream::new()
        }
        Ok(DeriveInput { ident, data: Data::Struct(data), .. }) => implement(&ident, &data.fields),
        Ok(DeriveInput { ident, .. }) => {
            errors.at(
                ident,
                format_args!(
                    "`#[derive({name})]` is for a struct, whose fields are all made in the same way"
                ),
                "make it a struct, or implement the trait by hand",
            );
            TokenStream::new()
        }
        Err(error) => {
            errors.push(error);
            TokenStream::new()
        }
    };
    let errors = errors.into_tokens();
    quote!(#errors #generated)
}
