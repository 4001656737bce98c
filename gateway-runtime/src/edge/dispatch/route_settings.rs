//! `[routes.NAME]`: what holds for every route, and what is its dispatcher's own.

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

/// What holds for each request on a route.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RouteSettings {
    /// What answers: `bus`, or an author's own.
    pub dispatch: String,
    /// Whether who is calling must be known; else anybody may.
    pub auth: bool,
    /// The scopes that a caller must hold.
    pub scopes: Vec<String>,
    /// How long the answer may take; `http.request_timeout` when left out.
    #[serde(deserialize_with = "duration_or_none")]
    #[schemars(with = "Option<DurationText>")]
    pub timeout: Option<Duration>,
}

impl RouteSettings {
    const KEYS: [&str; 4] = ["dispatch", "auth", "scopes", "timeout"];

    /// Whether a caller must be known.
    #[must_use]
    pub fn requires_caller(&self) -> bool {
        self.auth || !self.scopes.is_empty()
    }
}

/// The section of a route, as its dispatcher reads it.
#[derive(Debug)]
pub struct RouteConfig {
    service: String,
    requires_caller: bool,
    own: Map<String, Value>,
    is_read: bool,
}

impl RouteConfig {
    /// Of the section `[routes.service]`.
    ///
    /// # Errors
    ///
    /// Everything that is wrong in what holds for every route.
    pub(crate) fn read(
        service: &str,
        section: &Map<String, Value>,
    ) -> Result<(Self, RouteSettings), StartError> {
        let is_term = |key: &str| RouteSettings::KEYS.contains(&key);
        let (terms, own) = section.clone().into_iter().partition(|(key, _)| is_term(key));
        let terms: RouteSettings = parse_section(&name(service), Value::Object(terms))
            .map_err(StartError::from_nonempty)?;
        let wants_caller = terms.requires_caller();
        Ok((
            Self {
                service: service.to_owned(),
                requires_caller: wants_caller,
                own,
                is_read: false,
            },
            terms,
        ))
    }

    /// The service that the route is for; `*` for all that have none of their own.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Whether the gateway finds out who is calling before it forwards a request of this route.
    #[must_use]
    pub fn requires_caller(&self) -> bool {
        self.requires_caller
    }

    /// What in the section is the dispatcher's own, judged by the JSON Schema of `T`.
    ///
    /// # Errors
    ///
    /// Every key that is unknown or wrong.
    pub fn settings<T: DeserializeOwned + JsonSchema>(&mut self) -> Result<T, StartError> {
        self.is_read = true;
        parse_section(&name(&self.service), Value::Object(self.own.clone()))
            .map_err(StartError::from_nonempty)
    }

    /// Problems of a section whose own part nobody read.
    pub(crate) fn unread_keys(&self) -> Result<(), StartError> {
        let keys = self.own.keys().filter(|_| !self.is_read);
        let problem = |key: &String| {
            format!(
                "`{}.{key}` in the configuration is unknown: this route takes no settings of its own",
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
