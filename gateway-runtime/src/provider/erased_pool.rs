//! A pool without the type of its capability, as the registry holds it.

use std::sync::Arc;

use tokio::time::Instant;

use crate::provider::{health::PoolHealth, pool_core::PoolCore};

/// A pool without the type of its capability.
#[derive(Clone, Debug)]
pub struct ErasedPool(pub(super) Arc<PoolCore>);

impl ErasedPool {
    /// Returns the health of the providers now.
    #[must_use]
    pub fn health(&self) -> PoolHealth {
        PoolHealth::read(&self.0, Instant::now())
    }
}
