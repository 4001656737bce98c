//! Methods: exposed methods, bound and ready for calls.

use std::{any::type_name, fmt};

use futures_util::future::BoxFuture;

use crate::{
    base::{
        call::CallRequest,
        call_metrics::CallMetrics,
        error::Error,
        reply::Reply,
        spec::{AuthMode, CapabilitySpec, MethodSpec, ServiceSpec},
    },
    json::schema::{InputSchema, SchemaError},
    service::into_reply::ReplyShape,
};

/// The input of a method: the schema that validates it, and its Rust type.
#[derive(Debug)]
pub struct MethodInput {
    /// The schema of the input.
    pub schema: InputSchema,
    /// The full name of the Rust type.
    pub type_name: &'static str,
}

impl MethodInput {
    pub(crate) fn new<T: schemars::JsonSchema>() -> Result<Self, SchemaError> {
        let schema = InputSchema::of::<T>()?;
        Ok(Self { schema, type_name: type_name::<T>() })
    }
}

/// The function that executes a call.
pub(super) type BoxedMethod =
    Box<dyn Fn(CallRequest) -> BoxFuture<'static, Result<Reply, Error>> + Send + Sync>;

/// An exposed method, ready for calls.
pub struct Method {
    /// The declaration of the service.
    pub service: &'static ServiceSpec,
    /// The declaration of the method.
    pub spec: &'static MethodSpec,
    /// The input of the method, if it has one.
    pub input: Option<MethodInput>,
    /// The shape of the replies.
    pub answer: ReplyShape,
    /// The capabilities whose providers the method uses.
    pub capabilities: Vec<&'static CapabilitySpec>,
    pub(crate) counts: CallMetrics,
    pub(super) execute: BoxedMethod,
}

impl Method {
    /// Returns `/services/{service}/v{version}/{method}`, or the webhook's address.
    #[must_use]
    pub fn path(&self) -> String {
        self.spec.path(self.service)
    }

    /// Calls the method with an input that satisfies the schema, as the last step of the pipeline.
    pub(crate) fn call(&self, request: CallRequest) -> BoxFuture<'static, Result<Reply, Error>> {
        (self.execute)(request)
    }

    /// Returns whether a caller is required. Scopes require one; else the method's declaration
    /// decides, else the service's, else authentication is optional. Webhooks are authenticated by
    /// their signature alone.
    #[must_use]
    pub fn auth(&self) -> AuthMode {
        if self.spec.webhook.is_some() {
            AuthMode::None
        } else if self.scopes().next().is_some() {
            AuthMode::Required
        } else {
            self.spec.auth.or(self.service.auth).unwrap_or(AuthMode::Optional)
        }
    }

    /// Returns the scopes that a caller needs: the service's and the method's.
    pub fn scopes(&self) -> impl Iterator<Item = &'static str> {
        self.service.scopes.iter().chain(self.spec.scopes).copied()
    }
}

impl fmt::Debug for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Method")
            .field("path", &self.path())
            .field("verb", &self.spec.verb)
            .finish_non_exhaustive()
    }
}
