//! Where generated code finds what it names: the one module that the runtime keeps for it, by an absolute path.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

/// The module of the runtime that is for macros alone; written `#gw::…` in the quotes of the `expand` modules.
pub(crate) fn private() -> TokenStream {
    quote!(::gateway_runtime::__private)
}

/// The same, standing where the author wrote what it is about: the compiler points there if it does not fit.
pub(crate) fn private_at(span: Span) -> TokenStream {
    quote_spanned!(span=> ::gateway_runtime::__private)
}
