//! `/meta`: every service and method with its schemas and terms, and the providers of the
//! capabilities that they use, with their health.

use std::{collections::BTreeSet, fmt, sync::Arc};

use bytes::Bytes;
use http::{HeaderValue, Response};
use serde_json::{Map, Value, json};

use crate::{
    auth::AcceptedCredentials,
    base::error::{Error, Result},
    bus::BusSettings,
    edge::http::{
        describe::{
            answer, error_codes, etag,
            info::Info,
            operation_id::{WEBSOCKET, is_callable_by_bus, is_callable_by_message, rpc_name},
            providers::capabilities,
            terms::terms,
        },
        stream::StreamFormat,
    },
    service::{
        into_reply::ReplyShape,
        registry::{Method, RegisteredService, Registry},
    },
};

/// The document, rendered as far as it does not change.
pub(super) struct Meta {
    /// The first members, without the brace that ends the object.
    head: String,
    services: Vec<RenderedService>,
    registry: Arc<Registry>,
}

/// A service as rendered in the document.
struct RenderedService {
    name: &'static str,
    version: String,
    json: String,
    tag: HeaderValue,
    capabilities: BTreeSet<&'static str>,
}

impl Meta {
    pub(super) fn new(
        info: &Info,
        registry: Arc<Registry>,
        accepted: AcceptedCredentials,
        bus: &BusSettings,
    ) -> Self {
        let head = json!(info).to_string();
        let head = head.strip_suffix('}').unwrap_or_default().to_owned();
        let queue = Some(&*bus.calls.queue).filter(|_| bus.calls.enabled);
        let services = registry
            .services()
            .iter()
            .map(|service| RenderedService::new(service, accepted, queue))
            .collect();
        Self { head, services, registry }
    }

    /// Responds to a GET of `below`, the path after `/meta`: all services, the versions of a
    /// service, or one of them.
    ///
    /// # Errors
    ///
    /// `not-found` for unknown services and paths.
    pub(super) fn serve(&self, below: &str) -> Result<Response<Bytes>> {
        let mut names = below.split('/');
        let (start, name, version, more) = (names.next(), names.next(), names.next(), names.next());
        let is_asked_for = |service: &&RenderedService| {
            name.is_none_or(|name| name == service.name)
                && version.is_none_or(|version| version == service.version)
        };
        let services: Vec<_> = self.services.iter().filter(is_asked_for).collect();
        if start != Some("") || more.is_some() || name.is_some() && services.is_empty() {
            return Err(Error::not_found("service not found; /meta lists the services"));
        }
        // Derived from the tags of the parts, so that the whole need not be hashed.
        let capabilities = self.capabilities(&services).to_string();
        let tags = services.iter().flat_map(|service| service.tag.as_bytes());
        let parts: Vec<u8> =
            self.head.bytes().chain(tags.copied()).chain(capabilities.bytes()).collect();
        Ok(answer(etag::of(&parts), self.join(&services, &capabilities)))
    }

    /// Returns the capabilities that these services use, with the current health of their
    /// providers.
    fn capabilities(&self, services: &[&RenderedService]) -> Value {
        let is_used = |name| services.iter().any(|service| service.capabilities.contains(name));
        capabilities(&self.registry, is_used)
    }

    fn join(&self, services: &[&RenderedService], capabilities: &str) -> Bytes {
        let services: Vec<_> = services.iter().map(|service| service.json.as_str()).collect();
        format!(
            "{},\"services\":[{}],\"capabilities\":{capabilities}}}",
            self.head,
            services.join(",")
        )
        .into()
    }
}

impl fmt::Debug for Meta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meta").finish_non_exhaustive()
    }
}

impl RenderedService {
    fn new(
        service: &RegisteredService,
        accepted: AcceptedCredentials,
        queue: Option<&str>,
    ) -> Self {
        let spec = service.spec;
        let methods: Vec<_> =
            service.methods.iter().map(|method| describe(method, accepted, queue)).collect();
        let mut json = json!({ "name": spec.name, "version": spec.version, "title": spec.title });
        if !spec.description.is_empty() {
            json["description"] = spec.description.into();
        }
        json["methods"] = methods.into();
        let json = json.to_string();
        let used = service.methods.iter().flat_map(|method| &method.capabilities);
        Self {
            name: spec.name,
            version: format!("v{}", spec.version),
            tag: etag::of(json.as_bytes()),
            json,
            capabilities: used.map(|capability| capability.name).collect(),
        }
    }
}

/// Describes a method; `queue` is the queue of calls, if calls by the bus are enabled.
fn describe(method: &Method, accepted: AcceptedCredentials, queue: Option<&str>) -> Value {
    let spec = method.spec;
    let mut members = Map::new();
    let mut insert = |name: &str, value: Value| members.insert(name.to_owned(), value);
    insert("name", spec.name.into());
    insert("title", spec.title.into());
    if !spec.description.is_empty() {
        insert("description", spec.description.into());
    }
    if spec.deprecated {
        insert("deprecated", true.into());
    }
    insert("http", json!({ "method": spec.verb, "path": method.path() }));
    if spec.webhook.is_some() {
        insert("webhook", json!({ "signature": "standard-webhooks-v1" }));
    } else if is_callable_by_message(method) {
        insert("websocket", json!({ "path": WEBSOCKET, "method": rpc_name(method) }));
    }
    if let Some(queue) = queue.filter(|_| is_callable_by_bus(method)) {
        insert("bus", json!({ "queue": queue }));
    }
    if let Some(input) = &method.input {
        let place = if spec.verb.has_query_input() { "query" } else { "body" };
        insert("request", json!({ "in": place, "schema": input.schema.json() }));
    }
    insert("response", response(&method.answer));
    terms(method).into_iter().for_each(|(name, value)| drop(insert(&name, value)));
    if spec.webhook.is_none() {
        insert("auth", json!(method.auth()));
        insert("scopes", method.scopes().collect());
    }
    insert("capabilities", method.capabilities.iter().map(|capability| capability.name).collect());
    let error = |code: crate::Code| {
        json!({
            "code": code.name(),
            "status": code.status(),
            "title": code.title(),
            "retryable": code.is_retryable(),
        })
    };
    insert("errors", error_codes::codes(method, accepted).into_iter().map(error).collect());
    Value::Object(members)
}

fn response(answer: &ReplyShape) -> Value {
    match answer {
        ReplyShape::Empty => json!({ "status": 204 }),
        ReplyShape::Json(schema) => {
            json!({ "status": 200, "media_types": ["application/json"], "schema": schema })
        }
        ReplyShape::Items(schema) => json!({
            "status": 200,
            "media_types": StreamFormat::MEDIA,
            "item_schema": schema,
        }),
        ReplyShape::Raw(media) => json!({ "status": 200, "media_types": [media] }),
    }
}
