//! Helper attributes used alone. Inside their block the outer macro takes them off, so when one of these runs it stands
//! where nobody reads it.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Attribute, ImplItem, Meta, TraitItem};

use crate::boxed::boxed;
use crate::errors::Errors;
use crate::item::{Item, Member, Method};

/// An attribute that only means something within the item of another.
pub(crate) struct Helper {
    /// `expose_method`
    pub(crate) name: &'static str,
    /// `#[expose_method]`
    label: &'static str,
    /// Where it belongs, as the end of "… is read only on".
    place: &'static str,
    help: &'static str,
}

pub(crate) const EXPOSE_METHOD: Helper = Helper {
    name: "expose_method",
    label: "#[expose_method]",
    place: "the methods of a `#[service] impl`",
    help: "write `#[service]` above the impl block of the service, and this above one of its methods",
};

pub(crate) const PROVIDE_METHOD: Helper = Helper {
    name: "provide_method",
    label: "#[provide_method]",
    place: "the methods of a `#[capability] trait` and of a `#[provider] impl`",
    help: "write `#[capability]` above the trait, or `#[provider]` above the impl",
};

/// The argument by which the outer macros tell a mention from a use.
const NAMED: &str = "__named";

/// What the helper itself expands to: nothing for a mention, else the item as it was and an error.
pub(crate) fn expand(helper: &Helper, args: &TokenStream, item: TokenStream) -> TokenStream {
    if args.to_string() == NAMED {
        return TokenStream::new();
    }
    let mut errors = Errors::new();
    let Helper { label, place, help, .. } = helper;
    errors.here(format_args!("`{label}` is read only on {place}"), help);
    let errors = errors.into_tokens();
    quote!(#errors #item)
}

/// Names each helper path once, so that an author's `use` of it counts as used and an editor finds its documentation.
pub(crate) fn mentions(helpers: &[Attribute]) -> TokenStream {
    let mut seen = Vec::new();
    let mut mentions = TokenStream::new();
    let named = Ident::new(NAMED, Span::call_site());
    for helper in helpers {
        let path = helper.path();
        if !seen.contains(&path) {
            seen.push(path);
            mentions.extend(quote!(#[#path(#named)] const _: () = ();));
        }
    }
    mentions
}

/// Takes the helper off a method that has it.
pub(crate) fn take(helper: &Helper, method: &mut Method, errors: &mut Errors) -> Option<Attribute> {
    let mut taken = method.take_attributes(helper.name).into_iter();
    let Some(first) = taken.next() else {
        conditional(helper, method, errors);
        return None;
    };
    for again in taken {
        errors.at(
            again,
            format_args!("`{}` stands here twice", helper.label),
            "keep one of the two",
        );
    }
    Some(first)
}

/// An item under the wrong attribute, as the right one would have left it: that it is the wrong one is error enough.
pub(crate) fn without_helpers(item: Item, tokens: TokenStream) -> TokenStream {
    match item {
        Item::Impl(mut item, members) => {
            item.items =
                vec![ImplItem::Verbatim(members.into_iter().map(without_helper).collect())];
            item.into_token_stream()
        }
        Item::Trait(mut item, members) => {
            item.items =
                vec![TraitItem::Verbatim(members.into_iter().map(without_helper).collect())];
            item.into_token_stream()
        }
        Item::Struct(_) | Item::Other(_) => tokens,
    }
}

fn without_helper(member: Member) -> TokenStream {
    let Member::Method(mut method) = member else {
        return member.into_token_stream();
    };
    method.take_attributes(EXPOSE_METHOD.name);
    if method.take_attributes(PROVIDE_METHOD.name).is_empty() {
        method.into_token_stream()
    } else {
        boxed(&method)
    }
}

/// `#[cfg_attr(…, helper)]` is still unread when the outer macro runs.
fn conditional(helper: &Helper, method: &mut Method, errors: &mut Errors) {
    method.attrs.retain(|attr| {
        let hidden = attr.path().is_ident("cfg_attr")
            && mentions_word(attr.meta.to_token_stream(), helper.name);
        if hidden {
            errors.at(
                attr,
                format_args!("`{}` cannot stand in a `#[cfg_attr]`", helper.label),
                "write `#[cfg(…)]` on the method, and the attribute beside it",
            );
        }
        !hidden
    });
}

fn mentions_word(tokens: TokenStream, word: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == word,
        TokenTree::Group(group) => mentions_word(group.stream(), word),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// What stands in the parentheses of a helper.
pub(crate) fn arguments(helper: &Attribute) -> syn::Result<TokenStream> {
    match &helper.meta {
        Meta::Path(_) => Ok(TokenStream::new()),
        Meta::List(list) => Ok(list.tokens.clone()),
        Meta::NameValue(_) => Err(syn::Error::new_spanned(
            helper,
            "the arguments of this attribute stand in parentheses",
        )),
    }
}
