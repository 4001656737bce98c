//! The section `[routes.NAME]`: the settings of every route, and those of its dispatcher.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error},
};
use serde_json::{Map, Value};

use crate::{
    base::{
        duration::{self, DurationText},
        start_error::StartError,
    },
    json::section::parse_section,
};

/// The settings for each request on a route.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RouteSettings {
    /// The dispatcher: `http`, `bus`, or an author's own.
    pub dispatch: String,
    /// Whether authentication is required; otherwise anonymous callers are accepted.
    pub auth: bool,
    /// The scopes that a caller must have.
    pub scopes: Vec<String>,
    /// The time limit of the response; defaults to `http.request_timeout`, and to none for `http`.
    #[serde(deserialize_with = "duration_or_none")]
    #[schemars(with = "Option<DurationText>")]
    pub timeout: Option<Duration>,
}

impl RouteSettings {
    const KEYS: [&str; 4] = ["dispatch", "auth", "scopes", "timeout"];

    /// Returns whether authentication is required, by `auth` or by `scopes`.
    #[must_use]
    pub fn requires_caller(&self) -> bool {
        self.auth || !self.scopes.is_empty()
    }
}

/// The configuration of a route, as its dispatcher reads it.
///
/// ```
/// use std::sync::Arc;
///
/// use gateway_runtime::{
///     http::{Body, DispatchFuture, DispatchRequest, Dispatcher, RouteConfig},
///     prelude::*,
/// };
/// use http::Response;
///
/// /// Redirects to another host, the key `to` of the route.
/// #[model]
/// struct Moved {
///     to: String,
/// }
///
/// impl Dispatcher for Moved {
///     fn dispatch(&self, request: DispatchRequest) -> DispatchFuture {
///         let location = format!("{}{}", self.to, request.rest());
///         let response = Response::builder().status(308).header("location", location);
///         Box::pin(async move { Ok(response.body(Body::empty())?) })
///     }
/// }
///
/// fn moved(route: &mut RouteConfig) -> Result<Arc<dyn Dispatcher>, StartError> {
///     Ok(Arc::new(route.settings::<Moved>()?))
/// }
///
/// // [routes.reports]
/// // dispatch = "moved"
/// // to = "https://reports.example.com"
/// # fn add(gateway: Gateway) -> Gateway {
/// let gateway = gateway.dispatcher("moved", moved);
/// # gateway
/// # }
/// ```
#[derive(Debug)]
pub struct RouteConfig {
    service: String,
    requires_caller: bool,
    own: Map<String, Value>,
    is_read: bool,
}

impl RouteConfig {
    /// Parses the section `[routes.service]`.
    ///
    /// # Errors
    ///
    /// Reports all invalid settings that every route has.
    pub(crate) fn read(
        service: &str,
        section: &Map<String, Value>,
    ) -> Result<(Self, RouteSettings), StartError> {
        let is_common = |key: &str| RouteSettings::KEYS.contains(&key);
        let (common, own) = section.clone().into_iter().partition(|(key, _)| is_common(key));
        let settings: RouteSettings = parse_section(&name(service), Value::Object(common))
            .map_err(StartError::from_nonempty)?;
        let config = Self {
            service: service.to_owned(),
            requires_caller: settings.requires_caller(),
            own,
            is_read: false,
        };
        Ok((config, settings))
    }

    /// Returns the service of the route; `*` for all services without a route.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Returns whether the gateway authenticates the caller before it forwards a request of this
    /// route.
    #[must_use]
    pub fn requires_caller(&self) -> bool {
        self.requires_caller
    }

    /// Returns the dispatcher's own settings, validated against the JSON Schema of `T`.
    ///
    /// # Errors
    ///
    /// Reports every unknown or invalid key.
    pub fn settings<T: DeserializeOwned + JsonSchema>(&mut self) -> Result<T, StartError> {
        self.is_read = true;
        parse_section(&name(&self.service), Value::Object(self.own.clone()))
            .map_err(StartError::from_nonempty)
    }

    /// Reports the dispatcher's own keys if no dispatcher has read them.
    pub(crate) fn unread_keys(&self) -> Result<(), StartError> {
        let keys = self.own.keys().filter(|_| !self.is_read);
        let problem = |key: &String| {
            format!(
                "`{}.{key}` in the configuration: unknown key; the route has no settings of its \
                 own",
                name(&self.service)
            )
        };
        StartError::from_problems(keys.map(problem).collect())
    }
}

fn name(service: &str) -> String {
    format!("routes.{service}")
}

fn duration_or_none<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| duration::parse(&text).map_err(D::Error::custom)).transpose()
}
