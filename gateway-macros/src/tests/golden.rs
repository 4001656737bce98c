//! Golden files: the code that the macros generate for one capability, one provider and one
//! service, so that a change in generated code can be reviewed.
//! `BLESS=1 cargo test -p gateway-macros golden` accepts the current output.

use std::{env, fs, path::PathBuf};

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Item, ItemFn, Stmt};

use super::apply;

fn attributes(item: &mut Item) -> &mut Vec<Attribute> {
    match item {
        Item::Struct(item) => &mut item.attrs,
        Item::Impl(item) => &mut item.attrs,
        Item::Trait(item) => &mut item.attrs,
        other => panic!("no macro stands on {}", other.to_token_stream()),
    }
}

/// Expands the macro on each item of the file. `gw` replaces the path of the private module, for
/// readability.
fn expanded(source: &str) -> String {
    let items = syn::parse_file(source).unwrap().items;
    let tokens: TokenStream = items.into_iter().map(expand).collect();
    let short = tokens.to_string().replace(":: gateway_runtime :: __private", "gw");
    let mut file = syn::parse_file(&short).unwrap();
    OpenSubmissions.visit_file_mut(&mut file);
    prettyplease::unparse(&file).replace("fn submit() {", "gw::inventory::submit! {")
}

fn expand(mut item: Item) -> TokenStream {
    let ours = attributes(&mut item);
    let at = ours.iter().position(|attr| !attr.path().is_ident("doc")).unwrap();
    let attribute = ours.remove(at);
    apply(&attribute, item.into_token_stream())
}

/// A visitor that turns macro calls into functions, since the formatter skips the content of calls.
struct OpenSubmissions;

impl VisitMut for OpenSubmissions {
    fn visit_stmt_mut(&mut self, statement: &mut Stmt) {
        if let Stmt::Macro(call) = statement {
            let content = &call.mac.tokens;
            let open: ItemFn = syn::parse2(quote!(fn submit() { #content })).unwrap();
            *statement = Stmt::Item(Item::Fn(open));
        }
        visit_mut::visit_stmt_mut(self, statement);
    }
}

fn compare(name: &str) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden");
    let source = fs::read_to_string(folder.join(name).with_extension("rs")).unwrap();
    let golden = folder.join(name).with_extension("expanded.rs");
    let made = expanded(&source);
    if env::var_os("BLESS").is_some() {
        fs::write(&golden, &made).unwrap();
    }
    let known = fs::read_to_string(&golden).unwrap_or_default();
    assert_eq!(made, known, "{} differs; BLESS=1 accepts what is made now", golden.display());
}

#[test]
fn a_capability() {
    compare("capability");
}

#[test]
fn a_provider() {
    compare("provider");
}

#[test]
fn a_service() {
    compare("service");
}
