//! The invariants of ARCHITECTURE.md: what each file of the runtime may import, and who may name
//! which library.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use syn::visit::Visit;

mod circles;

/// The folders, lowest first: each may import itself and those of earlier lines, and none of its
/// own line.
const ORDER: &[&[&str]] = &[
    &["json"],
    &["base"],
    &["redis", "resolver"],
    &["provider", "quota", "cache"],
    &["auth"],
    &["store"],
    &["bus"],
    &["control"],
    &["service"],
    &["pipeline"],
    &["edge/dispatch", "edge/request"],
    &[
        "edge/http",
        "edge/proxy",
        "edge/bus_dispatch",
        "edge/bus_consumer",
        "edge/client",
        "edge/admin",
    ],
    &["gateway"],
];

/// Files that export, and have no place in the order.
const EXPORTS: &[&str] = &["lib", "prelude", "private", "edge"];

/// Libraries that only these modules name.
const BEHIND_ONE_MODULE: &[(&str, &[&str])] = &[
    ("jsonschema", &["json"]),
    ("lapin", &["bus"]),
    ("hickory_resolver", &["resolver"]),
    ("redis", &["redis"]),
    ("reqwest", &["provider", "edge/client"]),
    ("sqlx", &["store"]),
    ("age", &["gateway"]),
    ("brotli", &["edge/http"]),
    ("flate2", &["edge/http"]),
    ("quick_cache", &["cache"]),
    ("ring", &["auth", "json", "edge/http", "edge/proxy"]),
    ("spki", &["auth"]),
    ("h2", &["edge/http", "edge/proxy", "provider"]),
    ("hyper", &["edge/http", "edge/proxy", "provider"]),
    ("hyper_util", &["edge/http", "edge/proxy"]),
    ("tokio_tungstenite", &["edge/http"]),
    ("lru", &["control", "edge/http", "provider"]),
    ("inventory", &["service", "private"]),
    ("lexopt", &["gateway"]),
    ("toml", &["gateway", "json"]),
    ("tracing_subscriber", &["gateway"]),
    ("async_rs", &["bus"]),
    ("futures_io", &["bus"]),
];

/// The paths in a file, from the root of the crate: `crate::`, `super::` and `self::` are resolved.
/// Those of other crates begin with the crate's name.
#[derive(Default)]
struct Names {
    /// The module of the file.
    own: Vec<String>,
    modules: Vec<Vec<String>>,
    roots: Vec<String>,
}

impl Names {
    fn tree(&mut self, tree: &syn::UseTree, path: &mut Vec<String>) {
        match tree {
            syn::UseTree::Path(p) => {
                path.push(p.ident.to_string());
                self.tree(&p.tree, path);
                path.pop();
            }
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.tree(item, path)),
            syn::UseTree::Name(name) => {
                self.path(path.iter().cloned().chain([name.ident.to_string()]))
            }
            syn::UseTree::Rename(name) => {
                self.path(path.iter().cloned().chain([name.ident.to_string()]))
            }
            syn::UseTree::Glob(_) => self.path(path.iter().cloned()),
        }
    }

    fn path(&mut self, names: impl Iterator<Item = String>) {
        let mut names = names.peekable();
        let Some(root) = names.peek().cloned() else { return };
        let mut module = match &*root {
            "crate" => Vec::new(),
            "self" | "super" => self.own.clone(),
            _ => return self.roots.push(root),
        };
        for name in names {
            match &*name {
                "crate" | "self" => {}
                "super" => drop(module.pop()),
                _ => module.push(name),
            }
        }
        self.modules.push(module);
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&item.tree, &mut Vec::new());
    }

    /// `pub(in crate::pipeline)` imports nothing.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            self.path(path.segments.iter().map(|segment| segment.ident.to_string()));
        }
        syn::visit::visit_path(self, path);
    }

    /// The paths in the tokens of a macro, which are no syntax tree yet.
    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        syn::visit::visit_macro(self, item);
        let text = item.tokens.to_string().replace("$ crate", "crate");
        for (at, _) in text.match_indices("crate :: ") {
            let path = text[at..]
                .split(" :: ")
                .map(|name| name.split(|c: char| !is_name(c)).next().unwrap_or_default());
            self.path(path.take(3).take_while(|name| !name.is_empty()).map(str::to_owned));
        }
    }

    // Tests may use whatever they like.
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.attrs.iter().all(|attribute| !is_cfg_test(attribute)) {
            self.own.push(item.ident.to_string());
            syn::visit::visit_item_mod(self, item);
            self.own.pop();
        }
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_cfg_test(attribute: &syn::Attribute) -> bool {
    attribute.path().is_ident("cfg")
        && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
}

fn source_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../gateway-runtime/src")
}

