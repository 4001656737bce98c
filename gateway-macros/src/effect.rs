//! The effect of a method (SEMANTICS §3): the vocabulary shared by `#[expose_method]` and
//! `#[provide_method]`.

use proc_macro2::TokenStream;
use quote::quote;

use crate::paths;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Read,
    Idempotent,
    Keyed,
    Once,
}

/// The words of `effect = …`.
pub(crate) const EFFECTS: &[(&str, Effect)] = &[
    ("read", Effect::Read),
    ("idempotent", Effect::Idempotent),
    ("keyed", Effect::Keyed),
    ("once", Effect::Once),
];

impl Effect {
    /// Returns the path of the runtime's constant.
    pub(crate) fn tokens(self) -> TokenStream {
        let gw = paths::private();
        match self {
            Self::Read => quote!(#gw::Effect::Read),
            Self::Idempotent => quote!(#gw::Effect::Idempotent),
            Self::Keyed => quote!(#gw::Effect::Keyed),
            Self::Once => quote!(#gw::Effect::Once),
        }
    }
}
