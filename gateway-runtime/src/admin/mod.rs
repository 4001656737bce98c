//! The operator's listener: health, metrics, and the API by which a gateway is run (`/admin/…`).
//!
//! [`Admin`] is a tower service; the assembly serves it on an address of its own. `table` lists the calls of the API, each
//! an `operation`: an ordinary function whose types are the schemas that its input is judged by and that `/openapi.json`
//! publishes. `gate` lets operators in, `once` does what creates something once for each idempotency key.

mod accounts;
mod changes;
mod desk;
mod duplicates;
mod gate;
mod health;
mod holds;
mod keys;
mod margin;
mod metrics;
mod once;
mod openapi;
mod operation;
mod providers;
mod requests;
mod rules;
mod serve;
mod settings;
mod table;
mod words;

pub use self::{
    desk::{Desk, Draining, Kept},
    health::{BusProbe, CallsProbe, Probe},
    serve::Admin,
    settings::AdminSettings,
};
