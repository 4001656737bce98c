//! An invocation: what the layers pass on.

use std::sync::Arc;

use crate::{
    base::{call::CallRequest, error::Error},
    pipeline::settlement_draft::SettlementDraft,
    service::registry::Method,
};

/// A call and its method, as the layers pass them on.
#[derive(Debug)]
pub struct Invocation {
    /// The method that is called.
    pub method: Arc<Method>,
    /// The call and its input.
    pub request: CallRequest,
    /// The settlement draft, to which layers add.
    pub(super) draft: SettlementDraft,
    /// The result of the authorization, if the edge has authorized the call from its head.
    pub(super) authorized: Option<Result<(), Error>>,
}
