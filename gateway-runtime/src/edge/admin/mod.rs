//! The operator's listener: health, metrics, and the admin API (`/admin/…`), as SEMANTICS §13 has
//! it.
//!
//! [`AdminService`] is a tower service; the assembly serves it on an address of its own.
//! `operations` lists the operations of the API. Each is an ordinary function whose types are the
//! schemas that validate its input and that `/openapi.json` publishes. `auth` authenticates
//! operators; `idempotency` runs what creates something once for each idempotency key.

mod accounts;
mod api_keys;
mod auth;
mod changes;
mod duplicates;
mod health;
mod holds;
mod idempotency;
mod margin;
mod matching;
mod metrics;
mod openapi;
mod operation;
mod operations;
mod pages;
mod prices;
mod providers;
mod readiness_check;
mod requests;
mod service;
mod settings;
mod state;
mod values;

pub use crate::edge::admin::{
    readiness_check::{BusProbe, CallsProbe, ReadinessCheck},
    service::AdminService,
    settings::AdminSettings,
    state::{AdminState, AdminStore, DrainFlag},
};
