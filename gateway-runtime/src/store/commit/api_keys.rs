//! API keys of clients.

use std::{
    collections::HashSet,
    future::Future,
    pin::Pin,
    time::{Duration, UNIX_EPOCH},
};

use serde_json::json;

use crate::{
    auth::{ApiKey, ApiKeys},
    base::error::{Code, Error},
    store::{
        ApiKeyRecord, Command, CommandOutcome, StoreError,
        commit::{Batch, Store},
        sql::statements::{ADD_KEYS, FIND_KEY, REVOKE_KEYS},
    },
};

pub(super) struct Keys;

impl Keys {
    pub(super) async fn write(
        write: &mut Batch,
        changes: &[Command],
        outcomes: &mut [CommandOutcome],
    ) -> Result<(), StoreError> {
        let new = changes.iter().filter_map(|change| match change {
            Command::AddKey(key, _) => {
                Some(json!({ "scopes": json!(key.scopes).to_string(), "key": key }))
            }
            _ => None,
        });
        let added: HashSet<String> =
            write.rows(&ADD_KEYS, new.collect()).await?.into_iter().collect();
        let taken = changes.iter().filter_map(|change| match change {
            Command::RevokeKey { account, id, .. } => Some(json!({ "account": account, "id": id })),
            _ => None,
        });
        let mut revoked: HashSet<String> =
            write.rows(&REVOKE_KEYS, taken.collect()).await?.into_iter().collect();
        for (change, outcome) in changes.iter().zip(outcomes) {
            match change {
                Command::AddKey(key, _) => *outcome = CommandOutcome::Key(added.contains(&*key.id)),
                Command::RevokeKey { id, .. } => {
                    *outcome = CommandOutcome::Key(revoked.remove(&**id))
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Reads the key anew for each call, so that a revoked key is refused from the next call on.
impl ApiKeys for Store {
    fn find<'a>(
        &'a self,
        id: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Option<ApiKey>, Error>> + Send + 'a>> {
        Box::pin(async move {
            let away = |error| {
                Error::new(Code::OVERLOADED, "API keys cannot be looked up now")
                    .with_log_message(error)
            };
            let found: Option<ApiKeyRecord> =
                self.read(&FIND_KEY, &[id]).await.map_err(away)?.pop();
            found.map(ApiKey::try_from).transpose()
        })
    }
}

impl TryFrom<ApiKeyRecord> for ApiKey {
    type Error = Error;

    fn try_from(key: ApiKeyRecord) -> Result<Self, Error> {
        let mut hash = [0; 32];
        hex::decode_to_slice(&key.hash, &mut hash)?;
        Ok(Self {
            account: key.account,
            scopes: key.scopes.into_iter().map(String::into_boxed_str).collect(),
            expires: key
                .expires
                .map(|at| UNIX_EPOCH + Duration::from_micros(at.max(0).unsigned_abs())),
            revoked: key.revoked,
            hash,
        })
    }
}
