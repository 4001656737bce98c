//! Expressions that every kind of entry has: source location, constructor, strategy, cost.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Fields, Type};

use crate::literal::{Millis, Money};
use crate::{attr::ArgumentValue, paths};

/// Returns `SourceLocation { file, line }` of the author's code at `span`.
pub(crate) fn source(span: Span) -> TokenStream {
    let gw = paths::private();
    let line = line_of(span);
    quote!(#gw::SourceLocation { file: ::core::file!(), line: #line })
}

/// Returns the line of a span. `line!()` would give the line of the attribute, the same for all
/// methods of an impl.
fn line_of(span: Span) -> u32 {
    if !proc_macro::is_available() {
        return 1;
    }
    u32::try_from(span.unwrap().line()).unwrap_or(u32::MAX)
}

/// Generates `|scope| instance(Struct { field: FromApp::from_app(scope)?, … })`.
pub(crate) fn build(instance: &TokenStream, ident: &Ident, fields: &Fields) -> TokenStream {
    let scope = Ident::new("__scope", Span::mixed_site());
    let pattern = if fields.is_empty() { quote!(_) } else { quote!(#scope) };
    let value = from_app(&quote!(#ident), fields, &scope);
    quote!(|#pattern| #instance(#value))
}

/// Generates `Struct { field: FromApp::from_app(scope)?, … }`, each field spanned as its own type.
pub(crate) fn from_app(constructor: &TokenStream, fields: &Fields, scope: &Ident) -> TokenStream {
    let gw = paths::private();
    let values = fields.members().zip(fields).map(|(member, field)| {
        let cfgs = field.attrs.iter().filter(|attr| attr.path().is_ident("cfg"));
        let ty = &field.ty;
        let value = quote_spanned!(ty.span()=> <#ty as #gw::FromApp>::from_app(#scope)?);
        quote!(#(#cfgs)* #member: #value)
    });
    quote!(#constructor { #(#values),* })
}

/// Generates `Some(…)` of the strategy's constructor, or `None`. A bare path names a type with
/// `Default`.
pub(crate) fn strategy(strategy: Option<&Expr>) -> TokenStream {
    let gw = paths::private();
    match strategy {
        None => quote!(#gw::None),
        Some(Expr::Path(path)) => {
            let path: &Expr = &Expr::Path(path.clone());
            quote_spanned!(path.span()=> #gw::Some(#gw::default_strategy::<#path>))
        }
        Some(expression) => {
            quote_spanned!(expression.span()=> #gw::Some(|| #gw::Arc::new(#expression)))
        }
    }
}

/// Generates `Money::literal(…)`, spanned as the author's literal, since the compiler reports an
/// unknown currency there.
pub(crate) fn money(money: &ArgumentValue<Money>) -> TokenStream {
    // The literal is the last of the tokens.
    let at =
        money.at.clone().into_iter().last().map_or_else(Span::call_site, |literal| literal.span());
    let gw = paths::private_at(at);
    let Money { nanos, currency } = &money.value;
    quote_spanned!(at=> #gw::Money::literal(#nanos, #currency))
}

pub(crate) fn duration(millis: Millis) -> TokenStream {
    let gw = paths::private();
    let millis = millis.0;
    quote!(#gw::Duration::from_millis(#millis))
}

/// Returns whether strategies and cost functions see an argument: a reference to a sized type that
/// borrows nothing itself.
pub(crate) fn is_seen(ty: &Type) -> bool {
    let Type::Reference(reference) = ty else {
        return false;
    };
    let unsized_or_opaque = match &*reference.elem {
        Type::Slice(_) | Type::TraitObject(_) | Type::ImplTrait(_) => true,
        Type::Path(path) => path.path.is_ident("str"),
        _ => false,
    };
    !unsized_or_opaque && crate::signature::borrow_in(&reference.elem).is_none()
}
