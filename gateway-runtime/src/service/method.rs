//! One method as the running gateway knows it.

use std::{any::type_name, fmt, pin::Pin};

use crate::{
    base::{
        call::CallRequest,
        call_metrics::CallMetrics,
        error::Error,
        reply::Reply,
        spec::{AuthMode, CapabilitySpec, MethodSpec, ServiceSpec},
    },
    json::schema::InputSchema,
    service::{argument::ReplyShape, entry::BoxedMethod},
};

/// The input of a method: its schema, which is also its judge, and the Rust type it came from.
#[derive(Debug)]
pub struct MethodInput {
    /// The schema.
    pub schema: InputSchema,
    /// The Rust type's full name.
    pub type_name: &'static str,
}

impl MethodInput {
    pub(crate) fn new<T: schemars::JsonSchema>() -> Result<Self, String> {
        let schema = InputSchema::of::<T>().map_err(|error| error.to_string())?;
        Ok(Self { schema, type_name: type_name::<T>() })
    }
}

/// An exposed method, ready to be called.
pub struct Method {
    /// Its service.
    pub service: &'static ServiceSpec,
    /// What its attribute says.
    pub spec: &'static MethodSpec,
    /// Its input, if it has one.
    pub input: Option<MethodInput>,
    /// The form of its answers.
    pub answer: ReplyShape,
    /// The capabilities whose providers it asks for.
    pub capabilities: Vec<&'static CapabilitySpec>,
    pub(crate) counts: CallMetrics,
    pub(super) handler: BoxedMethod,
}

impl Method {
    /// `/services/{service}/v{version}/{method}`, or the webhook's address.
    #[must_use]
    pub fn path(&self) -> String {
        self.spec.path(self.service)
    }

    /// Carries out a call whose input satisfies the schema; the pipeline's last step.
    pub(crate) fn call(
        &self,
        request: CallRequest,
    ) -> Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send>> {
        (self.handler)(request)
    }

    /// Whether a caller must be known: where scopes are asked for, else the method's word, else the service's, else
    /// optional. A webhook's signature is all it needs.
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

    /// What a caller must hold: the service's scopes and the method's.
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
