//! `/openapi.json`, OpenAPI 3.1: the methods and webhooks as operations.

use serde_json::{Map, Value, json};

use crate::{
    auth::AcceptedCredentials,
    base::problem,
    edge::http::describe::{
        headers, info::Info, method::MethodDescription, operation::operation, operation_id::tag,
        responses, security,
    },
    json::schema::{Components, Root, tidy},
    service::registry::{RegisteredService, Registry},
};

/// Returns the document.
pub(super) fn document(info: &Info, registry: &Registry, accepted: AcceptedCredentials) -> Value {
    let mut components = Components::default();
    components.add_own(&problem::schema());
    let described = MethodDescription::all(registry, &mut components, Root::Inline);

    let mut paths = Map::new();
    for it in &described {
        paths.insert(
            it.method.path(),
            json!({ it.method.spec.verb.as_str().to_lowercase(): operation(it, accepted) }),
        );
    }
    let (schemas, names) = components.finish();
    let mut shared = json!({
        "schemas": schemas,
        "responses": responses::shared(registry, accepted),
        "headers": headers::shared(),
    });
    if let Some(schemes) = security::schemes(registry, accepted) {
        shared["securitySchemes"] = schemes;
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": info,
        "servers": [{ "url": info.url }],
        "tags": registry.services().iter().map(group).collect::<Value>(),
        "paths": paths,
        "components": shared,
    });
    names.write(&mut document);
    tidy(&mut document);
    document
}

/// Returns the tag of a service, which groups its operations.
fn group(service: &RegisteredService) -> Value {
    let spec = service.spec;
    let description = match spec.description {
        "" => format!("**{}**", spec.title),
        text => format!("**{}**\n\n{text}", spec.title),
    };
    json!({ "name": tag(spec), "description": description })
}
