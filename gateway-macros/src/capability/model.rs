//! A checked capability: the only input that [`super::expand`] accepts.

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

/// A method that a pool can call repeatedly.
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
    /// Returns whether every attempt borrows the argument. Other arguments are cloned for each
    /// attempt.
    pub(super) fn is_borrowed(&self) -> bool {
        matches!(self.ty, Type::Reference(_))
    }
}
