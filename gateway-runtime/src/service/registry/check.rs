//! Checks of the entries as a whole: names that are claimed twice, and services without methods.

use std::{any::TypeId, collections::HashMap};

use crate::{
    base::spec::SourceLocation,
    service::{
        binder::instances::full_name,
        registry::entries::{Entries, MethodsByService},
    },
};

/// Returns the problems of the entries among themselves.
pub(in crate::service) fn problems(entries: &Entries, methods: &MethodsByService) -> Vec<String> {
    let mut problems = Vec::new();
    duplicate_services(entries, &mut problems);
    duplicate_methods(entries, &mut problems);
    duplicate_providers(entries, &mut problems);
    duplicate_capabilities(entries, &mut problems);
    services_without_methods(entries, methods, &mut problems);
    problems
}

/// Reports each name that is claimed a second time, with both source locations.
fn duplicates(
    what: &str,
    claims: impl Iterator<Item = (String, SourceLocation)>,
    mend: &str,
    problems: &mut Vec<String>,
) {
    let mut first: HashMap<String, SourceLocation> = HashMap::new();
    for (name, source) in claims {
        match first.get(&name) {
            Some(other) => {
                problems.push(format!(
                    "{what} `{name}` is declared twice, at {other} and at {source}\nhelp: {mend}"
                ));
            }
            None => {
                first.insert(name, source);
            }
        }
    }
}

fn duplicate_services(entries: &Entries, problems: &mut Vec<String>) {
    let claims = entries.services.iter().map(|entry| (full_name(entry.spec), entry.spec.source));
    duplicates("service", claims, "give one of them another name or version", problems);
}

fn duplicate_methods(entries: &Entries, problems: &mut Vec<String>) {
    // Methods of a second service of the same name are skipped: the service itself is reported.
    let mut seen: HashMap<String, TypeId> = HashMap::new();
    let claims = entries.methods.iter().filter_map(|method| {
        let service = full_name(method.service);
        let first = *seen.entry(service.clone()).or_insert_with(method.service_id);
        let webhook = if method.spec.webhook.is_some() { " (webhook)" } else { "" };
        (first == (method.service_id)())
            .then(|| (format!("{service}/{}{webhook}", method.spec.name), method.spec.source))
    });
    duplicates("method", claims, "rename one of them, or give it a `name = \"…\"`", problems);
}

fn duplicate_providers(entries: &Entries, problems: &mut Vec<String>) {
    let claims =
        entries.providers.iter().map(|entry| (entry.spec.name.to_owned(), entry.spec.source));
    duplicates("provider", claims, "give one of them another name", problems);
}

/// Reports capabilities that share a name, since `/meta` and the log identify them by it.
fn duplicate_capabilities(entries: &Entries, problems: &mut Vec<String>) {
    let mut seen: HashMap<&str, (TypeId, SourceLocation)> = HashMap::new();
    for entry in &entries.provisions {
        let id = (entry.capability_id)();
        let source = entry.capability.source;
        let (first, other) = *seen.entry(entry.capability.name).or_insert((id, source));
        if first != id {
            let name = entry.capability.name;
            problems.push(format!(
                "capability `{name}` is declared twice, at {other} and at {source}\n\
                 help: rename one trait"
            ));
        }
    }
}

fn services_without_methods(
    entries: &Entries,
    methods: &MethodsByService,
    problems: &mut Vec<String>,
) {
    for service in &entries.services {
        if !methods.contains_key(&(service.id)()) {
            let name = full_name(service.spec);
            let source = service.spec.source;
            problems.push(format!(
                "service `{name}` ({source}) exposes no method\n\
                 help: put `#[service]` on its impl block and `#[expose_method(GET)]` on a method"
            ));
        }
    }
}
