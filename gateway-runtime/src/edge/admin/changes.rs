//! Who changed what, and when.

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
    /// Its number; it is also the version of all settings that it made.
    id: i64,
    /// When.
    at: Timestamp,
    /// Who.
    who: String,
    /// Of what: `account`, `credit`, `key`, `prices`, `limits`, `provider`.
    kind: Value,
    /// Of which: the account, the plan, the provider.
    subject: String,
    /// What holds since then.
    document: Value,
}

/// Lists changes.
pub(super) async fn list(
    desk: Arc<AdminState>,
    request: OperationRequest<PageQuery>,
) -> Result<Page<ChangeView>, Error> {
    let paging = request.input;
    let found =
        desk.books()?.changes(paging.after(), paging.limit + 1).await.map_err(store_error)?;
    let tell = |ChangeRecord { id, at, who, kind, subject, document }| ChangeView {
        id,
        at: Timestamp(at),
        who,
        kind: serde_json::to_value(kind).unwrap_or_default(),
        subject,
        document: serde_json::from_str(&document).unwrap_or(Value::String(document)),
    };
    Ok(Page::of(found, paging.limit, |changed| changed.id.to_string(), tell))
}
