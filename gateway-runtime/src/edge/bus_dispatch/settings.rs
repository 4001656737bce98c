//! The settings of `[routes.NAME]` for the dispatcher `bus`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    base::{body::BodyBudget, start_error::StartError},
    bus::check_exchange,
    edge::dispatch::RouteConfig,
};

/// The settings of `[routes.NAME]` for the dispatcher `bus`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BusDispatchSettings {
    /// The exchange for messages; defaults to the name of the service.
    pub exchange: Option<String>,
    /// The allow-list of exchanges on the route `*`: services of these names. Messages go to no
    /// other exchange.
    pub exchanges: Vec<String>,
    /// The maximum size of a request's body, in bytes, which is sent whole: 16 MiB.
    pub body_bytes: usize,
    /// Whether messages survive a restart of the broker, which their clients rarely do: no.
    pub persistent: bool,
    /// Whether workers receive the credentials that the gateway has checked, `Authorization` and
    /// `X-Api-Key`: no. A route without `auth` checks none, and forwards them.
    pub forward_credentials: bool,
}

impl Default for BusDispatchSettings {
    fn default() -> Self {
        Self {
            exchange: None,
            exchanges: Vec::new(),
            body_bytes: 16 << 20,
            persistent: false,
            forward_credentials: false,
        }
    }
}

impl BusDispatchSettings {
    /// Reads the settings of a route, and checks them.
    pub(super) fn read(section: &mut RouteConfig, budget: &BodyBudget) -> Result<Self, StartError> {
        let mut settings: Self = section.settings()?;
        let service = section.service();
        let problem = |why: &str| format!("[routes.\"{service}\"]: {why}");
        let mut problems = Vec::new();
        match (service, &settings.exchange) {
            ("*", Some(_)) => {
                problems.push(problem(
                    "`exchange` is set on a route of many services\n\
                     help: list their exchanges in `exchanges`",
                ));
            }
            ("*", None) if settings.exchanges.is_empty() => {
                problems.push(problem(
                    "missing key `exchanges`\nhelp: list the services that are exchanges",
                ));
            }
            ("*", None) => {}
            (_, _) if !settings.exchanges.is_empty() => {
                problems.push(problem(
                    "`exchanges` is set on a route of one service\nhelp: set its `exchange`",
                ));
            }
            (_, Some(_)) => {}
            (_, None) => settings.exchange = Some(service.to_owned()),
        }
        let exchanges = settings.exchange.iter().chain(&settings.exchanges);
        problems.extend(
            exchanges
                .filter_map(|exchange| check_exchange(exchange).err())
                .map(|error| problem(&error.to_string())),
        );
        if !budget.fits(settings.body_bytes) {
            let why = "`body_bytes` exceeds `http.limits.client_buffered_bytes` or \
                       `http.limits.buffered_bytes`";
            problems.push(problem(why));
        }
        StartError::from_problems(problems)?;
        Ok(settings)
    }
}
