//! Default names, titles and descriptions, derived from identifiers and doc comments.

use heck::ToSnakeCase;
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{Attribute, Expr, ExprLit, Lit, Meta};

use crate::item::bare;

/// Returns the default name: `CurrencyExchange` → `currency_exchange`.
pub(crate) fn default_name(ident: &Ident) -> String {
    bare(ident).to_snake_case()
}

/// Returns the default title: `CurrencyExchange`, `currency_exchange` → `Currency exchange`.
pub(crate) fn default_title(ident: &Ident) -> String {
    let words = default_name(ident).replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Returns the doc comment as one string expression, without the space that begins each line.
pub(crate) fn description(attrs: &[Attribute]) -> TokenStream {
    let lines: Vec<&Expr> = attrs.iter().filter_map(doc_line).collect();
    let texts: Option<Vec<String>> = lines.iter().map(|line| literal(line)).collect();
    match texts {
        Some(texts) => {
            let text = texts.join("\n");
            let text = text.trim();
            quote!(#text)
        }
        // Only the compiler can evaluate `#[doc = include_str!("…")]`.
        None => {
            let lines = lines
                .iter()
                .map(|line| literal(line).map_or_else(|| quote!(#line), |text| quote!(#text)));
            quote!(::core::concat!(#(#lines, "\n"),*).trim_ascii())
        }
    }
}

fn doc_line(attr: &Attribute) -> Option<&Expr> {
    match &attr.meta {
        Meta::NameValue(doc) if doc.path.is_ident("doc") => Some(&doc.value),
        _ => None,
    }
}

fn literal(line: &Expr) -> Option<String> {
    let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = line else {
        return None;
    };
    let text = text.value();
    Some(text.strip_prefix(' ').unwrap_or(&text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::format_ident;
    use syn::parse_quote;

    #[test]
    fn names_and_titles_come_from_identifiers() {
        for (ident, name, title) in [
            ("Currency", "currency", "Currency"),
            ("CurrencyExchange", "currency_exchange", "Currency exchange"),
            ("HTTPProxy", "http_proxy", "Http proxy"),
            ("find_all", "find_all", "Find all"),
            ("r#type", "type", "Type"),
        ] {
            let ident = match ident.strip_prefix("r#") {
                Some(raw) => Ident::new_raw(raw, proc_macro2::Span::call_site()),
                None => format_ident!("{ident}"),
            };
            assert_eq!(default_name(&ident), name);
            assert_eq!(default_title(&ident), title);
        }
    }

    #[test]
    fn doc_comments_become_one_text() {
        let attrs = [
            parse_quote!(#[doc = " Latest rates."]),
            parse_quote!(#[inline]),
            parse_quote!(#[doc = ""]),
        ];
        assert_eq!(description(&attrs).to_string(), "\"Latest rates.\"");
        let attrs = [parse_quote!(#[doc = " a"]), parse_quote!(#[doc = "   b"])];
        assert_eq!(description(&attrs).to_string(), "\"a\\n  b\"");
        assert_eq!(description(&[]).to_string(), "\"\"");
    }

    #[test]
    fn included_docs_are_left_to_the_compiler() {
        let attrs = [parse_quote!(#[doc = " a"]), parse_quote!(#[doc = include_str!("b.md")])];
        let text = description(&attrs).to_string();
        assert!(text.contains("concat") && text.contains("include_str"), "{text}");
    }
}