/// Each file of the runtime by its path without `.rs`, tests left out.
fn files() -> BTreeMap<String, syn::File> {
    fn walk(folder: &Path, root: &Path, files: &mut BTreeMap<String, syn::File>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().with_extension("").display().to_string();
            if path.is_dir() && !name.ends_with("tests") {
                walk(&path, root, files);
            } else if path.extension().is_some_and(|e| e == "rs") && !name.ends_with("tests") {
                let text = std::fs::read_to_string(&path).unwrap();
                files.insert(name, syn::parse_file(&text).unwrap());
            }
        }
    }
    let mut files = BTreeMap::new();
    walk(&source_root(), &source_root(), &mut files);
    assert!(files.len() > 10, "the runtime's source is not where it was");
    files
}

/// The folder that a module path is in: of `edge`, its part.
fn folder(path: &[String]) -> String {
    match path {
        [first, part, ..] if first == "edge" => format!("edge/{part}"),
        [first, ..] => first.clone(),
        [] => "lib".to_owned(),
    }
}

fn place(folder: &str) -> Option<usize> {
    ORDER.iter().position(|folders| folders.contains(&folder))
}

fn module_of(name: &str) -> Vec<String> {
    name.split('/').filter(|part| *part != "mod").map(str::to_owned).collect()
}

fn names(name: &str, file: &syn::File) -> Names {
    let mut names = Names { own: module_of(name), ..Names::default() };
    names.visit_file(file);
    names
}

/// Where each name of the crate's root comes from: `Code` from `base`.
fn root_names(lib: &syn::File) -> BTreeMap<String, String> {
    fn leaves(tree: &syn::UseTree, path: &mut Vec<String>, names: &mut BTreeMap<String, String>) {
        match tree {
            syn::UseTree::Path(p) => {
                path.extend(Some(p.ident.to_string()).filter(|name| name != "self"));
                leaves(&p.tree, path, names);
                path.pop();
            }
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|item| leaves(item, &mut path.clone(), names))
            }
            syn::UseTree::Name(syn::UseName { ident, .. })
            | syn::UseTree::Rename(syn::UseRename { rename: ident, .. }) => {
                let whole: Vec<_> = path.iter().cloned().chain([ident.to_string()]).collect();
                names.insert(ident.to_string(), folder(&whole));
            }
            syn::UseTree::Glob(_) => {}
        }
    }
    let mut names = BTreeMap::new();
    for item in &lib.items {
        if let syn::Item::Use(item) = item {
            leaves(&item.tree, &mut Vec::new(), &mut names);
        }
    }
    names
}

#[test]
fn every_folder_has_a_place() {
    for name in files().keys() {
        let folder = folder(&module_of(name));
        assert!(
            place(&folder).is_some() || EXPORTS.contains(&&*folder),
            "`{name}.rs` has no place: add `{folder}` to ORDER here and to ARCHITECTURE.md"
        );
    }
}

#[test]
fn imports_point_down() {
    let files = files();
    let roots = root_names(&files["lib"]);
    let mut climbing = Vec::new();
    for (name, file) in &files {
        let own = folder(&module_of(name));
        let Some(own_place) = place(&own) else { continue };
        for import in names(name, file).modules {
            let other = folder(&import);
            let other =
                if place(&other).is_some() { &other } else { roots.get(&other).unwrap_or(&other) };
            if *other != own && place(other).is_some_and(|other| other >= own_place) {
                climbing.push(format!("{name}.rs imports crate::{}", import.join("::")));
            }
        }
    }
    assert!(climbing.is_empty(), "imports point down only:\n{}", climbing.join("\n"));
}

#[test]
fn libraries_stay_behind_their_modules() {
    let mut leaks = Vec::new();
    for (name, file) in files() {
        let folder = folder(&module_of(&name));
        let roots = names(&name, &file).roots;
        for (library, homes) in BEHIND_ONE_MODULE {
            if roots.iter().any(|root| root == library) && !homes.contains(&&*folder) {
                leaks.push(format!("{name}.rs names {library}, which belongs to {homes:?}"));
            }
        }
    }
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for() {
    for (name, file) in files() {
        let documented = file.attrs.iter().any(|attribute| attribute.path().is_ident("doc"));
        assert!(documented, "{name}.rs does not begin with a `//!` line");
    }
}

#[test]
fn the_test_sees_what_it_forbids() {
    let file = syn::parse_file(
        "use crate::{edge::http::{route, Body}, Code}; use super::super::store; \
         fn f() { crate::gateway::x(); hyper::y(); line!(crate::control::Z, 1) } \
         mod inner { use super::base; }",
    )
    .unwrap();
    let names = names("pipeline/billing/mod", &file);
    let modules: Vec<_> = names.modules.iter().map(|path| path.join("::")).collect();
    let expected =
        ["edge::http::route", "edge::http::Body", "Code", "store", "gateway::x", "control::Z"];
    assert_eq!(modules[..6], expected);
    assert_eq!(modules[6], "pipeline::billing::base");
    assert_eq!(names.roots, ["hyper"]);
}
