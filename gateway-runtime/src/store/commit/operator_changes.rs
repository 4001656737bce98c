//! Operators' changes: the settings that operators change, and an audit entry for each of their
//! actions.

use std::{borrow::Cow, collections::HashMap};

use serde_json::{Map, Value, json};

use crate::store::{
    ChangeKind, ChangeRecord, Command, CommandOutcome, CreditOutcome, OperatorChange, StoreError,
    commit::batch::Batch,
    json_rows::{from_json, to_json},
    sql::statements::{ADD_CHANGES, LATEST_CHANGES, LOCK_CHANGES},
};

pub(super) struct OperatorChanges;

impl OperatorChanges {
    pub(super) async fn write(
        write: &mut Batch,
        changes: &[Command],
        outcomes: &mut [CommandOutcome],
    ) -> Result<(), StoreError> {
        if !changes.iter().any(is_an_operators) {
            return Ok(());
        }
        write.rows::<_, ()>(&LOCK_CHANGES, vec![0]).await?;
        let mut providers = ProviderSwitches::read(write, changes).await?;
        let mut edits = Vec::new();
        for (change, outcome) in changes.iter().zip(outcomes) {
            if let Command::OperatorChange(edit) = change {
                let edit = match edit.kind {
                    ChangeKind::Provider => Cow::Owned(providers.change(edit)?),
                    _ => Cow::Borrowed(edit),
                };
                *outcome = CommandOutcome::Changed(edit.document.clone());
                edits.push(edit);
            } else {
                edits.extend(audit_entry(change, outcome).map(Cow::Owned));
            }
        }
        write.rows::<_, ()>(&ADD_CHANGES, edits).await?;
        Ok(())
    }
}

fn is_an_operators(change: &Command) -> bool {
    matches!(
        change,
        Command::OpenAccount { .. }
            | Command::Credit(_)
            | Command::OperatorChange(_)
            | Command::AddKey(..)
            | Command::RevokeKey { .. }
            | Command::ResolveUnknownHold { .. }
    )
}

/// Returns the audit entry of a command, if the command changed anything.
fn audit_entry(change: &Command, outcome: &CommandOutcome) -> Option<OperatorChange> {
    let (at, who, kind, subject, document) = match (change, outcome) {
        (Command::OpenAccount { account, plan, at, who }, CommandOutcome::Opened(true)) => {
            (at, who, ChangeKind::Account, account, json!({ "plan": plan }))
        }
        (Command::Credit(credit), CommandOutcome::Credit(CreditOutcome::Credited)) => {
            let document = json!({ "amount": credit.amount, "reference": credit.reference });
            (&credit.at, &credit.who, ChangeKind::Credit, &credit.account, document)
        }
        (Command::AddKey(key, who), CommandOutcome::Key(true)) => {
            let document = json!({ "id": key.id, "scopes": key.scopes, "expires": key.expires });
            (&key.created, who, ChangeKind::Key, &key.account, document)
        }
        (Command::RevokeKey { account, id, at, who }, CommandOutcome::Key(true)) => {
            (at, who, ChangeKind::Key, account, json!({ "id": id, "revoked": true }))
        }
        (
            Command::ResolveUnknownHold { hold, charge, at, who, .. },
            CommandOutcome::Decided(true),
        ) => {
            let document = json!({ "call": hold.call, "held": hold.amount, "charged": charge });
            (at, who, ChangeKind::Hold, &hold.account, document)
        }
        _ => return None,
    };
    Some(OperatorChange {
        at: *at,
        who: who.clone(),
        kind,
        subject: subject.clone(),
        document: document.to_string(),
    })
}

/// The overrides of each provider in force; a change has the changed members only and is merged
/// into them.
struct ProviderSwitches(HashMap<String, Map<String, Value>>);

impl ProviderSwitches {
    async fn read(write: &mut Batch, changes: &[Command]) -> Result<Self, StoreError> {
        let named = changes.iter().filter_map(|change| match change {
            Command::OperatorChange(edit) if edit.kind == ChangeKind::Provider => {
                Some(&edit.subject)
            }
            _ => None,
        });
        let mut subjects: Vec<Value> =
            named.map(|name| json!({ "kind": ChangeKind::Provider, "subject": name })).collect();
        subjects.dedup();
        let latest: Vec<ChangeRecord> = write.rows(&LATEST_CHANGES, subjects).await?;
        let switches =
            latest.into_iter().map(|edited| Ok((edited.subject, from_json(&edited.document)?)));
        switches.collect::<Result<_, StoreError>>().map(Self)
    }

    fn change(&mut self, edit: &OperatorChange) -> Result<OperatorChange, StoreError> {
        let switches = self.0.entry(edit.subject.to_string()).or_default();
        switches.extend(from_json::<Map<String, Value>>(&edit.document)?);
        Ok(OperatorChange { document: to_json(switches)?, ..edit.clone() })
    }
}
