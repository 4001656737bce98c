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
        batch: &mut Batch,
        commands: &[Command],
        outcomes: &mut [CommandOutcome],
    ) -> Result<(), StoreError> {
        let new = commands.iter().filter_map(|command| match command {
            Command::AddKey { key, .. } => {
                Some(json!({ "scopes": json!(key.scopes).to_string(), "key": key }))
            }
            _ => None,
        });
        let added: HashSet<String> =
            batch.rows(&ADD_KEYS, new.collect()).await?.into_iter().collect();
        let ids = commands.iter().filter_map(|command| match command {
            Command::RevokeKey { account, id, .. } => Some(json!({ "account": account, "id": id })),
            _ => None,
        });
        let mut revoked: HashSet<String> =
            batch.rows(&REVOKE_KEYS, ids.collect()).await?.into_iter().collect();
        for (command, outcome) in commands.iter().zip(outcomes) {
            match command {
                Command::AddKey { key, .. } => {
                    *outcome = CommandOutcome::Key(added.contains(&*key.id))
                }
                Command::RevokeKey { id, .. } => {
                    *outcome = CommandOutcome::Key(revoked.remove(&**id))
                }
                _ => {}
            }
        }
        Ok(())
    }
}
