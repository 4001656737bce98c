//! The macros as functions from tokens to tokens: what they write, and that they write something whatever they are given.

mod golden;
mod robust;

use proc_macro2::TokenStream;
use syn::{Attribute, Meta};

/// An attribute macro as a function of its arguments and its item.
type Expand = fn(TokenStream, TokenStream) -> TokenStream;

const MACROS: &[(&str, Expand)] = &[
    ("service", crate::service::expand),
    ("capability", crate::capability::expand),
    ("provider", crate::provider::expand),
    ("model", |args, item| crate::schema_model::expand(&args, item)),
    ("expose_method", |args, item| crate::inert::expand(&crate::inert::EXPOSE_METHOD, &args, item)),
    ("provide_method", |args, item| {
        crate::inert::expand(&crate::inert::PROVIDE_METHOD, &args, item)
    }),
];

fn named(name: &str) -> Expand {
    MACROS.iter().find(|(known, _)| *known == name).unwrap().1
}

/// What an attribute as written expands its item to.
fn apply(attribute: &Attribute, item: TokenStream) -> TokenStream {
    let name = attribute.path().segments.last().unwrap().ident.to_string();
    let args = match &attribute.meta {
        Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    };
    named(&name)(args, item)
}
