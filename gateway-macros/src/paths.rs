//! Where generated code finds what it names: the one module that the runtime keeps for it, by an absolute path.

use proc_macro2::TokenStream;
use quote::quote;

/// The module of the runtime that is for macros alone; written `#gw::…` in the quotes of the `expand` modules.
pub(crate) fn private() -> TokenStream {
    quote!(::gateway_runtime::__private)
}
