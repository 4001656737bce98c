//! The part of a call that is set while it is executed.

use std::sync::{
    Arc, Mutex, OnceLock,
    atomic::{AtomicBool, AtomicU64},
};

use http::HeaderMap;

use crate::base::{attempt::Attempt, call::witness::Witness, money::Money};

/// The values that are set while a call is executed, each at most once or by addition.
#[derive(Default)]
pub(super) struct CallOutcome {
    pub(super) plan: OnceLock<Plan>,
    pub(super) usage: AtomicU64,
    pub(super) attempts: Mutex<Vec<Attempt>>,
    pub(super) streaming_provider: OnceLock<&'static str>,
    pub(super) witness: OnceLock<Arc<dyn Witness>>,
    pub(super) dispatched: AtomicBool,
    pub(super) replayed: AtomicBool,
    pub(super) cache_hit: AtomicBool,
    pub(super) charge: OnceLock<Money>,
    pub(super) response_headers: OnceLock<Box<Mutex<HeaderMap>>>,
}

/// The plan of a caller's account, as far as it is known.
pub(super) enum Plan {
    /// The plan was read; `None` where there is no such account.
    Known(Option<Arc<str>>),
    Unknown,
}
