//! Tests of the macros as functions from tokens to tokens: the code that they generate, and that
//! they generate some for every input.

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
    ("model", |args, item| crate::model_attr::expand(&args, item)),
    ("expose_method", |args, item| {
        crate::helper::expand(&crate::helper::EXPOSE_METHOD, &args, item)
    }),
    ("provide_method", |args, item| {
        crate::helper::expand(&crate::helper::PROVIDE_METHOD, &args, item)
    }),
];

fn named(name: &str) -> Expand {
    MACROS.iter().find(|(known, _)| *known == name).unwrap().1
}

/// Returns the expansion of an item under an attribute as written.
fn apply(attribute: &Attribute, item: TokenStream) -> TokenStream {
    let name = attribute.path().segments.last().unwrap().ident.to_string();
    let args = match &attribute.meta {
        Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    };
    named(&name)(args, item)
}
