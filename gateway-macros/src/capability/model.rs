//! A capability as checked: what [`super::expand`] accepts, and nothing else.

use proc_macro2::{Ident, TokenStream};
use syn::Type;

use crate::effect::Effect;
use crate::item;

/// `#[capability]` on a trait that can be an object.
pub(super) struct Capability {
    pub(super) ident: Ident,
    /// A string expression.
    pub(super) description: TokenStream,
}

/// One method; a pool can call it again and again.
pub(super) struct Method {
    pub(super) item: item::Method,
    /// A string expression.
    pub(super) description: TokenStream,
    pub(super) effect: Effect,
    pub(super) arguments: Vec<Argument>,
}

/// An argument after `&self`.
pub(super) struct Argument {
    pub(super) ident: Ident,
    pub(super) ty: Type,
}

impl Argument {
    /// Whether every attempt borrows it; what is not borrowed is cloned for each.
    pub(super) fn is_borrowed(&self) -> bool {
        matches!(self.ty, Type::Reference(_))
    }
}
