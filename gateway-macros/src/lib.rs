//! Attribute macros of the gateway SDK. Authors reach them, with their documentation, through `gateway_runtime`.
//!
//! Each macro goes `parse → model → check → expand`; only entry points are here.

mod attr;
mod boxed;
mod capability;
mod effect;
mod errors;
mod inert;
mod inject;
mod item;
mod literal;
mod paths;
mod provider;
mod schema_model;
mod service;
mod signature;
mod source;
#[cfg(test)]
mod tests;
mod text;

use proc_macro::TokenStream;

/// A service: on a struct who it is, on its impl block what it can do.
#[proc_macro_attribute]
pub fn service(args: TokenStream, item: TokenStream) -> TokenStream {
    service::expand(args.into(), item.into()).into()
}

/// Exposes a method of a `#[service] impl` at an address of its own.
#[proc_macro_attribute]
pub fn expose_method(args: TokenStream, item: TokenStream) -> TokenStream {
    inert::expand(&inert::EXPOSE_METHOD, &args.into(), item.into()).into()
}

/// Says what a method of a `#[capability] trait` or a `#[provider] impl` does, or what it costs.
#[proc_macro_attribute]
pub fn provide_method(args: TokenStream, item: TokenStream) -> TokenStream {
    inert::expand(&inert::PROVIDE_METHOD, &args.into(), item.into()).into()
}

/// What several providers can do: a trait, and the pool of its providers.
#[proc_macro_attribute]
pub fn capability(args: TokenStream, item: TokenStream) -> TokenStream {
    capability::expand(args.into(), item.into()).into()
}

/// A provider: on a struct who it is, on its impl of a capability what it can do.
#[proc_macro_attribute]
pub fn provider(args: TokenStream, item: TokenStream) -> TokenStream {
    provider::expand(args.into(), item.into()).into()
}

/// A type that goes over the wire.
#[proc_macro_attribute]
pub fn model(args: TokenStream, item: TokenStream) -> TokenStream {
    schema_model::expand(&args.into(), item.into()).into()
}

/// A type that services and providers can have as a field.
#[proc_macro_derive(FromApp)]
pub fn from_app(item: TokenStream) -> TokenStream {
    inject::from_app(item.into()).into()
}

/// A type that exposed methods can have as an argument.
#[proc_macro_derive(FromCall)]
pub fn from_call(item: TokenStream) -> TokenStream {
    inject::from_call(item.into()).into()
}
