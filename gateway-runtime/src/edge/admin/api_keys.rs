//! API keys: creating one, which is shown once, and revoking one, which holds from the next call
//! on.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    auth::NewApiKey,
    base::error::Error,
    edge::admin::{
        accounts::no_account,
        operation::{EmptyInput, OperationRequest},
        state::{AdminState, unexpected},
        values::{NAME, Timestamp},
    },
    store::{ApiKeyRecord, Command, CommandOutcome},
};

/// The scopes and the expiry of a new key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewKey {
    /// The scopes of calls with this key.
    #[serde(default)]
    #[schemars(length(max = 100), inner(regex(pattern = NAME)))]
    scopes: Vec<String>,
    /// The time from which the key is not accepted; none when left out.
    expires: Option<Timestamp>,
}

/// A new key.
#[derive(Serialize, JsonSchema)]
pub(super) struct ApiKeyView {
    /// The name of the key.
    id: Arc<str>,
    /// The whole key, for its owner. It is shown here once.
    key: String,
    /// The scopes of calls with this key.
    scopes: Vec<String>,
    /// The time from which the key is not accepted.
    expires: Option<Timestamp>,
}

/// Creates a key.
pub(super) async fn make(
    state: Arc<AdminState>,
    request: OperationRequest<NewKey>,
) -> Result<ApiKeyView, Error> {
    let NewKey { scopes, expires } = request.input;
    // Derived from the name of the request: a request that is executed again makes the same key,
    // and no second one.
    let NewApiKey { id, key, hash } = NewApiKey::named(&request.name)?;
    let id: Arc<str> = id.into();
    let kept = ApiKeyRecord {
        id: Arc::clone(&id),
        account: request.path_params[0].as_str().into(),
        scopes: scopes.clone(),
        expires: expires.map(|Timestamp(at)| at),
        revoked: false,
        hash: hex::encode(hash),
        created: Timestamp::now().0,
    };
    match state.write(Command::AddKey { key: kept, who: request.operator.name }).await? {
        CommandOutcome::Key(true) => {
            Ok(ApiKeyView { id, key: key.expose().to_owned(), scopes, expires })
        }
        CommandOutcome::Key(false) => Err(no_account()),
        other => Err(unexpected(&other)),
    }
}

/// Revokes a key.
pub(super) async fn revoke(
    state: Arc<AdminState>,
    request: OperationRequest<EmptyInput>,
) -> Result<(), Error> {
    let [account, id] = &request.path_params[..] else {
        return Err(Error::internal("an address without its parts"));
    };
    let change = Command::RevokeKey {
        account: account.as_str().into(),
        id: id.as_str().into(),
        at: Timestamp::now().0,
        who: request.operator.name,
    };
    match state.write(change).await? {
        CommandOutcome::Key(true) => Ok(()),
        CommandOutcome::Key(false) => {
            Err(Error::not_found("the account has no such key, or the key is revoked"))
        }
        other => Err(unexpected(&other)),
    }
}
