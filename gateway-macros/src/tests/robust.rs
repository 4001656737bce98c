//! Tests with invalid attributes and bodies: the author's code is preserved, and no macro panics.

use proc_macro2::TokenStream;
use proptest::prelude::*;
use quote::quote;

use super::{MACROS, apply, named};

/// Returns items with every kind of invalid attribute; each body contains `kept`.
fn wrong() -> Vec<(&'static str, TokenStream, TokenStream)> {
    let method = |helper: TokenStream, head: TokenStream| {
        quote! {
            impl Currency {
                #helper
                #head { self.kept() }

                fn other(&self) -> u32 { self.kept_too }
            }
        }
    };
    let good = quote!(async fn rates(&self) -> Result<()>);
    vec![
        ("service", quote!(name = "x"), method(quote!(#[expose_method(GET)]), good.clone())),
        ("service", quote!(), method(quote!(#[expose_method]), good.clone())),
        (
            "service",
            quote!(),
            method(quote!(#[expose_method(GTE, price = , = 4 "x")]), good.clone()),
        ),
        ("service", quote!(), method(quote!(#[expose_method = 3]), good.clone())),
        ("service", quote!(), method(quote!(), good.clone())),
        ("service", quote!(), method(quote!(#[expose_method(GET)]), quote!(fn rates()))),
        (
            "service",
            quote!(),
            method(quote!(#[expose_method(GET)]), quote!(async fn rates<T>(self, a: &T))),
        ),
        ("provider", quote!(), method(quote!(#[provide_method(cost = 1)]), good.clone())),
        ("capability", quote!(), method(quote!(#[provide_method(cost = 1)]), good.clone())),
        ("model", quote!(x), method(quote!(), good.clone())),
        (
            "service",
            quote!(),
            quote!(
                impl Rates for Currency {
                    #[expose_method(GET)]
                    async fn rates(&self) {
                        self.kept()
                    }
                    fn other(&self) {
                        self.kept_too
                    }
                }
            ),
        ),
        (
            "provider",
            quote!(name = "x"),
            quote!(
                impl Rates for Currency {
                    #[provide_method(effect = read)]
                    fn rates<'a>(&'a mut self) {
                        self.kept()
                    }
                    fn other(&self) {
                        self.kept_too
                    }
                }
            ),
        ),
        (
            "capability",
            quote!(name = "x"),
            quote!(
                trait Rates<T>: Clone {
                    async fn rates(&self, a: T) {
                        self.kept()
                    }
                    #[provide_method(effect = reed)]
                    fn other() {
                        self.kept_too
                    }
                }
            ),
        ),
        (
            "expose_method",
            quote!(GET),
            quote!(
                async fn rates(&self) {
                    self.kept();
                    self.kept_too
                }
            ),
        ),
    ]
}

#[test]
fn a_wrong_attribute_leaves_the_code_in_place() {
    for (name, args, item) in wrong() {
        let out = named(name)(args, item.clone());
        let shown = out.to_string();
        assert!(shown.contains("compile_error"), "#[{name}] found nothing wrong with {item}");
        assert!(
            shown.contains("self . kept ()") && shown.contains("self . kept_too"),
            "#[{name}] lost code: {shown}"
        );
        syn::parse2::<syn::File>(out)
            .unwrap_or_else(|error| panic!("#[{name}] made no Rust: {error}: {shown}"));
    }
}

#[test]
fn a_body_half_typed_passes_through() {
    for (name, item) in [
        (
            "service",
            "impl Currency { #[expose_method(GTE)] async fn rates(&self) -> Result<()> { \
             self.http. } }",
        ),
        (
            "provider",
            "impl Rates for Fixer { async fn rates(&self) -> Result<()> { let x = ; self.http. } }",
        ),
        (
            "capability",
            "trait Rates { #[provide_method] async fn rates(&self) -> Result<()> { if self.http. } \
             }",
        ),
    ] {
        let shown = named(name)(TokenStream::new(), item.parse().unwrap()).to_string();
        assert!(shown.contains("self . http ."), "#[{name}] lost what was being typed: {shown}");
        assert!(!shown.contains("expected"), "#[{name}] complained about the body: {shown}");
    }
}

#[test]
fn invalid_rust_passes_through_unchanged() {
    for (name, expand) in MACROS {
        let shown = expand(TokenStream::new(), quote!(struct struct { self.kept() })).to_string();
        assert!(shown.contains("struct struct { self . kept () }"), "#[{name}]: {shown}");
    }
}

#[test]
fn one_mistake_is_one_error() {
    for (args, errors) in [
        ("name = \"a\"", 0),
        ("nmae = \"a\"", 1),
        ("name = ", 1),
        ("name \"a\"", 1),
        ("name = \"a\" version = 2", 1),
        ("name = \"a\", name = \"b\"", 1),
        ("3, name = \"a\"", 1),
        ("name = \"A\", version = 0, nmae", 3),
        (",", 1),
    ] {
        let out = named("service")(
            args.parse().unwrap(),
            quote!(
                struct Currency;
            ),
        )
        .to_string();
        assert_eq!(out.matches("compile_error").count(), errors, "#[service({args})]: {out}");
    }
}

#[test]
fn one_mistake_in_an_exposed_method_is_one_error() {
    for (args, errors) in [
        ("GET", 0),
        ("GET,", 0),
        ("POST, effect = read, cache = \"60s\", cache_scope = global, idempotency = none", 0),
        ("PUT, idempotency = required, auth = required, scopes(\"a\"), price = \"0 EUR\"", 0),
        (
            "DELETE, effect = keyed, quota = \"1/day\", timeout = \"1ms\", strategy = \
             Weighted::<A, B>::new(), deprecated",
            0,
        ),
        ("POST, webhook = HmacSha256(\"A\"), timeout = \"5s\", quota = \"1/s\"", 0),
        ("", 1),
        ("post, idempotency = required", 1),
        ("GTE, cache = \"60s\", auth = none", 1),
        ("cache = \"60s\"", 1),
        ("cache = \"60s\", GET", 1),
        ("GET, cache = \"60\", cache_scope = global", 1),
        ("GET, cache = 60s, cache_scope = global", 1),
        ("GET, effect = once, cache = \"1s\"", 1),
        ("GET, effect = write, cache = \"1s\"", 1),
        ("POST, webhook = HmacSha1(\"A\"), auth = required", 1),
        ("GET, webhook = HmacSha256(\"A\")", 1),
        ("GET, price = \"1\", auth = none", 1),
        ("GET, auth = nobody, scopes(\"a\")", 1),
        ("GET, deprecated = true", 1),
        ("GET, scopes()", 1),
        ("GET, name = \"A\", price = \"1\", quota = \"1\"", 3),
    ] {
        let args: TokenStream = args.parse().unwrap();
        let helper: syn::Attribute = syn::parse_quote!(#[expose_method(#args)]);
        let item = quote!(impl X { #helper async fn a(&self) -> R { self.b } });
        let out = named("service")(TokenStream::new(), item).to_string();
        assert_eq!(out.matches("compile_error").count(), errors, "#[expose_method({args})]: {out}");
    }
}

fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "name",
        "version",
        "price",
        "cache",
        "scopes",
        "effect",
        "cost",
        "webhook",
        "strategy",
        "deprecated",
        "GET",
        "POST",
        "read",
        "once",
        "none",
        "HmacSha256",
        "\"a\"",
        "\"1 USD\"",
        "\"60s\"",
        "1",
        "0.5",
        "=",
        ",",
        ",",
        "::",
        "<",
        ">",
        "&",
        "->",
        "{}",
        "()",
        "(&self)",
        "(self)",
        "(&self, a: &T)",
        "[]",
        "struct",
        "impl",
        "trait",
        "async",
        "fn",
        "pub",
        "for",
        "where",
        "const",
        "unsafe",
        "enum",
        "X",
        "T",
        "'a",
        "Self",
        "self",
        "Result<()>",
        ";",
        "#[expose_method(GET)]",
        "#[provide_method(effect = read)]",
        "#[cfg(x)]",
        "{ async fn f(&self) -> R {} }",
        "{ fn f(self); const C: u8; }",
    ])
}

fn tokens(length: usize) -> impl Strategy<Value = TokenStream> {
    prop::collection::vec(word(), 0..length)
        .prop_filter_map("no tokens", |words| words.join(" ").parse().ok())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nothing_panics(args in tokens(8), item in tokens(12)) {
        for (_, expand) in MACROS {
            expand(args.clone(), item.clone());
        }
        crate::derive::from_app(item.clone());
        crate::derive::from_call(item);
    }

    #[test]
    fn no_arguments_panic(args in tokens(12)) {
        let helper: syn::Attribute = syn::parse_quote!(#[expose_method(#args)]);
        let cost: syn::Attribute = syn::parse_quote!(#[provide_method(#args)]);
        let item = quote!(impl X { #helper async fn a(&self) -> R {} });
        apply(&syn::parse_quote!(#[service]), item);
        let item = quote!(impl T for X { #cost async fn a(&self) -> R {} });
        apply(&syn::parse_quote!(#[provider]), item);
        apply(&syn::parse_quote!(#[capability]), quote!(trait T { #cost async fn a(&self) -> R; }));
        for name in ["service", "provider", "model"] {
            named(name)(args.clone(), quote!(struct X;));
        }
    }
}
