//! A checked provider: the only input that [`super::expand`] accepts.

use proc_macro2::{Ident, TokenStream};
use syn::{Attribute, Fields, Path, Type};

use crate::attr::ArgumentValue;
use crate::literal::Money;

/// `#[provider]` on a struct.
pub(super) struct Provider {
    pub(super) ident: Ident,
    pub(super) fields: Fields,
    pub(super) name: String,
    pub(super) title: String,
    /// A string expression.
    pub(super) description: TokenStream,
}

/// `#[provider]` on the impl of a capability.
pub(super) struct Provided {
    pub(super) capability: Path,
    pub(super) provider: Type,
    pub(super) methods: Vec<Method>,
}

/// A method with a declared cost.
pub(super) struct Method {
    /// The `#[cfg]` attributes, repeated on everything that is generated for the method.
    pub(super) cfgs: Vec<Attribute>,
    pub(super) ident: Ident,
    pub(super) cost: Cost,
    /// The types of the arguments after `&self`.
    pub(super) arguments: Vec<Type>,
}

/// The cost of one call (SEMANTICS §7: what the attempt costs us).
pub(super) enum Cost {
    Fixed(ArgumentValue<Money>),
    /// A function of the arguments that are taken by reference.
    Computed(Path),
}
