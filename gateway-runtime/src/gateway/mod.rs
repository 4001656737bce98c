//! The assembly: builds a running gateway from the settings, the registry, the edges and the
//! pipeline. It is the only folder that uses all of them.

mod admin_listener;
mod builder;
mod call_path;
pub(crate) mod config;
mod foundation;
mod list;
mod migrations;
mod outbox;
mod preflight;
mod reload;
mod resolvers;
mod route_factory;
mod routes;
mod run;
mod running;
#[cfg(feature = "internals")]
mod running_parts;
mod serve_error;
mod services;
mod start;
mod storage;
pub mod telemetry;

use std::{collections::BTreeMap, fmt, sync::Arc};

pub use crate::gateway::running::RunningGateway;
use crate::{
    auth::ApiKeys,
    edge::{dispatch::DispatcherFactory, http::Mount},
    gateway::config::{Action, ConfigFile, Origins, Settings},
    pipeline::Layers,
    resolver::Resolvers,
    service::app::App,
    store::Migrations,
};

/// A gateway that is not started yet.
///
/// ```no_run
/// use gateway_runtime::prelude::*;
///
/// fn main() -> Result<(), StartError> {
///     Gateway::from_env()?.run()
/// }
/// ```
pub struct Gateway {
    settings: Settings,
    /// The sources of the settings' keys.
    origins: Origins,
    /// The configuration file; none if the settings are not from one.
    file: Option<ConfigFile>,
    action: Action,
    /// The version of the program.
    version: Option<String>,
    app: App,
    api_keys: Option<Arc<dyn ApiKeys>>,
    mounts: Vec<Mount>,
    dispatchers: BTreeMap<String, Arc<DispatcherFactory>>,
    resolvers: Resolvers,
    layers: Layers,
    migrations: Vec<Migrations>,
    expected_services: Vec<String>,
    expected_providers: Vec<String>,
    on_listening: Option<Tell>,
}

/// A function that is called once, when the gateway listens.
type Tell = Box<dyn FnOnce(&RunningGateway) + Send>;

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("settings", &self.settings).finish_non_exhaustive()
    }
}
