//! Import circles: files that need each other. A name is followed through re-exports to the file
//! that defines it, and a re-export itself (`pub use` in a folder's `mod.rs`) is no import.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::Visit;

use super::{Names, files, module_of, names};

/// Files by the module they hold, and the names that each re-exports, with the path of the
/// original.
struct Modules {
    files: BTreeMap<Vec<String>, String>,
    exports: BTreeMap<(Vec<String>, String), Vec<String>>,
}

impl Modules {
    fn of(files: &BTreeMap<String, syn::File>) -> Self {
        let mut exports = BTreeMap::new();
        for (name, file) in files {
            let own = module_of(name);
            for item in &file.items {
                if let syn::Item::Use(item) = item {
                    let mut paths = Names { own: own.clone(), ..Names::default() };
                    paths.visit_item_use(item);
                    for path in paths.modules.into_iter().filter(|path| !path.is_empty()) {
                        exports.insert((own.clone(), path[path.len() - 1].clone()), path);
                    }
                }
            }
        }
        let modules = files.keys().map(|name| (module_of(name), name.clone())).collect();
        Self { files: modules, exports }
    }

    /// The file that defines what `path` names.
    fn file_of(&self, path: &[String]) -> Option<&String> {
        let mut path = path.to_vec();
        // A name may be re-exported at each folder on the way up.
        for _ in 0..8 {
            let module =
                (0..=path.len()).rev().find(|&end| self.files.contains_key(&path[..end]))?;
            let (module, rest) = path.split_at(module);
            let export =
                rest.first().and_then(|name| self.exports.get(&(module.to_vec(), name.clone())));
            match export.filter(|target| **target != path) {
                Some(target) => path = target.iter().chain(&rest[1..]).cloned().collect(),
                None => return self.files.get(module),
            }
        }
        None
    }
}

/// The files that each file imports from.
fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let files = files();
    let modules = Modules::of(&files);
    let is_reexport = |item: &syn::Item| match item {
        syn::Item::Use(item) => !matches!(item.vis, syn::Visibility::Inherited),
        _ => false,
    };
    let of_file = |(name, file): (&String, &syn::File)| {
        let mut file = file.clone();
        file.items.retain(|item| !is_reexport(item));
        let paths = names(name, &file).modules;
        let imported =
            paths.iter().filter_map(|path| modules.file_of(path)).filter(|other| *other != name);
        (name.clone(), imported.cloned().collect())
    };
    files.iter().map(of_file).collect()
}

fn reachable<'g>(
    from: &'g str,
    graph: &'g BTreeMap<String, BTreeSet<String>>,
) -> BTreeSet<&'g str> {
    let mut found = BTreeSet::new();
    let mut open = vec![from];
    while let Some(name) = open.pop() {
        for next in graph.get(name).into_iter().flatten() {
            if found.insert(next.as_str()) {
                open.push(next);
            }
        }
    }
    found
}

/// The groups of files of which each reaches each other.
fn circles(graph: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<Vec<&str>> {
    let reach: BTreeMap<&str, _> =
        graph.keys().map(|name| (name.as_str(), reachable(name, graph))).collect();
    let mut circles = BTreeSet::new();
    for (name, others) in &reach {
        let back = |other: &&str| reach.get(other).is_some_and(|back| back.contains(name));
        let circle: Vec<&str> = others.iter().copied().filter(back).collect();
        circles.extend(Some(circle).filter(|circle| circle.len() > 1));
    }
    circles
}

#[test]
fn no_circle_has_more_than_two_files() {
    let graph = imports();
    let circles = circles(&graph);
    for circle in &circles {
        println!("circle of {}:", circle.len());
        for name in circle {
            let within: Vec<_> =
                graph[*name].iter().filter(|other| circle.contains(&other.as_str())).collect();
            println!("  {name} -> {within:?}");
        }
    }
    let large: Vec<_> = circles.iter().filter(|circle| circle.len() > 2).collect();
    assert!(large.is_empty(), "import circles of more than two files: {large:#?}");
}

#[test]
fn circles_are_found() {
    let edges = [("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("e", "e")];
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (from, to) in edges {
        graph.entry(from.to_owned()).or_default().insert(to.to_owned());
    }
    assert_eq!(circles(&graph), BTreeSet::from([vec!["a", "b", "c"]]));
    assert!(imports()["pipeline/stack"].contains("pipeline/deadline/mod"), "the imports are read");
}
