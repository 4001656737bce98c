//! The operator's listener: health, metrics, and the API by which a gateway is run (`/admin/…`).
//!
//! [`Admin`] is a tower service; the assembly serves it on an address of its own. `table` lists the calls of the API, each
//! an `operation`: an ordinary function whose types are the schemas that its input is judged by and that `/openapi.json`
//! publishes. `gate` lets operators in, `once` does what creates something once for each idempotency key.

mod accounts;
mod api_keys;
mod auth;
mod changes;
mod duplicates;
mod health;
mod holds;
mod idempotency;
mod margin;
mod metrics;
mod openapi;
mod operation;
mod operations;
mod prices;
mod providers;
mod requests;
mod service;
mod settings;
mod state;
mod values;

pub use crate::edge::admin::{
    health::{BusProbe, CallsProbe, ReadinessCheck},
    service::AdminService,
    settings::AdminSettings,
    state::{AdminState, AdminStore, DrainFlag},
};
