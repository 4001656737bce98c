//! The keys of clients: made and told once, revoked for the next call.

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

/// What a key is for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewKey {
    /// What calls with it may do.
    #[serde(default)]
    #[schemars(length(max = 100), inner(regex(pattern = NAME)))]
    scopes: Vec<String>,
    /// From when on it is no good; never when left out.
    expires: Option<Timestamp>,
}

/// A new key.
#[derive(Serialize, JsonSchema)]
pub(super) struct ApiKeyView {
    /// Its name.
    id: Arc<str>,
    /// All of it, for its owner. It is told here and never again.
    key: String,
    /// What calls with it may do.
    scopes: Vec<String>,
    /// From when on it is no good.
    expires: Option<Timestamp>,
}

/// Makes a key.
pub(super) async fn make(
    desk: Arc<AdminState>,
    request: OperationRequest<NewKey>,
) -> Result<ApiKeyView, Error> {
    let NewKey { scopes, expires } = request.input;
    // The same request makes the same key when it is carried out again, and no second one.
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
    match desk.write(Command::AddKey(kept, request.operator.name)).await? {
        CommandOutcome::Key(true) => {
            Ok(ApiKeyView { id, key: key.expose().to_owned(), scopes, expires })
        }
        CommandOutcome::Key(false) => Err(no_account()),
        other => Err(unexpected(&other)),
    }
}

/// Revokes a key.
pub(super) async fn revoke(
    desk: Arc<AdminState>,
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
    match desk.write(change).await? {
        CommandOutcome::Key(true) => Ok(()),
        CommandOutcome::Key(false) => {
            Err(Error::not_found("this account has no such key, or it was revoked before"))
        }
        other => Err(unexpected(&other)),
    }
}
