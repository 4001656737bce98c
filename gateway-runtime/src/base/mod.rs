//! Values that all folders share: a call, its error and reply, bodies, money, durations, secrets.
//! Nothing here starts tasks or holds connections, but for the task of a
//! [`WakeQueue`](batch_wake::WakeQueue).

pub(crate) mod attempt;
pub(crate) mod authority;
pub(crate) mod batch_wake;
pub(crate) mod body;
pub(crate) mod call;
pub(crate) mod call_metrics;
pub(crate) mod connection_slots;
pub(crate) mod cost;
pub(crate) mod country;
pub(crate) mod digest;
pub mod duration;
pub(crate) mod error;
pub(crate) mod histogram;
pub(crate) mod money;
pub(crate) mod problem;
pub(crate) mod reply;
pub(crate) mod secret;
pub(crate) mod spec;
pub(crate) mod start_error;
