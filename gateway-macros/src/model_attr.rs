//! `#[model]`: a type that goes over the wire, with all that an input or a reply needs. The
//! author's crate needs no dependency of its own for it.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Attribute, Data, DeriveInput, Path, Token};

use crate::errors::Errors;
use crate::item::{Item, bare, head_attributes};
use crate::paths;

pub(crate) fn expand(args: &TokenStream, tokens: TokenStream) -> TokenStream {
    let mut errors = Errors::new();
    if !args.is_empty() {
        errors.at(
            args,
            "`#[model]` takes no arguments",
            "what serde and schemars take stands in their own attributes: `#[serde(…)]`, \
             `#[schemars(…)]`",
        );
    }
    if let Ok(input) = syn::parse2::<DeriveInput>(tokens.clone()) {
        refuse_unseen(&input, &mut errors);
    }
    let derives = match Item::read(tokens.clone()) {
        Ok(Item::Struct(item)) => derives(&item.attrs, &generic_name(&tokens)),
        Ok(Item::Other("an enum")) => derives(&head_attributes(&tokens), &generic_name(&tokens)),
        Ok(other) => {
            let wrong = format!("`#[model]` is for a struct or an enum, not for {}", other.kind());
            errors.here(wrong, "write it above the type that goes over the wire");
            TokenStream::new()
        }
        Err(error) => {
            errors.push(error);
            TokenStream::new()
        }
    };
    let errors = errors.into_tokens();
    quote!(#errors #derives #tokens)
}

/// Returns the derives that the author has not written, and the paths of serde and schemars.
fn derives(attrs: &[Attribute], name: &TokenStream) -> TokenStream {
    let gw = paths::private();
    let written = derived(attrs);
    let wanted = [
        ("Debug", quote!(::core::fmt::Debug)),
        ("Clone", quote!(::core::clone::Clone)),
        ("Serialize", quote!(#gw::serde::Serialize)),
        ("Deserialize", quote!(#gw::serde::Deserialize)),
        ("JsonSchema", quote!(#gw::schemars::JsonSchema)),
    ];
    let missing = wanted.iter().filter(|(name, _)| !written.iter().any(|written| written == name));
    let missing = missing.map(|(_, path)| path);
    let serde = format!("{gw}::serde").replace(' ', "");
    let schemars = format!("{gw}::schemars").replace(' ', "");
    let serde = (!says_crate(attrs, "serde")).then(|| quote!(#[serde(crate = #serde)]));
    let schemars = (!says_crate(attrs, "schemars")).then(|| quote!(#[schemars(crate = #schemars)]));
    quote_spanned!(Span::call_site()=> #[derive(#(#missing),*)] #serde #schemars #name)
}

/// Returns the last path segments of all derives on the item.
fn derived(attrs: &[Attribute]) -> Vec<String> {
    let lists = attrs.iter().filter(|attr| attr.path().is_ident("derive"));
    let paths = lists.filter_map(|attr| {
        attr.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated).ok()
    });
    paths
        .flatten()
        .filter_map(|path| path.segments.last().map(|last| last.ident.to_string()))
        .collect()
}

/// Returns the schema name of a generic type, built from its type parameters: `PageOfNote`.
/// `schemars` calls all of them `Page`.
fn generic_name(tokens: &TokenStream) -> TokenStream {
    let Ok(DeriveInput { attrs, ident, generics, .. }) = syn::parse2(tokens.clone()) else {
        return TokenStream::new();
    };
    let names: Vec<_> =
        generics.type_params().map(|param| format!("{{{}}}", param.ident)).collect();
    let is_named = ["serde", "schemars"]
        .iter()
        .any(|of| says(&attrs, of, &["rename", "transparent", "bound"]).is_some());
    if names.is_empty() || is_named {
        return TokenStream::new();
    }
    let name = format!("{}Of{}", bare(&ident), names.join("And"));
    quote_spanned!(Span::call_site()=> #[schemars(rename = #name)])
}

/// Reports attributes that serde honours and the schema ignores. They could never take effect,
/// since input is validated by its schema first.
fn refuse_unseen(input: &DeriveInput, errors: &mut Errors) {
    let mut refuse = |attrs: &[Attribute], word: &str, wrong: &str, help: &str| {
        for of in ["serde", "schemars"] {
            if let Some(path) = says(attrs, of, &[word]) {
                errors.at(&path, format_args!("`#[model]` does not take `{word}`: {wrong}"), help);
            }
        }
    };
    const ALIAS: &str =
        "a schema has one name for a field, and refuses others before serde sees them";
    const ALIAS_HELP: &str = "keep one name, or add a second field and choose between them";
    let mut fields: Vec<&syn::Field> = Vec::new();
    match &input.data {
        Data::Struct(data) => fields.extend(&data.fields),
        Data::Union(_) => {}
        Data::Enum(data) => {
            for variant in &data.variants {
                refuse(&variant.attrs, "alias", ALIAS, ALIAS_HELP);
                let wrong = "a schema lists the names that there are, and refuses others before \
                             serde sees them";
                refuse(&variant.attrs, "other", wrong, "take a `String` where any name will do");
                fields.extend(&variant.fields);
            }
        }
    }
    for field in fields {
        refuse(&field.attrs, "alias", ALIAS, ALIAS_HELP);
        if says(&field.attrs, "schemars", &["with", "schema_with"]).is_none() {
            for word in ["with", "serialize_with", "deserialize_with"] {
                let wrong =
                    "the schema says how the field's type is written, and not how this writes it";
                refuse(
                    &field.attrs,
                    word,
                    wrong,
                    "add the type as which it is written: `#[schemars(with = \"String\")]`",
                );
            }
        }
    }
}

/// Returns whether the author wrote `#[serde(crate = …)]`, or the same for the crate `name`.
fn says_crate(attrs: &[Attribute], name: &str) -> bool {
    says(attrs, name, &["crate"]).is_some()
}

/// Returns the first of `words` in the attributes called `name`.
fn says(attrs: &[Attribute], name: &str, words: &[&str]) -> Option<Path> {
    let mut found = None;
    for attr in attrs.iter().filter(|attr| attr.path().is_ident(name)) {
        let syn::Meta::List(list) = &attr.meta else { continue };
        let look = syn::meta::parser(|meta| {
            if found.is_none() && words.iter().any(|word| meta.path.is_ident(word)) {
                found = Some(meta.path.clone());
            }
            // Serde checks everything else in the attribute.
            if meta.input.peek(Token![=]) {
                meta.value()?.parse::<syn::Expr>()?;
            } else if !meta.input.peek(Token![,]) {
                meta.input.parse::<Option<proc_macro2::Group>>()?;
            }
            Ok(())
        });
        let _ = look.parse2(list.tokens.clone());
    }
    found
}
