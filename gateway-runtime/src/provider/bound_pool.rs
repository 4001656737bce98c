//! A pool bound to a call, without the type of its capability.

use std::sync::Arc;

use crate::{
    base::call::Call,
    provider::{pool_core::PoolCore, sticky::StickyKey, strategy::Strategy},
};

/// The providers bound to a call, without the capability's type.
pub(super) struct BoundPool<'a> {
    pub(super) core: &'a Arc<PoolCore>,
    pub(super) strategy: &'a dyn Strategy,
    pub(super) call: &'a Call,
    pub(super) pinned: Option<usize>,
    pub(super) sticky: Option<StickyKey>,
}
