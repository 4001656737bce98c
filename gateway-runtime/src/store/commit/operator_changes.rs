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
        batch: &mut Batch,
        commands: &[Command],
        outcomes: &mut [CommandOutcome],
    ) -> Result<(), StoreError> {
        if !commands.iter().any(is_by_operator) {
            return Ok(());
        }
        batch.rows::<_, ()>(&LOCK_CHANGES, vec![0]).await?;
        let mut providers = ProviderSwitches::read(batch, commands).await?;
        let mut operator_changes = Vec::new();
        for (command, outcome) in commands.iter().zip(outcomes) {
            if let Command::OperatorChange(operator_change) = command {
                let operator_change = match operator_change.kind {
                    ChangeKind::Provider => Cow::Owned(providers.merge(operator_change)?),
                    _ => Cow::Borrowed(operator_change),
                };
                *outcome = CommandOutcome::Changed(operator_change.document.clone());
                operator_changes.push(operator_change);
            } else {
                operator_changes.extend(audit_entry(command, outcome).map(Cow::Owned));
            }
        }
        batch.rows::<_, ()>(&ADD_CHANGES, operator_changes).await?;
        Ok(())
    }
}

fn is_by_operator(command: &Command) -> bool {
    matches!(
        command,
        Command::OpenAccount { .. }
            | Command::Credit(_)
            | Command::OperatorChange(_)
            | Command::AddKey { .. }
            | Command::RevokeKey { .. }
            | Command::ResolveUnknownHold { .. }
    )
}

/// Returns the audit entry of a command, if the command changed anything.
fn audit_entry(command: &Command, outcome: &CommandOutcome) -> Option<OperatorChange> {
    let (at, who, kind, subject, document) = match (command, outcome) {
        (Command::OpenAccount { account, plan, at, who }, CommandOutcome::Opened(true)) => {
            (at, who, ChangeKind::Account, account, json!({ "plan": plan }))
        }
        (Command::Credit(credit), CommandOutcome::Credit(CreditOutcome::Credited)) => {
            let document = json!({ "amount": credit.amount, "reference": credit.reference });
            (&credit.at, &credit.who, ChangeKind::Credit, &credit.account, document)
        }
        (Command::AddKey { key, who }, CommandOutcome::Key(true)) => {
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
    async fn read(batch: &mut Batch, commands: &[Command]) -> Result<Self, StoreError> {
        let names = commands.iter().filter_map(|command| match command {
            Command::OperatorChange(operator_change)
                if operator_change.kind == ChangeKind::Provider =>
            {
                Some(&operator_change.subject)
            }
            _ => None,
        });
        let mut subjects: Vec<Value> =
            names.map(|name| json!({ "kind": ChangeKind::Provider, "subject": name })).collect();
        subjects.dedup();
        let latest: Vec<ChangeRecord> = batch.rows(&LATEST_CHANGES, subjects).await?;
        let switches =
            latest.into_iter().map(|edited| Ok((edited.subject, from_json(&edited.document)?)));
        switches.collect::<Result<_, StoreError>>().map(Self)
    }

    fn merge(&mut self, operator_change: &OperatorChange) -> Result<OperatorChange, StoreError> {
        let switches = self.0.entry(operator_change.subject.to_string()).or_default();
        switches.extend(from_json::<Map<String, Value>>(&operator_change.document)?);
        Ok(OperatorChange { document: to_json(switches)?, ..operator_change.clone() })
    }
}
