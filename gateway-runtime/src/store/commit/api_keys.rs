//! API keys of clients.

use std::collections::HashSet;

use serde_json::json;

use crate::store::{
    Command, CommandOutcome, StoreError,
    commit::batch::Batch,
    sql::statements::{ADD_KEYS, REVOKE_KEYS},
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
