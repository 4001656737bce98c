//! Paths in generated code: the one module that the runtime exports for macros, by an absolute
//! path.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

/// Returns the path of the runtime's module for macros; written `#gw::…` in the quotes of the
/// `expand` modules.
pub(crate) fn private() -> TokenStream {
    quote!(::gateway_runtime::__private)
}

/// Returns the same path, spanned as the author's code that it concerns, so that the compiler
/// points there on a mismatch.
pub(crate) fn private_at(span: Span) -> TokenStream {
    quote_spanned!(span=> ::gateway_runtime::__private)
}
