//! Calls of a test method: a shop that sells one thing.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use http::{HeaderMap, HeaderName, HeaderValue};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    base::{
        attempt::{Attempt, AttemptClass},
        call::{Call, CallContext, CallRequest, Caller, Input, Origin, RequestId},
        error::Error,
        spec::{AuthMode, Effect, MethodSpec, ServiceSpec, SourceLocation, Verb},
    },
    pipeline::{invocation::Invocation, settlement_draft::SettlementDraft},
    service::{
        app::App,
        entry::{ServiceEntry, ServiceIdentity},
        registry::{
            Method, Registry, RegistrySettings,
            entries::Entries,
            method_entry::{ExposedMethod, MethodEntry},
        },
    },
};

const HERE: SourceLocation = SourceLocation { file: file!(), line: line!() };

/// The service of the test method.
struct Shop;

static SHOP: ServiceSpec = ServiceSpec {
    name: "shop",
    version: 1,
    title: "Shop",
    description: "",
    auth: None,
    scopes: &[],
    source: HERE,
};

impl ServiceIdentity for Shop {
    const SPEC: &'static ServiceSpec = &SHOP;
}

/// The input of the test method.
#[derive(Debug, Deserialize, JsonSchema)]
struct Order {
    name: String,
}

/// The reply of the test method.
#[derive(Debug, Serialize, JsonSchema)]
struct Receipt {
    name: String,
    is_dispatched: bool,
}

/// The test method, which replies with its input and with what it sees of its call.
struct Buy;

impl ExposedMethod for Buy {
    type Service = Shop;
    type Arguments = (Order, Call);
    type Output = Result<Receipt, Error>;

    async fn call(_: Arc<Shop>, (order, call): (Order, Call)) -> Result<Receipt, Error> {
        Ok(Receipt { name: order.name, is_dispatched: call.is_dispatched() })
    }
}

/// Creates the specification of a method that declares an effect alone.
pub(in crate::pipeline) fn spec(effect: Effect) -> MethodSpec {
    MethodSpec { effect, ..MethodSpec::new("buy", Verb::Post, HERE) }
}

/// A registry with one method, and that method.
#[derive(Clone, Debug)]
pub(in crate::pipeline) struct TestMethod {
    pub(in crate::pipeline) registry: Arc<Registry>,
    pub(in crate::pipeline) method: Arc<Method>,
}

impl TestMethod {
    pub(in crate::pipeline) fn new(spec: MethodSpec) -> Self {
        // Entries are constants of the program, so each test leaks one.
        let service = ServiceEntry::new::<Shop>(|_| Ok(Arc::new(Shop)), None);
        let entries = Entries::of(
            vec![Box::leak(Box::new(service))],
            vec![Box::leak(Box::new(MethodEntry::new::<Buy>(spec, None)))],
        );
        let registry =
            Registry::from_entries(&entries, &App::default(), &RegistrySettings::default());
        let registry = Arc::new(registry.unwrap());
        let method = Arc::clone(registry.methods().next().unwrap());
        Self { registry, method }
    }

    /// Creates a method that anybody may call.
    pub(in crate::pipeline) fn with_effect(effect: Effect) -> Self {
        Self::new(MethodSpec { auth: Some(AuthMode::Optional), ..spec(effect) })
    }

    /// Creates a call by an anonymous caller over HTTP, with an input that is not validated yet.
    pub(in crate::pipeline) fn call(&self) -> TestCall {
        TestCall {
            method: Arc::clone(&self.method),
            origin: Origin::Http,
            headers: HeaderMap::new(),
            account: None,
            timeout: Duration::from_secs(30),
            input: r#"{"name":"a book"}"#,
            is_valid: false,
        }
    }
}

/// A call of a test method, from which any number of invocations can be made.
#[derive(Clone, Debug)]
pub(in crate::pipeline) struct TestCall {
    method: Arc<Method>,
    origin: Origin,
    headers: HeaderMap,
    account: Option<String>,
    timeout: Duration,
    input: &'static str,
    is_valid: bool,
}

impl TestCall {
    pub(in crate::pipeline) fn with_origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    pub(in crate::pipeline) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        self
    }

    /// Sets the account of the caller, as authentication does.
    pub(in crate::pipeline) fn with_account(mut self, account: &str) -> Self {
        self.account = Some(account.to_owned());
        self
    }

    pub(in crate::pipeline) fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    pub(in crate::pipeline) fn with_input(mut self, input: &'static str) -> Self {
        self.input = input;
        self
    }

    /// Makes the input one that validation has let through.
    pub(in crate::pipeline) fn validated(mut self) -> Self {
        self.is_valid = true;
        self
    }

    pub(in crate::pipeline) fn invocation(&self) -> Invocation {
        // The clock of tokio, with which deadlines are compared.
        let started: Instant = tokio::time::Instant::now().into_std();
        let context = CallContext {
            id: RequestId::generate(),
            origin: self.origin,
            peer: None,
            country: None,
            headers: self.headers.clone(),
            started,
            deadline: started + self.timeout,
        };
        let call = Call::new(self.method.service, self.method.spec, context);
        if let Some(account) = &self.account {
            call.identify(Caller::new(account.as_str(), None, [])).unwrap();
        }
        let schema = &self.method.input.as_ref().unwrap().schema;
        let input = match self.is_valid {
            true => Input::Valid(schema.parse_json(self.input.into()).unwrap()),
            false => Input::Json(self.input.into()),
        };
        Invocation {
            method: Arc::clone(&self.method),
            request: CallRequest { call, input },
            draft: SettlementDraft::default(),
            authorized: None,
        }
    }
}

/// Creates an attempt at a provider of a capability whose methods have `effect`.
pub(in crate::pipeline) fn attempt(class: AttemptClass, effect: Effect) -> Attempt {
    Attempt {
        provider: "bank",
        capability: "Payments",
        method: "pay",
        effect,
        class,
        status: None,
        answered: class == AttemptClass::Fulfilled,
        latency: Duration::ZERO,
        cost: None,
        reason: "".into(),
    }
}
