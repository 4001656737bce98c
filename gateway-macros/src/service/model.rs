//! A checked service: the only input that [`super::expand`] accepts.

use proc_macro2::{Ident, Span, TokenStream};
use syn::{Attribute, Expr, Fields, Type, Visibility};

use crate::attr::ArgumentValue;
use crate::effect::Effect;
use crate::literal::{Millis, Money, Quota};

/// `#[service]` on a struct.
pub(super) struct Service {
    pub(super) ident: Ident,
    pub(super) vis: Visibility,
    pub(super) fields: Fields,
    pub(super) name: String,
    pub(super) version: u32,
    pub(super) title: String,
    /// A string expression.
    pub(super) description: TokenStream,
    pub(super) strategy: Option<Expr>,
    pub(super) auth: Option<Auth>,
    pub(super) scopes: Vec<String>,
}

/// `#[service]` on an impl block.
pub(super) struct Methods {
    pub(super) service: Type,
    pub(super) list: Vec<Method>,
}

/// An exposed method with a valid signature.
pub(super) struct Method {
    /// The `#[cfg]` attributes, repeated on everything that is generated for the method.
    pub(super) cfgs: Vec<Attribute>,
    /// The attributes that the author wrote on the method, without our own.
    pub(super) attrs: Vec<Attribute>,
    pub(super) ident: Ident,
    pub(super) verb: Verb,
    pub(super) name: String,
    pub(super) title: String,
    /// A string expression.
    pub(super) description: TokenStream,
    pub(super) effect: Effect,
    pub(super) price: Option<ArgumentValue<Money>>,
    pub(super) cache: Option<(Millis, CacheScope)>,
    pub(super) quota: Option<Quota>,
    pub(super) idempotency: Idempotency,
    pub(super) auth: Option<Auth>,
    pub(super) scopes: Vec<String>,
    pub(super) errors: Vec<syn::Path>,
    pub(super) strategy: Option<Expr>,
    pub(super) timeout: Option<Millis>,
    /// The name of the secret with which the sender signs.
    pub(super) webhook: Option<String>,
    pub(super) deprecated: bool,
    /// The types of the arguments after `&self`.
    pub(super) arguments: Vec<Type>,
    /// The span of the argument list.
    pub(super) inputs: Span,
    pub(super) output: Type,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Verb {
    pub(super) const ALL: [Self; 5] = [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Returns whether the input comes from the query string rather than from a JSON body.
    pub(super) fn has_query_input(self) -> bool {
        matches!(self, Self::Get | Self::Delete)
    }

    /// Returns the default effect: what HTTP promises of the method (RFC 9110 §9.2).
    pub(super) fn effect(self) -> Effect {
        match self {
            Self::Get => Effect::Read,
            Self::Put | Self::Delete => Effect::Idempotent,
            Self::Post | Self::Patch => Effect::Once,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Auth {
    Required,
    Optional,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Idempotency {
    Required,
    Optional,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CacheScope {
    Account,
    Global,
}
