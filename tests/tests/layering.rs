//! The invariants of ARCHITECTURE.md: what each file of the runtime may import, and who may name which library.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use syn::visit::Visit;

/// The floors, lowest first: each module may import those of its own floor and below.
const FLOORS: &[&[&str]] = &[
    &[
        "attempt",
        "authority",
        "body",
        "call",
        "cost",
        "country",
        "digest",
        "document",
        "duration",
        "error",
        "home",
        "metrics",
        "money",
        "problem",
        "reply",
        "secret",
        "spec",
    ],
    &[
        "app",
        "auth",
        "bus",
        "cache",
        "compose",
        "control",
        "dispatch",
        "extract",
        "provider",
        "publisher",
        "quota",
        "redis",
        "registry",
        "schema",
        "section",
        "store",
        "strategy",
        "support",
    ],
    &["pipeline"],
    &["http", "client", "admin", "relay", "consume"],
    &["config", "telemetry", "gateway"],
];

/// Files that export, and belong to no floor.
const EXPORTS: &[&str] = &["lib", "prelude", "private"];

/// Modules of one floor that must not know each other.
const STRANGERS: &[(&str, &str)] = &[
    ("http", "client"),
    ("client", "http"),
    ("admin", "http"),
    ("admin", "client"),
    ("http", "admin"),
    ("client", "admin"),
    ("relay", "http"),
    ("http", "relay"),
    ("relay", "client"),
    ("consume", "http"),
    ("consume", "relay"),
    ("consume", "client"),
    ("relay", "admin"),
    ("provider", "registry"),
    ("schema", "registry"),
];

/// Libraries that only these modules name.
const BEHIND_ONE_MODULE: &[(&str, &[&str])] = &[
    ("jsonschema", &["schema"]),
    ("lapin", &["bus"]),
    ("redis", &["redis"]),
    ("reqwest", &["provider", "client"]),
    ("sqlx", &["store"]),
    ("age", &["config"]),
    ("brotli", &["http"]),
    ("flate2", &["http"]),
    ("quick_cache", &["cache"]),
    ("ring", &["auth"]),
    ("spki", &["auth"]),
    ("h2", &["provider"]),
    ("hyper", &["http", "provider"]),
    ("hyper_util", &["http"]),
    ("tokio_tungstenite", &["http"]),
    ("lru", &["control", "http", "provider"]),
    ("inventory", &["registry", "private"]),
    ("lexopt", &["config"]),
    ("toml", &["config", "section"]),
    ("tracing_subscriber", &["telemetry"]),
];

/// The first names of paths in a file, and the second where the first is `crate`.
#[derive(Default)]
struct Names {
    modules: Vec<String>,
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
            syn::UseTree::Name(name) => self.path(path.iter().cloned().chain([name.ident.to_string()])),
            syn::UseTree::Rename(name) => self.path(path.iter().cloned().chain([name.ident.to_string()])),
            syn::UseTree::Glob(_) => self.path(path.iter().cloned()),
        }
    }

    fn path(&mut self, mut names: impl Iterator<Item = String>) {
        let Some(root) = names.next() else { return };
        if root == "crate" {
            self.modules.extend(names.next());
        } else {
            self.roots.push(root);
        }
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&item.tree, &mut Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            self.path(path.segments.iter().map(|segment| segment.ident.to_string()));
        }
        syn::visit::visit_path(self, path);
    }

    // Tests may use whatever they like.
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.attrs.iter().all(|attribute| !is_cfg_test(attribute)) {
            syn::visit::visit_item_mod(self, item);
        }
    }
}

fn is_cfg_test(attribute: &syn::Attribute) -> bool {
    attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
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

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|modules| modules.contains(&module))
}

fn names(file: &syn::File) -> Names {
    let mut names = Names::default();
    names.visit_file(file);
    names
}

#[test]
fn every_module_has_a_floor() {
    for name in files().keys() {
        let module = name.split('/').next().unwrap();
        assert!(
            floor(module).is_some() || EXPORTS.contains(&module),
            "`{name}.rs` is on no floor: add `{module}` to FLOORS here and to ARCHITECTURE.md"
        );
    }
}

#[test]
fn imports_point_down() {
    let mut climbing = Vec::new();
    for (name, file) in files() {
        let module = name.split('/').next().unwrap();
        let Some(own) = floor(module) else { continue };
        for import in names(&file).modules {
            if floor(&import).is_some_and(|other| other > own) || STRANGERS.contains(&(module, &import)) {
                climbing.push(format!("{name}.rs imports crate::{import}"));
            }
        }
    }
    assert!(climbing.is_empty(), "imports point down only:\n{}", climbing.join("\n"));
}

#[test]
fn libraries_stay_behind_their_modules() {
    let mut leaks = Vec::new();
    for (name, file) in files() {
        let module = name.split('/').next().unwrap();
        let roots = names(&file).roots;
        for (library, homes) in BEHIND_ONE_MODULE {
            if roots.iter().any(|root| root == library) && !homes.contains(&module) {
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
    let file =
        syn::parse_file("use crate::{http::{route, Body}, money}; fn f() { crate::gateway::x(); hyper::y() }").unwrap();
    let names = names(&file);
    assert_eq!(names.modules, ["http", "http", "money", "gateway"]);
    assert_eq!(names.roots, ["hyper"]);
}
