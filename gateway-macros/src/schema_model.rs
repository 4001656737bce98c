//! `#[model]`: what goes over the wire, with all that an input or an answer needs, and no dependency of the author's own.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Attribute, Path, Token};

use crate::errors::Errors;
use crate::item::{Item, head_attributes};
use crate::paths;

pub(crate) fn expand(args: &TokenStream, tokens: TokenStream) -> TokenStream {
    let mut errors = Errors::new();
    if !args.is_empty() {
        errors.at(
            args,
            "`#[model]` takes no arguments",
            "what serde and schemars take stands in their own attributes: `#[serde(…)]`, `#[schemars(…)]`",
        );
    }
    let derives = match Item::read(tokens.clone()) {
        Ok(Item::Struct(item)) => derives(&item.attrs),
        Ok(Item::Other("an enum")) => derives(&head_attributes(&tokens)),
        Ok(other) => {
            let wrong = format!("`#[model]` is for a struct or an enum, not for {}", other.kind());
            errors.here(wrong, "write it above the type that goes over the wire");
            TokenStream::new()
        }
        Err(error) => {
            errors.push(error);
            TokenStream::new()
        }
    };
    let errors = errors.into_tokens();
    quote!(#errors #derives #tokens)
}

/// The derives that the author has not written, and where serde and schemars are to be found.
fn derives(attrs: &[Attribute]) -> TokenStream {
    let gw = paths::private();
    let written = derived(attrs);
    let wanted = [
        ("Debug", quote!(::core::fmt::Debug)),
        ("Clone", quote!(::core::clone::Clone)),
        ("Serialize", quote!(#gw::serde::Serialize)),
        ("Deserialize", quote!(#gw::serde::Deserialize)),
        ("JsonSchema", quote!(#gw::schemars::JsonSchema)),
    ];
    let missing = wanted.iter().filter(|(name, _)| !written.iter().any(|written| written == name));
    let missing = missing.map(|(_, path)| path);
    let serde = format!("{gw}::serde").replace(' ', "");
    let schemars = format!("{gw}::schemars").replace(' ', "");
    let serde = (!says_crate(attrs, "serde")).then(|| quote!(#[serde(crate = #serde)]));
    let schemars = (!says_crate(attrs, "schemars")).then(|| quote!(#[schemars(crate = #schemars)]));
    quote_spanned!(Span::call_site()=> #[derive(#(#missing),*)] #serde #schemars)
}

/// The last names of all derives written on the item.
fn derived(attrs: &[Attribute]) -> Vec<String> {
    let lists = attrs.iter().filter(|attr| attr.path().is_ident("derive"));
    let paths = lists.filter_map(|attr| attr.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated).ok());
    paths.flatten().filter_map(|path| path.segments.last().map(|last| last.ident.to_string())).collect()
}

/// Whether `#[serde(crate = …)]` is the author's.
fn says_crate(attrs: &[Attribute], name: &str) -> bool {
    let mut found = false;
    for attr in attrs.iter().filter(|attr| attr.path().is_ident(name)) {
        let syn::Meta::List(list) = &attr.meta else { continue };
        let look = syn::meta::parser(|meta| {
            found |= meta.path.is_ident("crate");
            // Whatever else stands there is serde's to judge.
            if meta.input.peek(Token![=]) {
                meta.value()?.parse::<syn::Expr>()?;
            } else if !meta.input.peek(Token![,]) {
                meta.input.parse::<Option<proc_macro2::Group>>()?;
            }
            Ok(())
        });
        let _ = look.parse2(list.tokens.clone());
    }
    found
}
