//! `#[cfg(…)]` below an attribute of ours, as in `#[service] #[cfg(…)] struct …`. The condition
//! would apply to the item alone, and the code generated beside it would stay.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Meta};

use crate::paths;

/// Expands the attribute `name`, unless a `#[cfg(…)]` follows it. In that case the `#[cfg(…)]` is
/// moved to the front and the attribute behind it, so that the compiler expands the attribute only
/// if the condition holds.
pub(crate) fn first(
    name: &str,
    args: TokenStream,
    item: TokenStream,
    expand: impl FnOnce(TokenStream, TokenStream) -> TokenStream,
) -> TokenStream {
    let parser = |input: ParseStream<'_>| {
        Ok((input.call(Attribute::parse_outer)?, input.parse::<TokenStream>()?))
    };
    let Ok((attrs, rest)) = parser.parse2(item.clone()) else {
        return expand(args, item);
    };
    let (conditions, attrs): (Vec<_>, Vec<_>) = attrs.into_iter().partition(is_cfg);
    if conditions.is_empty() {
        return expand(args, item);
    }
    let gw = paths::private();
    let name = Ident::new(name, Span::call_site());
    quote!(#(#conditions)* #[#gw::#name(#args)] #(#attrs)* #rest)
}

fn is_cfg(attr: &Attribute) -> bool {
    matches!(&attr.meta, Meta::List(list) if list.path.is_ident("cfg"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(item: TokenStream) -> String {
        first("service", quote!(version = 2), item, |_, _| quote!(expanded)).to_string()
    }

    #[test]
    fn a_condition_comes_before_our_attribute() {
        assert_eq!(
            shown(quote!(
                #[doc = "a"]
                #[cfg(unix)]
                struct X;
            )),
            "# [cfg (unix)] # [:: gateway_runtime :: __private :: service (version = 2)] # [doc \
             = \"a\"] struct X ;"
        );
    }

    #[test]
    fn item_without_a_condition_is_expanded() {
        assert_eq!(
            shown(quote!(
                #[doc = "a"]
                #[cfg_attr(unix, x)]
                struct X;
            )),
            "expanded"
        );
        assert_eq!(shown("# struct".parse().unwrap()), "expanded");
    }
}
