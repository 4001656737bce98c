//! The syntax of one argument: a name, and optionally a value or a list.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Expr, ExprLit, Lit, LitInt, LitStr, Token};

pub(super) struct Arg {
    pub(super) name: Ident,
    pub(super) value: Value,
}

pub(super) enum Value {
    /// A name alone: `deprecated`.
    Flag,
    /// A name and an expression: `name = "currency"`.
    Is(Expr),
    /// A name and a list in parentheses: `scopes("a", "b")`.
    List(Group),
}

impl Parse for Arg {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.call(Ident::parse_any)?;
        let value = if input.parse::<Option<Token![=]>>()?.is_some() {
            Value::Is(input.parse()?)
        } else if input.peek(syn::token::Paren) {
            Value::List(input.parse()?)
        } else {
            Value::Flag
        };
        Ok(Self { name, value })
    }
}

impl ToTokens for Arg {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { name, value } = self;
        tokens.extend(match value {
            Value::Flag => quote!(#name),
            Value::Is(value) => quote!(#name = #value),
            Value::List(list) => quote!(#name #list),
        });
    }
}

impl Value {
    pub(super) fn string(&self) -> Option<LitStr> {
        match self {
            Self::Is(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) => Some(text.clone()),
            _ => None,
        }
    }

    pub(super) fn integer(&self) -> Option<LitInt> {
        match self {
            Self::Is(Expr::Lit(ExprLit { lit: Lit::Int(number), .. }))
                if number.suffix().is_empty() =>
            {
                Some(number.clone())
            }
            _ => None,
        }
    }

    pub(super) fn word(&self) -> Option<String> {
        match self {
            Self::Is(Expr::Path(path)) => path.path.get_ident().map(Ident::to_string),
            _ => None,
        }
    }
}

pub(super) fn skip_to_comma(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        if input.parse::<TokenTree>().is_err() {
            return;
        }
    }
}
