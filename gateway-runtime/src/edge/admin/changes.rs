//! The list of operators' changes: who changed what and when (SEMANTICS §13).

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::{
    base::error::Error,
    edge::admin::{
        operation::OperationRequest,
        state::{AdminState, store_error},
        values::{Page, PageQuery, Timestamp},
    },
    store::ChangeRecord,
};

/// A change that an operator made.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ChangeView {
    /// The number of the change, which is also the version of the settings that it made.
    id: i64,
    /// The time of the change.
    at: Timestamp,
    /// The name of the operator.
    who: String,
    /// The kind of the change: `account`, `credit`, `key`, `prices`, `limits` or `provider`.
    kind: Value,
    /// The subject of the change: the account, the plan or the provider.
    subject: String,
    /// The settings that hold since this change.
    document: Value,
}

/// Lists changes, newest first.
pub(super) async fn list(
    state: Arc<AdminState>,
    request: OperationRequest<PageQuery>,
) -> Result<Page<ChangeView>, Error> {
    let paging = request.input;
    let found =
        state.store()?.changes(paging.after(), paging.limit + 1).await.map_err(store_error)?;
    let to_view = |ChangeRecord { id, at, who, kind, subject, document }| ChangeView {
        id,
        at: Timestamp(at),
        who,
        kind: serde_json::to_value(kind).unwrap_or_default(),
        subject,
        document: serde_json::from_str(&document).unwrap_or(Value::String(document)),
    };
    Ok(Page::of(found, paging.limit, |changed| changed.id.to_string(), to_view))
}
